"""Every statement ever made about a price; the rules are in `pipelines.history.knowledge`."""

from datetime import date

import polars as pl

from pipelines.history.intervals import with_series
from pipelines.history.knowledge import described_versions, whole_history


def price_history_versions(price_observation: pl.LazyFrame, price_series: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """One row per statement, with the times in which the price held and in which the warehouse said so."""
    rows, superseded = whole_history(with_series(price_observation, price_series))
    return described_versions(rows.lazy(), superseded.lazy(), price_series, as_of)
