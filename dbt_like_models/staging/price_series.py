"""Each price series; what makes one is said in `pipelines.history.series`."""

import polars as pl

from pipelines.history.store import HistoryStore


def price_series(history: HistoryStore) -> pl.LazyFrame:
    """One row per series that the history knows."""
    return history.series()
