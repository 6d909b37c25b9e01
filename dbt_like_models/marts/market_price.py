"""The market of each accelerator: how many sellers, and the quartiles of what each asks at least, from the day on which they hold."""

from datetime import date

import polars as pl

from pipelines.prices.market import LONGEST_AGE_DAYS, PROFESSIONAL, THIRD_PARTY_SOURCE, offers_that_speak, quartile_places
from pipelines.prices.places import country_groups, with_countries

KIND = ["gpu", "form_factor", "purchase_option", "commitment_class", "trust_group"]
MARKET = [*KIND, "country_group"]
FIGURES = ["seller_count", "offer_count", "cheapest", "p25", "median", "p75", "dearest"]


def market_price(price_history: pl.LazyFrame, reference_region_country: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """One row per market and day on which one of its figures changed, with the last day on which they held."""
    daily = offers_by_day(price_history, reference_region_country, as_of)
    places = {name.removeprefix("market_"): place for name, place in quartile_places(pl.len().cast(pl.Int64)).items()}
    asked = pl.col("usd_per_gpu_hour").sort()
    by_day = (
        one_vote_each(daily)
        .group_by([*MARKET, "on_date"])
        .agg(
            pl.len().cast(pl.Int64).alias("seller_count"),
            pl.col("offer_count").sum(),
            asked.first().alias("cheapest"),
            *(asked.get(place).alias(name) for name, place in places.items()),
            asked.last().alias("dearest"),
            (~pl.col("is_current")).sum().cast(pl.Int64).alias("last_known_seller_count"),
            pl.col("seen_on").min().alias("oldest_price_on"),
            pl.col("seen_on").max().alias("newest_price_on"),
        )
    )
    return changes_only(by_day).select(
        "on_date",
        "held_until_on",
        *MARKET,
        "seller_count",
        "offer_count",
        "last_known_seller_count",
        (pl.col("last_known_seller_count") / pl.col("seller_count")).alias("last_known_share"),
        *(pl.col(name).alias(f"{name}_usd_per_gpu_hour") for name in FIGURES[2:]),
        "oldest_price_on",
        "newest_price_on",
    )


def offers_by_day(price_history: pl.LazyFrame, reference_region_country: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Each seller's offers of a kind at a place on each day: the least price that holds and the least that is last known.

    A price holds on a day where it holds at its end. It is last known from then until the next one, or for a year after it was seen.
    """
    following = pl.col("valid_from").shift(-1).over("series_id", order_by="valid_from").dt.date()
    seen_on = pl.min_horizontal(pl.col("observed_at").dt.date(), pl.lit(as_of))
    day_after = pl.lit(as_of).dt.offset_by("1d")
    end = pl.min_horizontal(following, seen_on.dt.offset_by(f"{LONGEST_AGE_DAYS + 1}d"), day_after)
    class_of = (
        pl.when(pl.col("commitment_months").is_null())
        .then(pl.lit("none"))
        .when(pl.col("commitment_months") <= 6)
        .then(pl.lit("up_to_6_months"))
        .when(pl.col("commitment_months") <= 18)
        .then(pl.lit("7_to_18_months"))
        .otherwise(pl.lit("over_18_months"))
    )
    segments = (
        price_history.filter(pl.col("gpu").is_not_null() & pl.col("form_factor").is_not_null())
        .with_columns(__end=end, seen_on=seen_on, commitment_class=class_of, is_third_party=pl.col("source") == THIRD_PARTY_SOURCE)
        .filter(pl.col("usd_per_gpu_hour").is_not_null())
        .with_columns(__from=pl.col("valid_from").dt.date(), __expires=pl.col("valid_to").dt.date().fill_null(day_after))
    )
    place = ["provider", "region", "country"]
    keys = ["gpu", "form_factor", "purchase_option", "commitment_class", "trust_tier", "seller", *place]
    groups = (
        with_countries(segments.select(place).unique(), reference_region_country)
        .with_columns(country_group=country_groups(pl.col("countries"), pl.col("region")))
        .drop("countries")
    )
    tiers = pl.concat_list("trust_tier", pl.when(pl.col("trust_tier").is_in(PROFESSIONAL)).then(pl.lit("professional"))).list.drop_nulls()
    return (
        segments.select(
            *keys, "usd_per_gpu_hour", "seen_on", "is_third_party", "__expires", on_date=pl.date_ranges("__from", "__end", closed="left")
        )
        .explode("on_date", empty_as_null=False)
        .filter(pl.col("on_date").is_not_null())
        .with_columns(is_current=pl.col("on_date") < pl.col("__expires"))
        # Zones and machine sizes of one place first: what follows is small.
        .group_by([*keys, "on_date", "is_current", "is_third_party", "seen_on"])
        .agg(pl.col("usd_per_gpu_hour").min(), pl.len().cast(pl.Int64).alias("offer_count"))
        .join(groups, on=place, nulls_equal=True)
        .with_columns(trust_group=tiers)
        .explode("country_group")
        .explode("trust_group")
    )


def one_vote_each(daily: pl.LazyFrame) -> pl.LazyFrame:
    """Each seller's cheapest offer on each day in each market, and how many of its offers speak."""
    market = [*MARKET, "on_date"]
    return (
        offers_that_speak(daily, market)
        .group_by([*market, "seller"])
        .agg(pl.col("usd_per_gpu_hour").min(), pl.col("offer_count").sum(), pl.col("is_current").any(), pl.col("seen_on").max())
    )


def changes_only(by_day: pl.LazyFrame) -> pl.LazyFrame:
    """The days on which a figure of the market differs from the day before, with the last day on which it is the same."""
    in_order = by_day.sort([*MARKET, "on_date"])
    watched = [*FIGURES, "last_known_seller_count"]
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1).over(MARKET)) for name in watched)
    gap = (pl.col("on_date") - pl.col("on_date").shift(1).over(MARKET)).dt.total_days() != 1
    return (
        in_order.with_columns(__begins=differs | gap.fill_null(True))
        .with_columns(__run=pl.col("__begins").cum_sum().over(MARKET))
        .group_by([*MARKET, "__run"])
        .agg(
            pl.col("on_date").min(),
            pl.col("on_date").max().alias("held_until_on"),
            pl.col(*watched, "oldest_price_on", "newest_price_on").first(),
        )
    )
