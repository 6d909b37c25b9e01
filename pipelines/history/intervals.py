"""Observations of a series as intervals in valid time that do not overlap: how readings and changes hold, and which source counts.

Belongs here: the rules for one instant of system time, frames in and frames out. Does not belong here: what a series is
(`series`), what was known earlier (`bitemporal`), statistics over time (`rolling`).
"""

from __future__ import annotations

import polars as pl

FIGURES = ["usd_per_gpu_hour", "usd_per_hour", "native_amount"]
PROVENANCE = ["source_detail", "source_url", "licence", "snapshot_sha256"]
_FACTS = ["semantics", "precedence", "staleness_limit_days"]
# What one source asserts about one instant; the amount is what it may assert differently at another system time.
POINT = ["series_id", "source", "first_seen_at"]
ASSERTION = [*POINT, "native_amount"]


def with_series(price_observation: pl.LazyFrame, series_ids: pl.LazyFrame) -> pl.LazyFrame:
    """Observations with the id of their series, cut to what the history needs of them; both sides have their `identity`."""
    return price_observation.join(series_ids.select("series_id", "identity"), on="identity").select(
        *ASSERTION, "last_confirmed_at", "known_from", *_FACTS, *FIGURES[:2], *PROVENANCE
    )


def as_assertions(observed: pl.LazyFrame) -> pl.LazyFrame:
    """One row per assertion: first known, last known and last confirmed; its provenance as it was first known."""
    known_last_at = pl.col("known_last_at") if "known_last_at" in observed.collect_schema() else pl.col("known_from")
    return (
        observed.with_columns(known_last_at=known_last_at)
        .sort("known_from", "snapshot_sha256")
        .group_by(ASSERTION)
        .agg(
            pl.col("last_confirmed_at").max(),
            pl.col("known_from").min(),
            pl.col("known_last_at").max(),
            pl.col(*_FACTS, *FIGURES[:2], *PROVENANCE).first(),
        )
    )


def held_by_source(assertions: pl.LazyFrame) -> pl.LazyFrame:
    """How long each point holds by what its own source says: adds valid_from, valid_to, observed_at; one row per point.

    Where a source contradicts itself about an instant, what became known last holds.
    """
    points = assertions.sort(*POINT, "known_last_at", "last_confirmed_at", "native_amount").unique(POINT, keep="last", maintain_order=True)
    following = pl.col("first_seen_at").shift(-1).over("series_id", "source", order_by="first_seen_at")
    limit = pl.col("last_confirmed_at") + pl.duration(days=pl.col("staleness_limit_days"))
    is_change = pl.col("semantics") == "change"
    return points.with_columns(
        valid_from=pl.col("first_seen_at"),
        valid_to=pl.when(is_change).then(pl.coalesce(following, limit)).otherwise(pl.min_horizontal(following, limit)),
        # Nothing is confirmed after what followed it.
        observed_at=pl.min_horizontal("last_confirmed_at", following),
    )


def best_source(held: pl.LazyFrame) -> pl.LazyFrame:
    """Intervals in which only the source with the best precedence counts."""
    several = held.group_by("series_id").agg(pl.col("source").n_unique().alias("sources"))
    counted = held.join(several, on="series_id")
    alone, shared = counted.filter(pl.col("sources") == 1), counted.filter(pl.col("sources") > 1)
    edges = pl.concat([shared.select("series_id", edge="valid_from"), shared.select("series_id", edge="valid_to")]).unique()
    segments = (
        edges.sort("series_id", "edge")
        .with_columns(edge_to=pl.col("edge").shift(-1).over("series_id", order_by="edge"))
        .filter(pl.col("edge_to").is_not_null())
    )
    speaking = (
        segments.join(shared, on="series_id")
        .filter((pl.col("edge") >= pl.col("valid_from")) & (pl.col("edge") < pl.col("valid_to")))
        .sort("series_id", "edge", "precedence", "source")
        .unique(["series_id", "edge"], keep="first", maintain_order=True)
        # Where another source counts, nobody looks at what this one would have confirmed.
        .with_columns(valid_from="edge", valid_to="edge_to", observed_at=pl.min_horizontal("observed_at", "edge_to"))
    )
    columns = ["series_id", "valid_from", "valid_to", *FIGURES, "observed_at", "known_from", "source", *PROVENANCE]
    return pl.concat([alone.select(columns), speaking.select(columns)])


def merge_equal_neighbours(segments: pl.LazyFrame) -> pl.LazyFrame:
    """Join segments that follow each other without a gap at the same figure from the same source; known when the first of them was."""

    def before(column: str) -> pl.Expr:
        return pl.col(column).shift(1).over("series_id", order_by="valid_from")

    def differs(column: str) -> pl.Expr:
        return pl.col(column).ne_missing(before(column))

    begins = (
        differs("native_amount")
        | differs("usd_per_hour")
        | differs("source")
        | (pl.col("valid_from") != before("valid_to")).fill_null(True)
    )
    return (
        segments.sort("series_id", "valid_from")
        .with_columns(run=begins.cum_sum().over("series_id", order_by="valid_from"))
        .group_by("series_id", "run")
        .agg(
            pl.col("valid_from").min(),
            pl.col("valid_to").max(),
            pl.col("observed_at").max(),
            pl.col("known_from", *FIGURES, "source", *PROVENANCE).sort_by("valid_from").first(),
        )
        .sort("series_id", "valid_from")
        .select("series_id", "valid_from", "valid_to", *FIGURES, "observed_at", "known_from", "source", *PROVENANCE)
    )
