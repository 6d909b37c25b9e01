"""What each source stated of a rate, with what a statement is held against."""

from datetime import date

import polars as pl

from pipelines.economics.guards import quotient

FIRST_DAY = date(2020, 1, 1)
# A rate is compared with the median of its source's own days around it: so a day that stands out is found, not the day after it.
NEIGHBOUR_DAYS = 7
MONEY = pl.Decimal(18, 8)
STATEMENT = ["source", "currency", "on_date", "units_per_eur"]


def currency_rate_reading(all_fx: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """One row per source, currency, day and rate stated for it; of a rate that was stated again, with the first and the last time.

    What ships with the project is the second source: its rates are as old as its release, and were looked at when it was taken. Nothing
    is held against its own rates.
    """
    stated = (
        all_fx.filter(pl.col("on_date").is_between(FIRST_DAY, as_of) & (pl.col("known_from").dt.date() <= as_of))
        .with_columns(pl.col("units_per_eur").cast(MONEY, strict=False))
        .with_columns(__rate=pl.col("units_per_eur").cast(pl.Float64))
        .sort("source", "fetched_at", "snapshot_sha256", "currency", "on_date")
    )
    neighbours = pl.col("__rate").median().rolling("on_date", period=f"{2 * NEIGHBOUR_DAYS + 1}d", offset=f"-{NEIGHBOUR_DAYS + 1}d")
    readings = (
        stated.with_columns(__neighbours=neighbours.over("source", "fetched_at", "snapshot_sha256", "currency"))
        .group_by(STATEMENT, maintain_order=True)
        .agg(
            pl.col("fetched_at").first().alias("first_stated_at"),
            pl.col("fetched_at").last().alias("last_stated_at"),
            pl.col(
                "__rate", "__neighbours", "precedence", "known_from", "source_detail", "source_url", "licence", "snapshot_sha256"
            ).last(),
        )
        .with_columns(is_superseded=pl.col("last_stated_at") < pl.col("last_stated_at").max().over("source", "currency", "on_date"))
    )
    # The second source is the one with the last word where there are several.
    is_second = pl.col("precedence") == pl.col("precedence").max()
    second = readings.filter(is_second & (pl.col("precedence").n_unique() > 1) & ~pl.col("is_superseded") & (pl.col("__rate") > 0))
    same_day = second.select("currency", "on_date", __same_day="__rate")
    last_known = second.select("currency", "on_date", __second_on="on_date", __second="__rate").sort("on_date")
    first = pl.col("precedence") < pl.col("precedence").max()
    return (
        readings.join(same_day, on=["currency", "on_date"], how="left")
        .sort("on_date")
        .join_asof(last_known, on="on_date", by="currency", strategy="backward", check_sortedness=False)
        .with_columns(
            rate_to_neighbours_ratio=pl.when(first).then(quotient(pl.col("__rate"), pl.col("__neighbours"))),
            rate_to_second_source_ratio=pl.when(first).then(quotient(pl.col("__rate"), pl.col("__same_day"))),
            rate_to_last_second_ratio=pl.when(first).then(quotient(pl.col("__rate"), pl.col("__second"))),
            second_source_age_days=pl.when(first).then((pl.col("on_date") - pl.col("__second_on")).dt.total_days()),
        )
        .select(
            *STATEMENT,
            "is_superseded",
            "first_stated_at",
            "last_stated_at",
            "rate_to_neighbours_ratio",
            "rate_to_second_source_ratio",
            "rate_to_last_second_ratio",
            "second_source_age_days",
            "precedence",
            "known_from",
            "source_detail",
            "source_url",
            "licence",
            "snapshot_sha256",
        )
    )
