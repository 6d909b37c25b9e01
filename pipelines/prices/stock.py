"""What can be had: the stock that sources state of a price series, day by day.

Belongs here: which series cannot be bought on which days. Does not belong here: what a price is, which series are compared
(`pipelines.prices.market`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

# A list price without a machine, and one to ask for.
NOT_TO_BE_HAD = ("none", "on_request")


def stock_by_day(all_observation: pl.LazyFrame, price_series: pl.LazyFrame, as_of: date, key: Sequence[str]) -> pl.LazyFrame:
    """`series_id`, `stated_on`, `stock`: what was said of each series, day by day; only of series that were lacking once.

    `key`: the columns that identify a series.
    """
    stated = (
        all_observation.filter(pl.col("stock").is_not_null() & (pl.col("known_from").dt.date() <= as_of))
        .sort("last_confirmed_at", "precedence", "stock", descending=[True, False, False])
        .select(*key, "stock", pl.col("last_confirmed_at").dt.date().alias("stated_on"))
        .unique([*key, "stated_on"], keep="first", maintain_order=True)
    )
    lacked = pl.col("stock").is_in(NOT_TO_BE_HAD).any().over("series_id")
    known = price_series.select("series_id", *key)
    return stated.join(known, on=key, how="inner", nulls_equal=True).filter(lacked).select("series_id", "stated_on", "stock")


def that_can_be_had(rows: pl.LazyFrame, stock: pl.LazyFrame, series: str = "series_id") -> pl.LazyFrame:
    """Rows of days (`on_date`) on which their series could be bought, as was said last by then. Rows of which nobody says stay."""
    doubtful = stock.select(pl.col("series_id").alias(series)).unique()
    said = stock.rename({"series_id": series}).sort("stated_on")
    judged = (
        rows.join(doubtful, on=series, how="semi")
        .sort("on_date")
        .join_asof(said, left_on="on_date", right_on="stated_on", by=series, strategy="backward", coalesce=False, check_sortedness=False)
        .filter(~pl.col("stock").is_in(NOT_TO_BE_HAD).fill_null(False))
        .drop("stated_on", "stock")
    )
    return pl.concat([rows.join(doubtful, on=series, how="anti"), judged])


def periods_that_can_be_had(periods: pl.LazyFrame, stock: pl.LazyFrame) -> pl.LazyFrame:
    """Periods (`from_on` up to, not including, `end_on`) without the days on which their series (`series_id`) could not be bought.

    Periods of a series that was lacking once come back day by day: they are few.
    """
    doubtful = stock.select("series_id").unique()
    by_day = (
        periods.join(doubtful, on="series_id", how="semi")
        .with_columns(on_date=pl.date_ranges("from_on", "end_on", closed="left"))
        .explode("on_date", empty_as_null=False)
    )
    left = that_can_be_had(by_day, stock).with_columns(from_on="on_date", end_on=pl.col("on_date").dt.offset_by("1d")).drop("on_date")
    return pl.concat([periods.join(doubtful, on="series_id", how="anti"), left])
