"""Cost of one hour of an owned server, day by day."""

from datetime import date, timedelta
from typing import Any

import polars as pl

from pipelines.assumptions import BANDS, by_scope, in_one_row
from pipelines.economics import OnPremServer, on_prem_usd_per_hour, operating_usd_per_hour, residual_share

PRICE_LIMIT = timedelta(days=365)
ELECTRICITY_AREA = "US"
FOR_ALL = (
    "network_share",
    "life_years",
    "residual_decline_per_year",
    "discount_rate",
    "maintenance_share",
    "pue",
    "colocation_usd_per_kw_month",
    "idle_share_of_load",
    "staff_fte_per_node",
    "staff_usd_per_fte_year",
)


def owned_server_cost(hardware_price: pl.LazyFrame, reference_cost_assumption: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """One row per day and server from the first price of that server on."""
    servers = hardware_price.filter(pl.col("hardware_kind") == "server").sort("price_on")
    days = (
        servers.group_by("hardware")
        .agg(pl.col("price_on").min().alias("first"), pl.col("gpu", "gpu_count").first())
        .with_columns(on_date=pl.date_ranges("first", pl.lit(as_of)))
        .explode("on_date")
    )
    electricity = by_scope(reference_cost_assumption.filter(pl.col("scope") == ELECTRICITY_AREA), "electricity_usd_per_kwh", "__area").drop(
        "__area"
    )
    priced = (
        days.sort("on_date")
        .join_asof(
            servers.select(
                "hardware",
                "price_on",
                pl.col("low_usd").alias("server_usd__low"),
                pl.col("base_usd").alias("server_usd__base"),
                pl.col("high_usd").alias("server_usd__high"),
                pl.col("source").alias("price_source"),
                pl.col("source_detail").alias("price_source_detail"),
            ),
            left_on="on_date",
            right_on="price_on",
            by="hardware",
            strategy="backward",
            tolerance=PRICE_LIMIT,
            coalesce=False,
            check_sortedness=False,
        )
        .join(by_scope(reference_cost_assumption, "node_load_kw", "hardware"), on="hardware", how="left")
        .join(in_one_row(reference_cost_assumption, FOR_ALL), how="cross")
        .join(electricity, how="cross")
    )
    figures: dict[str, pl.Expr] = {}
    for band in BANDS:
        server = server_of(band)
        fixed = on_prem_usd_per_hour(server, 0.0)
        figures[f"{band}_fixed_usd_per_hour"] = fixed
        figures[f"{band}_variable_usd_per_hour"] = on_prem_usd_per_hour(server, 1.0) - fixed
        figures[f"{band}_idle_operating_usd_per_hour"] = operating_usd_per_hour(server, 0.0)
        # Without a power figure nothing of the server is known well enough to be shown.
        figures[f"{band}_capex_usd"] = pl.when(fixed.is_not_null()).then(server.capex_usd)
    costed = priced.with_columns(**figures)
    has_figure = pl.col("base_fixed_usd_per_hour").is_not_null()
    return costed.select(
        "on_date",
        "hardware",
        "gpu",
        "gpu_count",
        pl.lit(ELECTRICITY_AREA).alias("electricity_area"),
        *(f"{band}_fixed_usd_per_hour" for band in BANDS),
        *(f"{band}_variable_usd_per_hour" for band in BANDS),
        *(f"{band}_capex_usd" for band in BANDS),
        *(f"{band}_idle_operating_usd_per_hour" for band in BANDS),
        pl.col("discount_rate__base").alias("discount_rate"),
        (pl.col("life_years__base") * 12).cast(pl.Int64).alias("life_months"),
        residual_share(pl.col("life_years__base"), pl.col("residual_decline_per_year__base")).alias("residual_share"),
        pl.col("price_on").alias("price_as_of_on"),
        (pl.col("on_date") - pl.col("price_on")).dt.total_days().alias("price_age_days"),
        "price_source",
        "price_source_detail",
        pl.when(~has_figure & pl.col("price_on").is_null())
        .then(pl.lit("no list price of this server in the 365 days before"))
        .when(~has_figure)
        .then(pl.lit("no power figure for this server"))
        .alias("reason_no_figure"),
    )


def server_of(band: str) -> OnPremServer:
    """The server with every assumption at one end of its band."""

    def at(name: str) -> Any:
        return pl.col(f"{name}__{band}")

    load_kw = at("node_load_kw")
    return OnPremServer(
        server_usd=at("server_usd"),
        network_share=at("network_share"),
        residual_share=residual_share(at("life_years"), at("residual_decline_per_year")),
        discount_rate=at("discount_rate"),
        life_years=at("life_years"),
        maintenance_share=at("maintenance_share"),
        idle_kw=load_kw * at("idle_share_of_load"),
        load_kw=load_kw,
        pue=at("pue"),
        electricity_usd_per_kwh=at("electricity_usd_per_kwh"),
        colocation_usd_per_month=at("colocation_usd_per_kw_month") * load_kw,
        staff_usd_per_year=at("staff_fte_per_node") * at("staff_usd_per_fte_year"),
    )
