"""Exact time-weighted rolling statistics of each price series; the arithmetic is in `pipelines.history.rolling`."""

import polars as pl

from pipelines.costing.days import Days
from pipelines.history.views import HistoryViews


def gpu_price_rolling(history: HistoryViews, partition: str, days: Days) -> pl.LazyFrame:
    """One row per series, day and window with at least one covered second, of one partition and some days. A day's window ends with it
    (UTC).
    """
    return history.windows(partition, days.first, days.last)
