"""Every statement ever made about a price; the rules are in `pipelines.history.knowledge`."""

import polars as pl

from pipelines.history.store import HistoryStore


def price_history_versions(history: HistoryStore, part: str) -> pl.LazyFrame:
    """One row per statement, with the times in which the price held and in which the warehouse said so; of one part of the series."""
    return history.versions(part)
