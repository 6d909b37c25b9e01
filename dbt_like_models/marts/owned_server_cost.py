"""Cost of one hour of an owned server, day by day."""

from datetime import date

import polars as pl

from pipelines.costing.assumptions import BANDS, SERVER_INPUTS, by_scope, in_one_row, server_of
from pipelines.economics import OnPremServer, on_prem_usd_per_hour, operating_usd_per_hour, residual_share

ELECTRICITY_AREA = "US"
FOR_ALL = (*SERVER_INPUTS, "life_years", "node_load_over_gpu_power")
QUOTE = ["hardware", "gpu", "gpu_count", "price_on", "low_usd", "base_usd", "high_usd", "source", "source_detail"]
CARDS_IN_A_SERVER = 8


def owned_server_cost(
    hardware_price: pl.LazyFrame, reference_cost_assumption: pl.LazyFrame, reference_gpu: pl.LazyFrame, as_of: date
) -> pl.LazyFrame:
    """One row per day and server from the first price of that server, or of its cards, on."""
    quoted = hardware_price.filter(pl.col("hardware_kind") == "server").select(QUOTE)
    of_cards = servers_of_cards(hardware_price, reference_cost_assumption)
    servers = pl.concat([quoted, of_cards])
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
        with_latest_price(days, quoted, of_cards)
        .join(by_scope(reference_cost_assumption, "node_load_kw", "hardware"), on="hardware", how="left")
        .join(reference_gpu.select("gpu", "tdp_watts"), on="gpu", how="left")
        .join(in_one_row(reference_cost_assumption, FOR_ALL), how="cross")
        .join(electricity, how="cross")
        .with_columns(is_power_estimated=pl.col("node_load_kw__base").is_null() & pl.col("tdp_watts").is_not_null())
        .with_columns(pl.coalesce(f"node_load_kw__{band}", rated_kw(band)).alias(f"node_load_kw__{band}") for band in BANDS)
    )
    figures: dict[str, pl.Expr] = {}
    for band in BANDS:
        server = server_at(band)
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
        *(pl.col(f"node_load_kw__{band}").alias(f"{band}_load_kw") for band in BANDS),
        "is_power_estimated",
        "is_price_estimated",
        pl.when(~has_figure & pl.col("price_on").is_null())
        .then(pl.lit("no list price of this server is known yet"))
        .when(~has_figure)
        .then(pl.lit("no power figure for this server"))
        .alias("reason_no_figure"),
    )


def servers_of_cards(hardware_price: pl.LazyFrame, reference_cost_assumption: pl.LazyFrame) -> pl.LazyFrame:
    """Servers of eight cards at the price of the cards times the factor of whole servers over their cards."""
    factor = in_one_row(reference_cost_assumption, ("server_over_cards",))
    return (
        hardware_price.filter(pl.col("hardware_kind") == "card")
        .join(factor, how="cross")
        .with_columns(
            hardware=pl.concat_str(pl.lit(f"{CARDS_IN_A_SERVER}x-"), "gpu"),
            gpu_count=pl.lit(float(CARDS_IN_A_SERVER)),
            source_detail=pl.concat_str("source_detail", pl.lit("; one card, times eight, times server_over_cards")),
            **{f"{band}_usd": pl.col(f"{band}_usd") * CARDS_IN_A_SERVER * pl.col(f"server_over_cards__{band}") for band in BANDS},
        )
        .select(QUOTE)
    )


def with_latest_price(days: pl.LazyFrame, quoted: pl.LazyFrame, of_cards: pl.LazyFrame) -> pl.LazyFrame:
    """Each day with the latest quote of the server, however old, else with that of its cards, marked as an estimate.

    A quote that ages changes nothing by itself: its age stands beside the figure.
    """

    def latest(quotes: pl.LazyFrame, prefix: str) -> pl.LazyFrame:
        renamed = quotes.select("hardware", pl.col("price_on").alias("__on"), *(pl.col(name).alias(prefix + name) for name in QUOTE[3:]))
        return days.sort("on_date").join_asof(
            renamed.sort("__on"),
            left_on="on_date",
            right_on="__on",
            by="hardware",
            strategy="backward",
            coalesce=False,
            check_sortedness=False,
        )

    def first_of(name: str) -> pl.Expr:
        return pl.when(pl.col("__quoted_price_on").is_not_null()).then(f"__quoted_{name}").otherwise(f"__cards_{name}")

    both = (
        latest(quoted, "__quoted_")
        .drop("__on")
        .join(latest(of_cards, "__cards_").drop("__on", "gpu", "gpu_count", "first"), on=["hardware", "on_date"])
    )
    return both.with_columns(
        price_on=first_of("price_on"),
        **{f"server_usd__{band}": first_of(f"{band}_usd") for band in BANDS},
        price_source=first_of("source"),
        price_source_detail=first_of("source_detail"),
        is_price_estimated=pl.col("__quoted_price_on").is_null() & pl.col("__cards_price_on").is_not_null(),
    )


def rated_kw(band: str) -> pl.Expr:
    """Power of a server by that of its accelerators, where nobody measured it."""
    return pl.col("tdp_watts") / 1000 * pl.col("gpu_count") * pl.col(f"node_load_over_gpu_power__{band}")


def server_at(band: str) -> OnPremServer:
    """The server with every assumption at one end of its band."""

    def at(name: str) -> pl.Expr:
        return pl.col(f"{name}__{band}")

    return server_of(
        at,
        server_usd=at("server_usd"),
        life_years=at("life_years"),
        load_kw=at("node_load_kw"),
        electricity_usd_per_kwh=at("electricity_usd_per_kwh"),
    )
