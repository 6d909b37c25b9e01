"""Dollars in euros, day by day.

Belongs here: which reference rate a day's figures are converted at. Does not belong here: prices in other currencies on their way in
(`staging.price_observation`).
"""

from __future__ import annotations

import polars as pl


def eur_per_usd_of_days(frame: pl.LazyFrame, fx_rate: pl.LazyFrame) -> pl.LazyFrame:
    """Each `on_date` of the frame once, with `eur_per_usd` at the last reference rate known by then, of `fx_on_date`."""
    dollar = (
        fx_rate.filter(pl.col("currency") == "USD")
        # To be multiplied by: polars divides by a column that is constant in a chunk as by a number, which differs in the last bit.
        .select(pl.col("on_date").alias("fx_on_date"), (1 / pl.col("units_per_eur")).alias("eur_per_usd"))
        .sort("fx_on_date")
    )
    days = frame.select("on_date").unique().sort("on_date")
    return days.join_asof(dollar, left_on="on_date", right_on="fx_on_date", strategy="backward", coalesce=False, check_sortedness=False)
