"""Exact time-weighted rolling statistics of each price series; the arithmetic is in `pipelines.history.rolling`."""

from datetime import date

import polars as pl

from pipelines.history.views import HistoryViews


def gpu_price_rolling(history: HistoryViews, partition: str, month: date) -> pl.LazyFrame:
    """One row per series, day and window with at least one covered second, of a partition and month. A day's window ends with it (UTC)."""
    return history.windows(partition, month)
