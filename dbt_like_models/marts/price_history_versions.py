"""Every assertion ever made about a price; the rules are in `pipelines.history.bitemporal`."""

import polars as pl

from pipelines.history.views import HistoryViews


def price_history_versions(history: HistoryViews, partition: str) -> pl.LazyFrame:
    """One row per assertion, with its valid time and its system time; of one partition of the series."""
    return history.versions(partition)
