"""Exact time-weighted rolling statistics of each price series; the arithmetic is in `pipelines.history.rolling`."""

import polars as pl

from pipelines.history.store import HistoryStore


def gpu_price_rolling(history: HistoryStore, part: str) -> pl.LazyFrame:
    """One row per series, day and window with at least one covered second, of one part of the series. A day's window ends with it (UTC)."""
    return history.rolling(part)
