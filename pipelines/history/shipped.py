"""Observations that ship with the project: a release of them brings prices of many earlier days at once.

Belongs here: which shipped rows a batch brings, how far a shipped price is confirmed by a day, rows of a release that the history had not
seen. Does not belong here: validating them (`validation`), observations that are fetched (`ingestion`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Literal

import polars as pl

from pipelines.catalogue.contracts import Catalogue
from pipelines.history.batches import FEED, price_services
from pipelines.history.series import identity, series_key
from pipelines.history.views import HistoryViews
from pipelines.ingest.parse import unite_feed
from pipelines.ingest.registry import SourceModule

CONFIRMED_LATER, SHIPPED_RELEASE = "confirmed_later", "shipped_release"


def shipped_rows(tables: Mapping[str, pl.LazyFrame], modules: Mapping[str, SourceModule], catalogue: Catalogue) -> pl.DataFrame:
    """Observations of all sources that ship, from their raw tables, in the columns of the feed."""
    fetched = {module.table for module in price_services(catalogue, modules).values()}
    shipped = {c.name: tables[c.name] for c in catalogue.fed_by(FEED) if c.name not in fetched}
    return unite_feed(FEED, shipped, modules, catalogue).collect()


class ShippedObservations:
    """`rows`: observations of all sources that ship, in the columns of the feed."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self.rows = rows
        self._confirmation = ["source", *series_key(), "first_seen_at"]
        self._releases = rows.select("source", "snapshot_sha256").unique().sort("source", "snapshot_sha256")
        self._last_confirmed = rows.group_by(self._confirmation).agg(confirmed_until=pl.col("last_confirmed_at").max())

    def known_since(self, since: datetime) -> pl.DataFrame:
        """Rows that became known at `since` or later."""
        return self.rows.filter(pl.col("known_from") >= since)

    def releases(self, set_aside: list[str]) -> pl.DataFrame:
        """Releases that a history has seen after a batch; those of sources that it set aside are tried again."""
        return self._releases.filter(~pl.col("source").is_in(set_aside))

    def with_confirmation(self, good: pl.DataFrame, how: Literal["inner", "left"] = "inner") -> pl.DataFrame:
        """Those of good rows that ship, with `confirmed_until`: each day confirms them as far as it goes. `left`: others too, with NULL."""
        return good.join(self._last_confirmed, on=self._confirmation, how=how, nulls_equal=True, maintain_order="left")

    def late(self, views: HistoryViews, day: date) -> pl.DataFrame:
        """Rows of releases that are new to the history and speak of a system time that it had passed: they become known now."""
        since = end_of(day)
        known = views.checkpoint(SHIPPED_RELEASE)
        sources = self._releases.join(known, on=known.columns, how="anti").get_column("source").unique().sort().to_list()
        rows = self.rows.filter(pl.col("source").is_in(sources), pl.col("known_from") < since)
        if rows.is_empty():
            return rows
        asserted = (
            views.asserted(sources)
            .join(views.series().with_columns(identity()).select("series_id", "identity").collect(), on="series_id")
            .select("identity", "source", "first_seen_at", "native_amount", __confirmed_at="last_confirmed_at")
        )
        return (
            rows.with_columns(identity(), __amount=pl.col("native_amount").cast(pl.Decimal(18, 8), strict=False))
            .join(
                asserted,
                left_on=["identity", "source", "first_seen_at", "__amount"],
                right_on=["identity", "source", "first_seen_at", "native_amount"],
                how="left",
            )
            .filter(pl.col("__confirmed_at").is_null() | (pl.min_horizontal("last_confirmed_at", pl.lit(since)) > pl.col("__confirmed_at")))
            .with_columns(known_from=pl.lit(since))
            .select(rows.columns)
        )


def confirmed_by(rows: pl.DataFrame, end: datetime) -> pl.DataFrame:
    """Rows with `confirmed_until`, confirmed as far as what ends at `end` can tell."""
    return rows.with_columns(last_confirmed_at=pl.min_horizontal("confirmed_until", pl.lit(end - timedelta(microseconds=1))))


def end_of(day: date) -> datetime:
    """The first instant after a day."""
    return datetime.combine(day + timedelta(days=1), time())
