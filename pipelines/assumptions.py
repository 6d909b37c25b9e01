"""The curated cost assumptions as columns, in the order of what they do to the cost.

Belongs here: turning the table of assumptions into one row. Does not belong here: the assumptions themselves
(`reference/cost_assumption.csv`) or any formula.
"""

from __future__ import annotations

import polars as pl

BANDS = ("low", "base", "high")


def in_one_row(reference_cost_assumption: pl.LazyFrame, names: tuple[str, ...]) -> pl.LazyFrame:
    """One row with a column `<name>__<band>` for each name that holds for all scopes.

    The bands are those of the cost: `low` is the end of the parameter that makes tokens cheap.
    """
    of_all = reference_cost_assumption.filter(pl.col("scope").is_null())
    return by_cost(of_all).select(
        pl.col(band).filter(pl.col("assumption") == name).first().alias(f"{name}__{band}") for name in names for band in BANDS
    )


def by_scope(reference_cost_assumption: pl.LazyFrame, name: str, scope_column: str) -> pl.LazyFrame:
    """The scopes of one assumption, named `scope_column`, with its bands as `<name>__<band>`."""
    return by_cost(reference_cost_assumption.filter(pl.col("assumption") == name)).select(
        pl.col("scope").alias(scope_column), *(pl.col(band).alias(f"{name}__{band}") for band in BANDS)
    )


def assumption_set_id(reference_cost_assumption: pl.LazyFrame) -> pl.LazyFrame:
    """One row, one column: the name of this state of the table, the start of the hash of its file."""
    return reference_cost_assumption.select(assumption_set_id=pl.col("snapshot_sha256").first().str.head(16))


def by_cost(assumptions: pl.LazyFrame) -> pl.LazyFrame:
    """Low and high exchanged where more of a thing costs less (years of life, packing)."""
    dear = pl.col("more_costs_more")
    return assumptions.with_columns(low=pl.when(dear).then("low").otherwise("high"), high=pl.when(dear).then("high").otherwise("low"))
