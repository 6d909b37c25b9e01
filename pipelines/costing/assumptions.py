"""The curated cost assumptions as columns, in the order of what they do to the cost, and the server that they describe.

Belongs here: turning the table of assumptions into one row or one server. Does not belong here: the assumptions themselves
(`reference/cost_assumption.csv`) or any formula.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from pipelines.economics import OnPremServer, residual_share

BANDS = ("low", "base", "high")
# What an owned server's hour is made of, beside its price, life, power and electricity.
SERVER_INPUTS = (
    "network_share",
    "residual_decline_per_year",
    "discount_rate",
    "maintenance_share",
    "pue",
    "colocation_usd_per_kw_month",
    "idle_share_of_load",
    "staff_fte_per_node",
    "staff_usd_per_fte_year",
)


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


def server_of(at: Callable[[str], Any], *, server_usd: Any, life_years: Any, load_kw: Any, electricity_usd_per_kwh: Any) -> OnPremServer:
    """A server kept for its life and then worth what the residual curve says; `at` gives each of SERVER_INPUTS by name.

    Floats or polars expressions, as `at` and the arguments are.
    """
    return OnPremServer(
        server_usd=server_usd,
        network_share=at("network_share"),
        residual_share=residual_share(life_years, at("residual_decline_per_year")),
        discount_rate=at("discount_rate"),
        life_years=life_years,
        maintenance_share=at("maintenance_share"),
        idle_kw=load_kw * at("idle_share_of_load"),
        load_kw=load_kw,
        pue=at("pue"),
        electricity_usd_per_kwh=electricity_usd_per_kwh,
        colocation_usd_per_month=at("colocation_usd_per_kw_month") * load_kw,
        staff_usd_per_year=at("staff_fte_per_node") * at("staff_usd_per_fte_year"),
    )
