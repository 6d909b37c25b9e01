"""The market of each accelerator: how many sellers, and the quartiles of what each asks at least, from the day on which they hold."""

from collections.abc import Iterator
from datetime import date

import polars as pl

from pipelines.costing.days import Days, in_turns
from pipelines.prices.availability import periods_that_can_be_had
from pipelines.prices.market import LONGEST_AGE_DAYS, PROFESSIONAL, THIRD_PARTY_SOURCES, offers_that_speak, quartile_places
from pipelines.prices.places import country_groups, with_countries

KIND = ["gpu", "form_factor", "purchase_option", "commitment_class"]
MARKET = [*KIND, "trust_group", "country_group"]
PLACE = ["provider", "region", "country"]
# What of a series decides which markets it is in; days are counted with its number instead, as names are long and days are many.
STALL = [*KIND, "trust_tier", "seller", *PLACE]
PRICES_AT_ONCE = 100_000
FIGURES = ["seller_count", "offer_count", "cheapest", "p25", "median", "p75", "dearest"]
WATCHED = [*FIGURES, "last_known_seller_count"]


def market_price(
    price_history: pl.LazyFrame,
    offer_availability: pl.LazyFrame,
    reference_region_country: pl.LazyFrame,
    as_of: date,
) -> pl.LazyFrame:
    """One row per market and day on which one of its figures changed, with the last day on which they held.

    Of offers that could be had on the day, as far as their source says.
    """
    segments = periods_that_can_be_had(price_segments(price_history, as_of), offer_availability.collect().lazy())
    stalls = segments.select(STALL).unique().sort(STALL).with_row_index("stall")
    member_of = markets_of(stalls, reference_region_country)
    markets = member_of.select(MARKET).unique().sort(MARKET).with_row_index("market")
    members = member_of.join(markets, on=MARKET).select("stall", "market", pl.col("seller").rank("dense").cast(pl.UInt32).alias("seller"))
    of_stalls = segments.join(stalls, on=STALL, nulls_equal=True).drop(STALL).collect().lazy()
    members = members.collect().lazy()
    # Every price becomes a row a day: of some days at a time they are few.
    figures = [
        figures_by_day(one_vote_each(offers_by_day(within(days, of_stalls), members))).collect() for days in some_days(of_stalls, as_of)
    ]
    return (
        changes_only(pl.concat(figures).lazy())
        .join(markets, on="market")
        .select(
            "on_date",
            "held_until_on",
            *MARKET[:4],
            "trust_group",
            "country_group",
            "seller_count",
            "offer_count",
            "last_known_seller_count",
            (pl.col("last_known_seller_count") / pl.col("seller_count")).alias("last_known_share"),
            *(pl.col(name).alias(f"{name}_usd_per_gpu_hour") for name in FIGURES[2:]),
            "oldest_price_on",
            "newest_price_on",
        )
    )


def price_segments(price_history: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Each price with the days on which it holds or is last known: `series_id`, STALL, `from_on`, `expires_on`, `end_on` (the first day
    without it).

    A price holds on a day where it holds at its end. It is last known from then until the next one, or for a year after it was seen.
    """
    following = pl.col("valid_from").shift(-1).over("series_id", order_by="valid_from").dt.date()
    day_after = pl.lit(as_of).dt.offset_by("1d")
    class_of = (
        pl.when(pl.col("commitment_months").is_null())
        .then(pl.lit("none"))
        .when(pl.col("commitment_months") <= 6)
        .then(pl.lit("up_to_6_months"))
        .when(pl.col("commitment_months") <= 18)
        .then(pl.lit("7_to_18_months"))
        .otherwise(pl.lit("over_18_months"))
    )
    return (
        price_history.filter(pl.col("gpu").is_not_null() & pl.col("form_factor").is_not_null())
        .with_columns(
            seen_on=pl.min_horizontal(pl.col("observed_at").dt.date(), pl.lit(as_of)), commitment_class=class_of, __following=following
        )
        .with_columns(
            from_on=pl.col("valid_from").dt.date(),
            expires_on=pl.col("valid_to").dt.date().fill_null(day_after),
            end_on=pl.min_horizontal("__following", pl.col("seen_on").dt.offset_by(f"{LONGEST_AGE_DAYS + 1}d"), day_after),
            is_third_party=pl.col("source").is_in(THIRD_PARTY_SOURCES),
        )
        .filter(pl.col("usd_per_gpu_hour").is_not_null() & (pl.col("from_on") < pl.col("end_on")))
        .select("series_id", *STALL, "usd_per_gpu_hour", "seen_on", "is_third_party", "from_on", "expires_on", "end_on")
    )


def markets_of(stalls: pl.LazyFrame, reference_region_country: pl.LazyFrame) -> pl.LazyFrame:
    """The markets that each stall is in: by each group of countries and by each group of tiers."""
    tier = pl.col("trust_tier")
    trust = pl.concat_list(tier, pl.when(tier.is_in(PROFESSIONAL)).then(pl.lit("professional"))).list.drop_nulls()
    return (
        with_countries(stalls, reference_region_country)
        .with_columns(country_group=country_groups(pl.col("countries"), pl.col("region")), trust_group=trust)
        .explode("country_group")
        .explode("trust_group")
        .select("stall", "seller", *MARKET)
    )


def some_days(segments: pl.LazyFrame, as_of: date) -> Iterator[Days]:
    """The days from the first price to `as_of`, as many at a time as have at most so many prices, one of each series a day."""
    first, series_count = segments.select(pl.col("from_on").min(), pl.col("series_id").n_unique()).collect().row(0)
    return in_turns(Days(first or as_of, as_of), max(1, PRICES_AT_ONCE // max(1, series_count)))


def within(days: Days, segments: pl.LazyFrame) -> pl.LazyFrame:
    """What of the segments lies in these days."""
    first, end = pl.lit(days.first), pl.lit(days.last).dt.offset_by("1d")
    return segments.with_columns(from_on=pl.max_horizontal("from_on", first), end_on=pl.min_horizontal("end_on", end)).filter(
        pl.col("from_on") < pl.col("end_on")
    )


def offers_by_day(segments: pl.LazyFrame, members: pl.LazyFrame) -> pl.LazyFrame:
    """Each stall's least price on each day, by how it is known, in each market that the stall is in."""
    return (
        segments.select(
            "stall",
            "usd_per_gpu_hour",
            "seen_on",
            "is_third_party",
            "expires_on",
            on_date=pl.date_ranges("from_on", "end_on", closed="left"),
        )
        .explode("on_date", empty_as_null=False)
        .with_columns(is_current=pl.col("on_date") < pl.col("expires_on"))
        # Zones and machine sizes of one stall first: what follows is small.
        .group_by("stall", "on_date", "is_current", "is_third_party", "seen_on")
        .agg(pl.col("usd_per_gpu_hour").min(), pl.len().cast(pl.Int64).alias("offer_count"))
        .join(members, on="stall")
    )


def one_vote_each(daily: pl.LazyFrame) -> pl.LazyFrame:
    """Each seller's cheapest offer on each day in each market, and how many of its offers speak."""
    day = ["market", "on_date"]
    return (
        offers_that_speak(daily, day)
        .group_by(*day, "seller")
        .agg(pl.col("usd_per_gpu_hour").min(), pl.col("offer_count").sum(), pl.col("is_current").any(), pl.col("seen_on").max())
    )


def figures_by_day(votes: pl.LazyFrame) -> pl.LazyFrame:
    """The figures of each market on each day."""
    places = {name.removeprefix("market_"): place for name, place in quartile_places(pl.len().cast(pl.Int64)).items()}
    asked = pl.col("usd_per_gpu_hour").sort()
    return votes.group_by("market", "on_date").agg(
        pl.len().cast(pl.Int64).alias("seller_count"),
        pl.col("offer_count").sum(),
        asked.first().alias("cheapest"),
        *(asked.get(place).alias(name) for name, place in places.items()),
        asked.last().alias("dearest"),
        (~pl.col("is_current")).sum().cast(pl.Int64).alias("last_known_seller_count"),
        pl.col("seen_on").min().alias("oldest_price_on"),
        pl.col("seen_on").max().alias("newest_price_on"),
    )


def changes_only(by_day: pl.LazyFrame) -> pl.LazyFrame:
    """The days on which a figure of the market differs from the day before, with the last day on which it is the same."""
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1).over("market")) for name in WATCHED)
    gap = (pl.col("on_date") - pl.col("on_date").shift(1).over("market")).dt.total_days() != 1
    return (
        by_day.sort("market", "on_date")
        .with_columns(__begins=differs | gap.fill_null(True))
        .with_columns(__run=pl.col("__begins").cum_sum().over("market"))
        .group_by("market", "__run")
        .agg(
            pl.col("on_date").min(),
            pl.col("on_date").max().alias("held_until_on"),
            pl.col(*WATCHED, "oldest_price_on", "newest_price_on").first(),
        )
    )
