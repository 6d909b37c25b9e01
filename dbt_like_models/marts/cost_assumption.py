"""The assumptions behind costs, for analysts."""

import polars as pl


def cost_assumption(reference_cost_assumption: pl.LazyFrame) -> pl.LazyFrame:
    """One row per assumption and scope, under the id that figures name."""
    return reference_cost_assumption.select(
        pl.col("snapshot_sha256").str.head(16).alias("assumption_set_id"),
        "assumption",
        "scope",
        "low",
        "base",
        "high",
        "assumption_unit",
        "more_costs_more",
        "low_is_assumed",
        "base_is_assumed",
        "high_is_assumed",
        "source_detail",
        "source_url",
        "source_on",
    )
