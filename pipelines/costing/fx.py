"""Dollars in euros, day by day.

Belongs here: which reference rate a day's figures are converted at. Does not belong here: prices in other currencies on their way in
(`staging.price_observation`).
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl


def eur_per_usd_by_day(fx_rate: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Each day from the first dollar rate to `as_of` with `eur_per_usd` at the last reference rate known by then, of `fx_on_date`."""
    dollar = (
        fx_rate.filter((pl.col("currency") == "USD") & (pl.col("on_date") <= as_of))
        # To be multiplied by: polars divides by a column that is constant in a chunk as by a number, which differs in the last bit.
        .select(pl.col("on_date").alias("fx_on_date"), (1 / pl.col("units_per_eur")).alias("eur_per_usd"))
        .sort("fx_on_date")
    )
    next_day = pl.col("fx_on_date").shift(-1).fill_null(as_of + timedelta(days=1))
    return dollar.with_columns(on_date=pl.date_ranges("fx_on_date", next_day, closed="left")).explode("on_date", empty_as_null=False)
