"""Observations of each series as intervals that do not overlap; the rules are in `pipelines.history`."""

from datetime import date

import polars as pl

from pipelines.history.intervals import with_series
from pipelines.history.knowledge import as_known_on, whole_history


def price_interval(price_observation: pl.LazyFrame, price_series: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """One row per series and interval, [valid_from, valid_to); valid_to is NULL where the price still holds at the end of `as_of`."""
    rows, _ = whole_history(with_series(price_observation, price_series))
    return as_known_on(rows.lazy().sort("series_id", "valid_from"), as_of)
