"""Electricity prices for analysts."""

from datetime import date

import polars as pl

from pipelines.economics.guards import quotient

QUOTE = [
    "area",
    "consumer_class",
    "period_from_on",
    "period_to_on",
    "native_per_kwh",
    "currency",
    "source",
    "source_detail",
    "source_url",
    "source_on",
    "licence",
]


def electricity_price(
    reference_electricity_quote: pl.LazyFrame, all_electricity: pl.LazyFrame, fx_rate: pl.LazyFrame, as_of: date
) -> pl.LazyFrame:
    """One row per area, class and source, converted at the last reference rate of its period (of `as_of` where none is stated)."""
    ships = reference_electricity_quote.with_columns(source=pl.lit("reference_electricity_quote")).select(QUOTE)
    fetched = all_electricity.filter(pl.col("known_from").dt.date() <= as_of).select(QUOTE)
    rates = fx_rate.select("currency", pl.col("on_date").alias("fx_on_date"), "units_per_eur").sort("fx_on_date")
    dollar = rates.filter(pl.col("currency") == "USD").select("fx_on_date", pl.col("units_per_eur").alias("__usd_per_eur"))
    own = rates.select("currency", pl.col("fx_on_date").alias("__own_on"), pl.col("units_per_eur").alias("__units_per_eur"))
    native = pl.col("native_per_kwh")
    is_usd, is_eur = pl.col("currency") == "USD", pl.col("currency") == "EUR"
    eur = pl.when(is_eur).then(native).otherwise(quotient(native, pl.col("__units_per_eur")))
    return (
        pl.concat([ships, fetched])
        .with_columns(
            pl.col("native_per_kwh").cast(pl.Float64),
            __on=pl.min_horizontal(pl.coalesce("period_to_on", pl.lit(as_of)), pl.lit(as_of)),
        )
        .filter(pl.coalesce("period_from_on", "source_on", pl.lit(as_of)) <= as_of)
        .sort("__on")
        .join_asof(dollar, left_on="__on", right_on="fx_on_date", strategy="backward", coalesce=False, check_sortedness=False)
        .join_asof(own, left_on="__on", right_on="__own_on", by="currency", strategy="backward", coalesce=False, check_sortedness=False)
        .select(
            "area",
            "consumer_class",
            "period_from_on",
            "period_to_on",
            "native_per_kwh",
            "currency",
            pl.when(is_usd).then(native).otherwise(eur * pl.col("__usd_per_eur")).alias("usd_per_kwh"),
            eur.alias("eur_per_kwh"),
            "fx_on_date",
            "source",
            "source_detail",
            "source_url",
            "source_on",
            "licence",
        )
    )
