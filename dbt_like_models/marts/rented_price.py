"""The cheapest rentable series of each group on each day, from its window or, where that is empty, from its last known price.

Belongs here: the choice among series. Does not belong here: what a token costs on it (`cost_per_token`).
"""

from collections.abc import Iterator
from datetime import date

import polars as pl

from pipelines.costing.days import Days, MonthParts, as_given, by_month, first_day, spans
from pipelines.prices.availability import that_can_be_had
from pipelines.prices.market import LONGEST_AGE_DAYS, NOT_COMPARED, PROFESSIONAL, quartile_places

WINDOWS_DAYS = (7, 30, 90)
THIN_BELOW = 0.8
SIZES = (1, 2, 4, 8)
# Windows are read and numbered, and few of them are compared with one another.
ROWS_AT_ONCE = 60_000
# Where a price competes, and of whom it is. Days are many and names are long: rows of days have their numbers, `place` and `series`.
PLACE = ["gpu", "option", "country", "provider"]
GROUP = ["min_gpu_count", "place"]
KEY = ["on_date", "window_days", "gpu", "min_gpu_count", "option", "country", "provider"]
MARKET = ["on_date", "window_days", "min_gpu_count", "market"]


def rented_price(
    gpu_price_rolling: pl.LazyFrame, price_series: pl.LazyFrame, throughput: pl.LazyFrame, offer_availability: pl.LazyFrame, as_of: date
) -> MonthParts:
    """One row per day, window and group from the first day with a price on. Only devices that a throughput row speaks of, and only
    machines that could be had on the day, as far as their source says.
    """
    candidates = candidate_series(price_series, throughput).collect().lazy()
    for month, rows in by_month(offers_of_spans(gpu_price_rolling, candidates, offer_availability, as_of)):
        yield month, as_given, {"rows": rows}


def offers_of_spans(
    gpu_price_rolling: pl.LazyFrame, candidates: pl.LazyFrame, offer_availability: pl.LazyFrame, as_of: date
) -> Iterator[pl.DataFrame]:
    """The rows of all days with their windows, some days at a time: a window that is empty falls back on what the days before knew."""
    places = places_of(candidates).collect().lazy()
    numbered = candidates.join(places, on=PLACE, nulls_equal=True).select("series_id", "series", "size", "place").collect().lazy()
    said = offer_availability.join(numbered, on="series_id").select("stated_on", "offer_state", series_id="series").collect().lazy()
    if first_day(gpu_price_rolling) is None:
        return
    known: pl.LazyFrame | None = None
    for days in spans(gpu_price_rolling, as_of, ROWS_AT_ONCE, across_months=True):
        # One stage after the other: a single plan would compute shared stages side by side, and hold all of them.
        priced = that_can_be_had(in_numbers(days.of(gpu_price_rolling), numbered), said, "series").collect().lazy()
        in_window = cheapest_in_window(priced).collect().lazy()
        known = known_by(priced, known).collect().lazy()
        carried = that_can_be_had(last_known(days, in_window, known), said, "series").collect().lazy()
        yield of_offers(pl.concat([in_window, carried]), candidates, places).sort(KEY, nulls_last=True).collect()


def of_offers(offers: pl.LazyFrame, candidates: pl.LazyFrame, places: pl.LazyFrame) -> pl.LazyFrame:
    """The offers of some days with the names of their places and series, beside the market that each is of."""
    offers = offers.with_columns(price_age_days=(pl.col("on_date") - pl.col("price_as_of_on")).dt.total_days())
    in_markets = offers.join(places.select("place", "market", "seller"), on="place")
    quartiles = [f"{name}_usd_per_gpu_hour" for name in quartile_places(pl.len())]
    return (
        in_markets.join(market(in_markets), on=MARKET, how="left")
        .with_columns(pl.col("seller_count").fill_null(0))
        .join(places.select("place", *PLACE), on="place")
        .join(candidates.select("series", "gpu_count", price_series_id="series_id"), on="series")
        .select(
            "on_date",
            "window_days",
            "gpu",
            "min_gpu_count",
            "option",
            "country",
            "provider",
            "price_series_id",
            "price_basis",
            "price_as_of_on",
            "price_age_days",
            "covered_share",
            (pl.col("covered_share") < THIN_BELOW).fill_null(True).alias("is_thin"),
            "gpu_count",
            pl.col("gpu_count").is_null().alias("is_per_gpu_price"),
            "low_usd_per_gpu_hour",
            "base_usd_per_gpu_hour",
            "high_usd_per_gpu_hour",
            "seller_count",
            *quartiles,
        )
    )


def market(offers: pl.LazyFrame) -> pl.LazyFrame:
    """Sellers and quartiles of each day, window, least size and market (a device, a way of buying): each seller once, with its cheapest
    country.

    Prices of more than a year are nobody's offer any more and do not count.
    """
    asked = pl.col("base_usd_per_gpu_hour").sort()
    places = quartile_places(pl.len().cast(pl.Int64))
    return (
        offers.filter(pl.col("price_age_days") <= LONGEST_AGE_DAYS)
        .group_by([*MARKET, "seller"])
        .agg(pl.col("base_usd_per_gpu_hour").min())
        .group_by(MARKET)
        .agg(
            pl.len().cast(pl.Int64).alias("seller_count"),
            *(asked.get(place).alias(f"{name}_usd_per_gpu_hour") for name, place in places.items()),
        )
    )


def candidate_series(price_series: pl.LazyFrame, throughput: pl.LazyFrame) -> pl.LazyFrame:
    """Series of a measured device that known sellers list, each with the greatest least size that it satisfies; numbered by their ids.

    A price per GPU without a machine satisfies every size: it is compared per GPU, and marked.
    """
    months = pl.col("commitment_months").cast(pl.String)
    option = pl.when(pl.col("purchase_option") == "commitment").then("commitment_" + months + "_months").otherwise("purchase_option")
    count = pl.col("gpu_count").fill_null(SIZES[-1])
    size = pl.max_horizontal(pl.when(count >= size).then(pl.lit(size, dtype=pl.Int64)) for size in SIZES)
    is_compared = pl.col("trust_tier").is_in(PROFESSIONAL) & ~pl.col("purchase_option").is_in(NOT_COMPARED)
    return (
        price_series.filter((count >= 1) & is_compared)
        .join(throughput.select("gpu").unique(), on="gpu", how="semi")
        .select("series_id", "gpu", size.alias("size"), option.alias("option"), "country", "provider", "gpu_count")
        .sort("series_id")
        .with_row_index("series")
    )


def places_of(candidates: pl.LazyFrame) -> pl.LazyFrame:
    """Each place of the candidates with the numbers of the place, of its market and of its seller."""
    of_market = pl.struct("gpu", "option").rank("dense").alias("market")
    return (
        candidates.select(PLACE)
        .unique()
        .sort(PLACE)
        .with_row_index("place")
        .with_columns(of_market, pl.col("provider").rank("dense").alias("seller"))
    )


def in_numbers(gpu_price_rolling: pl.LazyFrame, numbered: pl.LazyFrame) -> pl.LazyFrame:
    """The windows of the candidates, with numbers instead of names."""
    return gpu_price_rolling.join(numbered, on="series_id").select(
        "on_date",
        "window_days",
        "place",
        "size",
        "series",
        "mean_usd_per_gpu_hour",
        "min_usd_per_gpu_hour",
        "max_usd_per_gpu_hour",
        "last_usd_per_gpu_hour",
        "last_covered_on",
        "last_observed_on",
        "covered_share",
    )


def cheapest(priced: pl.LazyFrame, moment: list[str], price: str) -> pl.LazyFrame:
    """The row with the least price of each moment and group; the series' id decides between equals.

    First among machines of a size, then among all that satisfy each least size: the first step keeps the second small.
    """
    sizes = pl.LazyFrame({"min_gpu_count": SIZES}, schema={"min_gpu_count": pl.Int64})
    return (
        priced.sort(price, "series")
        .unique([*moment, "place", "size"], keep="first", maintain_order=True)
        .join(sizes, how="cross")
        .filter(pl.col("size") >= pl.col("min_gpu_count"))
        .sort(price, "series")
        .unique([*moment, *GROUP], keep="first", maintain_order=True)
    )


def cheapest_in_window(priced: pl.LazyFrame) -> pl.LazyFrame:
    """The series with the least mean of each day, window and group."""
    return cheapest(priced, ["on_date", "window_days"], "mean_usd_per_gpu_hour").select(
        "on_date",
        "window_days",
        *GROUP,
        "series",
        pl.lit("window").alias("price_basis"),
        pl.col("last_observed_on").alias("price_as_of_on"),
        "covered_share",
        pl.col("min_usd_per_gpu_hour").alias("low_usd_per_gpu_hour"),
        pl.col("mean_usd_per_gpu_hour").alias("base_usd_per_gpu_hour"),
        pl.col("max_usd_per_gpu_hour").alias("high_usd_per_gpu_hour"),
    )


def known_by(priced: pl.LazyFrame, before: pl.LazyFrame | None) -> pl.LazyFrame:
    """The prices that a group may fall back on in some days: of each day on which one was covered last the cheapest.

    `priced`: the windows of the days; `before`: what this gave for the days before, of which the last of each group still matters.
    """
    found = cheapest(priced, ["last_covered_on"], "last_usd_per_gpu_hour").select(
        *GROUP, "last_covered_on", "series", "last_usd_per_gpu_hour", price_as_of_on="last_observed_on"
    )
    if before is None:
        return found
    last = before.sort("last_covered_on").unique(GROUP, keep="last", maintain_order=True)
    # What was covered on one day is compared whenever it was said.
    both = pl.concat([last, found]).sort("last_usd_per_gpu_hour", "series")
    return both.unique([*GROUP, "last_covered_on"], keep="first", maintain_order=True)


def last_known(days: Days, in_window: pl.LazyFrame, known: pl.LazyFrame) -> pl.LazyFrame:
    """For those of the days after a group's first price on which its window holds none: the price known last, the cheapest of that day."""
    wanted = (
        known.group_by(GROUP)
        .agg(pl.col("last_covered_on").min().alias("first"))
        .with_columns(on_date=pl.date_ranges(pl.max_horizontal("first", pl.lit(days.first)), pl.lit(days.last)))
        .explode("on_date", empty_as_null=False)
        .drop("first")
        .join(pl.LazyFrame({"window_days": WINDOWS_DAYS}, schema={"window_days": pl.Int64}), how="cross")
    )
    missing = wanted.join(in_window, on=["on_date", "window_days", *GROUP], how="anti")
    price = pl.col("last_usd_per_gpu_hour")
    return (
        missing.sort("on_date")
        .join_asof(
            known.sort("last_covered_on"),
            left_on="on_date",
            right_on="last_covered_on",
            by=GROUP,
            strategy="backward",
            coalesce=False,
            check_sortedness=False,
        )
        .select(
            "on_date",
            "window_days",
            *GROUP,
            "series",
            pl.lit("last_known").alias("price_basis"),
            "price_as_of_on",
            pl.lit(None, dtype=pl.Float64).alias("covered_share"),
            price.alias("low_usd_per_gpu_hour"),
            price.alias("base_usd_per_gpu_hour"),
            price.alias("high_usd_per_gpu_hour"),
        )
    )
