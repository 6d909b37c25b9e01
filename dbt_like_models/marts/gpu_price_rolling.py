"""Exact time-weighted rolling statistics of each price series; the arithmetic is in `pipelines.history.rolling`."""

from datetime import date

import polars as pl

from pipelines.history.rolling import in_usd, intervals_in_units, rolling_statistics


def gpu_price_rolling(price_interval: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """One row per series, day and window with at least one covered second. The window of a day ends with that day (UTC)."""
    return in_usd(rolling_statistics(intervals_in_units(price_interval, as_of), (as_of - date(1970, 1, 1)).days))
