"""From which day on each offer could, or could not, be had."""

import polars as pl

from pipelines.history.views import HistoryViews


def offer_availability(history: HistoryViews) -> pl.LazyFrame:
    """One row per series and day from which something else is said of it."""
    return history.availability()
