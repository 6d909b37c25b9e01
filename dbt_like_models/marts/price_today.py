"""What is on sale, as far as is known: the latest price of each series, with its age and where it may stand."""

from datetime import date

import polars as pl

from pipelines.costing.fx import eur_per_usd_by_day
from pipelines.prices.availability import NOT_TO_BE_HAD, UNLISTED
from pipelines.prices.market import LONGEST_AGE_DAYS, THIRD_PARTY_SOURCES
from pipelines.prices.places import with_countries


def price_today(
    price_history: pl.LazyFrame,
    price_series: pl.LazyFrame,
    offer_availability: pl.LazyFrame,
    reference_region_country: pl.LazyFrame,
    fx_rate: pl.LazyFrame,
    as_of: date,
) -> pl.LazyFrame:
    """One row per series with a price of the last year: in force on `as_of`, or last known.

    Euros: a price in euros is shown as its seller states it, one in another currency at the last reference rate on `as_of`.
    """
    held = price_history.filter(pl.col("valid_from").dt.date() <= as_of)
    # The history is long and wide: which rows are asked for first, then those rows alone. A join would read it whole.
    last = held.group_by("series_id").agg(pl.col("valid_from").max()).collect(engine="streaming")
    latest = (
        held.filter(pl.struct("series_id", "valid_from").is_in(last.to_struct().implode()))
        .collect(engine="streaming")
        .lazy()
        .with_columns(
            price_as_of_on=pl.min_horizontal(pl.col("observed_at").dt.date(), pl.lit(as_of)),
            is_current=pl.col("valid_to").is_null() | (pl.col("valid_to").dt.date() > as_of),
        )
        .with_columns(price_age_days=(pl.lit(as_of) - pl.col("price_as_of_on")).dt.total_days())
        .filter(pl.col("is_current") | (pl.col("price_age_days") <= LONGEST_AGE_DAYS))
    )
    said = offer_availability.sort("stated_on").unique("series_id", keep="last")
    is_unlisted = pl.col("offer_state") == UNLISTED
    latest = latest.join(said, on="series_id", how="left").with_columns(
        is_current=pl.col("is_current") & ~is_unlisted.fill_null(False),
        withdrawn_on=pl.when(is_unlisted).then("stated_on"),
        stock=pl.when(~is_unlisted).then("offer_state"),
        is_on_sale=~pl.col("offer_state").is_in(NOT_TO_BE_HAD).fill_null(False),
    )
    rates = eur_per_usd_by_day(fx_rate, as_of)
    # The rate at which a price in euros was turned into dollars turns it back; every other price takes the latest.
    dated = latest.with_columns(
        __rate_on=pl.when(pl.col("currency") == "EUR").then(pl.col("valid_from").dt.date()).otherwise(pl.lit(as_of))
    )
    places = with_countries(latest.select("provider", "region", "country").unique(), reference_region_country)
    return (
        dated.join(rates, left_on="__rate_on", right_on="on_date", how="left")
        .join(price_series.select("series_id", "commitment_days"), on="series_id", how="left")
        .join(places, on=["provider", "region", "country"], how="left", nulls_equal=True)
        .select(
            "series_id",
            "provider",
            "seller",
            "region",
            "country",
            pl.col("countries").list.join(", "),
            "sku",
            "instance_type",
            "gpu",
            "form_factor",
            "gpu_count",
            pl.col("gpu_count").is_null().alias("is_per_gpu_price"),
            "purchase_option",
            "payment_option",
            "commitment_months",
            "commitment_days",
            "trust_tier",
            "usd_per_gpu_hour",
            (pl.col("usd_per_gpu_hour") * pl.col("eur_per_usd")).alias("eur_per_gpu_hour"),
            "usd_per_hour",
            (pl.col("usd_per_hour") * pl.col("eur_per_usd")).alias("eur_per_hour"),
            "native_amount",
            "currency",
            "fx_on_date",
            pl.when("is_current").then(pl.lit("current")).otherwise(pl.lit("last_known")).alias("price_basis"),
            "price_as_of_on",
            "price_age_days",
            "is_on_sale",
            "withdrawn_on",
            "stock",
            pl.col("source").is_in(THIRD_PARTY_SOURCES).alias("is_third_party"),
            "source",
            "source_detail",
            "source_url",
            "licence",
        )
    )
