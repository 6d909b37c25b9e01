"""Each price series; what makes one is said in `pipelines.history.series`."""

import polars as pl

from pipelines.history.views import HistoryViews


def price_series(history: HistoryViews) -> pl.LazyFrame:
    """One row per series that the history knows."""
    return history.series()
