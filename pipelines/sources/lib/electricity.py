"""Electricity prices as services state them, and the rows of feed `electricity`.

Belongs here: the columns of raw table `electricity_reading`. Does not belong here: what any source's fields mean, other currencies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.sources.lib.source import Source

ELECTRICITY_TABLE = "electricity_reading"
# A price of the exchange: it shows how prices vary, and is nobody's invoice.
WHOLESALE = "wholesale_day_ahead"
# No European exchange settles below -500 or above 5,000 EUR a MWh; rule `within_the_limits_of_exchanges` has the same of the mean.
_LEAST_PER_MWH, _GREATEST_PER_MWH, _MOST_SHOWN = -600, 5_000, 3
ELECTRICITY_SCHEMA: Mapping[str, type[pl.DataType]] = {
    "area": pl.String,
    "consumer_class": pl.String,
    "period_from_on": pl.Date,
    "period_to_on": pl.Date,
    "native_per_kwh": pl.String,
    "currency": pl.String,
}


def electricity_readings(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows of raw table `electricity_reading`."""
    return pl.DataFrame([{name: row[name] for name in ELECTRICITY_SCHEMA} for row in rows], schema=ELECTRICITY_SCHEMA)


def mean_of_day(area: str, day: date, prices: Iterable[Decimal], currency: str) -> dict[str, Any]:
    """The reading of one day of an exchange: the mean of its prices per MWh, per kWh.

    A price beyond the limits of exchanges is said in the place of the mean: it would move it by as much as it likes.
    """
    found = list(prices)
    mean = sum(found, Decimal(0)) / len(found) / 1000
    beyond = [str(price) for price in found if not _LEAST_PER_MWH <= price <= _GREATEST_PER_MWH]
    amount = f"{mean:.8f} with {', '.join(beyond[:_MOST_SHOWN])} per MWh" if beyond else f"{mean:.8f}"
    return reading_of_day(area, day, amount, currency)


def reading_of_day(area: str, day: date | None, amount: str, currency: str) -> dict[str, Any]:
    """The reading of one day of an exchange, per kWh; without a day for what cannot be dated, whose `amount` says why."""
    return {
        "area": area,
        "consumer_class": WHOLESALE,
        "period_from_on": day,
        "period_to_on": day,
        "native_per_kwh": amount,
        "currency": currency,
    }


def electricity_prices(raw: pl.LazyFrame, source: Source) -> pl.LazyFrame:
    """Rows of feed `electricity`: of each area, class and period what was stated last."""
    key = ["area", "consumer_class", "period_from_on", "period_to_on"]
    latest = raw.sort("fetched_at").unique(key, keep="last", maintain_order=True)
    period = pl.concat_str(pl.lit(source.title), pl.lit(", "), "period_from_on", pl.lit(" to "), "period_to_on")
    return latest.select(
        *key,
        "native_per_kwh",
        "currency",
        pl.col("fetched_at").alias("known_from"),
        period.alias("source_detail"),
        pl.lit(source.homepage).alias("source_url"),
        pl.col("fetched_at").dt.date().alias("source_on"),
        pl.lit(source.licence).alias("licence"),
        "snapshot_sha256",
    )
