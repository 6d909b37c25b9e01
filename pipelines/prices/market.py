"""What a seller asks: which of its offers speak for it on a day, and the quartiles over sellers.

Belongs here: one seller, one vote, for every table that compares sellers. Does not belong here: which offers are of one market (the
tables themselves), how long a price holds (`pipelines.history`).
"""

from __future__ import annotations

import polars as pl

# Tiers whose operator a buyer knows; community and unverified hosts are a market of their own.
PROFESSIONAL = ("datacenter", "secure")
# Ways of buying that are not compared with renting by the hour: no list price, no machine of one's own, or no stated length.
NOT_COMPARED = ("reserved", "serverless", "marketplace")
# A price that was last seen longer ago is nobody's offer any more.
LONGEST_AGE_DAYS = 365
# What a seller showed last stands for it; offers that it had not shown for this much longer by then were withdrawn or renamed.
WITHDRAWN_AFTER_DAYS = 45
# Sources that repeat what sellers say elsewhere, whether a person or a programme read it.
THIRD_PARTY_SOURCES = ("archive_aggregators_2026", "gpu_rental_prices", "gpuhunt", "skypilot_catalog", "us_ai_infra")


def third_party_series(price_history: pl.LazyFrame) -> pl.LazyFrame:
    """Ids of the series of which only pages about sellers speak."""
    only = pl.col("source").is_in(THIRD_PARTY_SOURCES).all()
    return price_history.group_by("series_id").agg(only.alias("__only")).filter("__only").select("series_id")


def offers_that_speak(offers: pl.LazyFrame, market: list[str]) -> pl.LazyFrame:
    """The offers that speak for their seller in its market: of `seller`, `is_current`, `is_third_party`, `seen_on` and the `market` keys.

    Prices that hold speak before those last known, and a seller's own pages before pages about it; a fresh price of one seller hides
    nothing of another. Of last-known prices those speak that were seen when the seller was last heard of, or not long before.
    """
    rank = pl.when("is_third_party").then(2).otherwise(0) + pl.when("is_current").then(0).otherwise(1)
    best = pl.col("__rank").min().over([*market, "seller"])
    newest = pl.col("seen_on").max().over([*market, "seller"])
    return (
        offers.with_columns(__rank=rank)
        .filter(pl.col("__rank") == best)
        .filter(pl.col("is_current") | ((newest - pl.col("seen_on")).dt.total_days() <= WITHDRAWN_AFTER_DAYS))
        .drop("__rank")
    )


def quartile_places(count: pl.Expr) -> dict[str, pl.Expr]:
    """Places from 0 of the quartiles among `count` sorted prices: each is a price that somebody asks (nearest rank from below)."""
    return {
        "market_p25": (count + 3) // 4 - 1,
        "market_median": (count - 1) // 2,
        "market_p75": (3 * count + 3) // 4 - 1,
    }
