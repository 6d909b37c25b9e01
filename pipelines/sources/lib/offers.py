"""Offers: what a price source states, and the rows of feed `observation` that this makes.

Belongs here: the columns of raw table `offer`, the defaults of an observation. Does not belong here: what any source's fields mean,
money in other units or currencies (`pipelines.prices.normalization`).

A source states what it knows and nothing more: `observations(raw, SOURCE, provider="azure", sku="arm_sku_name", ...)`. A column that it
does not name is taken from the raw table where it stands there under the feed's name, and is the default otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from pipelines.sources.lib.companies import as_company
from pipelines.sources.lib.dates import day_of, unless_unread
from pipelines.sources.lib.decode import as_text, number_of
from pipelines.sources.lib.source import Source
from pipelines.sources.lib.terms import days_of, months_of

# The raw table that all sources share whose parser gives offers.
OFFER_TABLE = "offer"
# What a parser of such a source gives: every column as stated, all else NULL.
OFFER_SCHEMA: Mapping[str, type[pl.DataType]] = {
    "provider": pl.String,
    "seller": pl.String,
    "region": pl.String,
    "zone": pl.String,
    "country_stated": pl.String,
    "sku": pl.String,
    "instance_type": pl.String,
    "gpu_as_named": pl.String,
    "gpu_count_stated": pl.Float64,
    "gpu_memory_gib_stated": pl.Float64,
    "purchase_option_as_named": pl.String,
    "purchase_option": pl.String,
    "payment_option": pl.String,
    "commitment_months": pl.Int64,
    "commitment_days": pl.Int64,
    "tenancy": pl.String,
    "trust_tier": pl.String,
    "stock": pl.String,
    "currency": pl.String,
    "native_amount": pl.String,
    "price_unit": pl.String,
    "starts_on": pl.Date,
    "ends_on": pl.Date,
    "read_on": pl.Date,
}
_NUMBERS = {name: kind for name, kind in OFFER_SCHEMA.items() if kind in (pl.Float64, pl.Int64)}
_DATES = ("starts_on", "ends_on", "read_on")

# A commitment stated in days is one of so many whole months: 91 days are three, a week is none.
_DAYS_OF_A_MONTH = 30

_OBSERVATION = (
    "provider",
    "seller",
    "region",
    "zone",
    "country_stated",
    "sku",
    "instance_type",
    "gpu_as_named",
    "gpu_count_stated",
    "gpu_memory_gib_stated",
    "purchase_option",
    "purchase_option_as_named",
    "payment_option",
    "commitment_months",
    "commitment_days",
    "operating_system",
    "tenancy",
    "trust_tier",
    "stock",
    "currency",
    "native_amount",
    "price_unit",
    "first_seen_at",
    "last_confirmed_at",
    "known_from",
    "source_detail",
    "source_url",
    "licence",
    "snapshot_sha256",
)


def offers(rows: Iterable[Mapping[str, Any]], **everywhere: Any) -> pl.DataFrame:
    """Rows of raw table `offer` from what a source states of each; `everywhere` holds for all of them.

    A company has one name in all sources (`companies`). A number that is none becomes NULL, a place that is not stated is `all`, an option
    that is not named is on demand. A commitment may be stated as a text with its unit (`3 Years`, `P18M`, `2 weeks`), the days on which an
    offer starts and ends, and on which who publishes it has read it, as ISO 8601 writes them: an amount with a day in another form is put
    aside.
    """
    stated = list(rows)
    # Of all columns a source states a few, and of numbers few that differ: a list may be long.
    named: set[str] = set().union(*stated)
    table = {}
    for name in OFFER_SCHEMA:
        default = everywhere.get(name)
        table[name] = [as_text(row.get(name, default)) for row in stated] if name in named else [as_text(default)] * len(stated)
    numbers = {name: _numbers(table[name]) for name in _NUMBERS}
    term, days = pl.col("__term"), {name: day_of(pl.col(name)) for name in _DATES}
    frame = (
        pl.DataFrame(
            {**table, **numbers, "__term": table["commitment_months"]},
            schema={**OFFER_SCHEMA, **dict.fromkeys(_NUMBERS, pl.Float64), **dict.fromkeys((*_DATES, "__term"), pl.String)},
        )
        .with_columns(
            commitment_months=pl.coalesce("commitment_months", months_of(term).cast(pl.Float64)),
            commitment_days=pl.coalesce("commitment_days", days_of(term).cast(pl.Float64)),
        )
        .drop("__term")
    )
    return (
        frame.with_columns(pl.col(pl.String).str.strip_chars().replace("", None))
        .with_columns(provider=as_company("provider"), seller=pl.coalesce(as_company("seller"), as_company("provider")))
        .with_columns(
            *(_of_kind(pl.col(name), kind) for name, kind in _NUMBERS.items()),
            *days.values(),
            unless_unread("native_amount", days),
            region=pl.col("region").fill_null("all"),
            purchase_option=pl.col("purchase_option").fill_null("on_demand"),
            purchase_option_as_named=pl.coalesce("purchase_option_as_named", "purchase_option", pl.lit("on_demand")),
            # A part of the world is no country: with a code of one it would be a market of its own.
            country_stated=pl.col("country_stated").str.to_uppercase().replace(["UK", "EU"], ["GB", None]),
            tenancy=pl.col("tenancy").fill_null("shared"),
            trust_tier=pl.col("trust_tier").fill_null("datacenter"),
            currency=pl.col("currency").str.to_uppercase(),
            price_unit=pl.col("price_unit").fill_null("instance_hour"),
        )
        .with_columns(commitment_months=pl.coalesce("commitment_months", pl.col("commitment_days") // _DAYS_OF_A_MONTH))
    )


def _of_kind(number: pl.Expr, kind: type[pl.DataType]) -> pl.Expr:
    # Half a month is no month, and not none either: what is not whole is unknown.
    return pl.when((number == number.round()) if kind == pl.Int64 else pl.lit(True)).then(number).cast(kind, strict=False)


def _numbers(texts: list[str | None]) -> list[float | None]:
    known = {text: _number(text) for text in set(texts)}
    return [known[text] for text in texts]


def _number(text: str | None) -> float | None:
    found = number_of(text)
    return float(found) if found is not None and math.isfinite(float(found)) else None


def observations(raw: pl.LazyFrame, source: Source, **stated: pl.Expr | str) -> pl.LazyFrame:
    """Rows of feed `observation`: what is `stated` (an expression, or a text for all rows), what raw has by that name, else the default.

    The defaults: seller is the provider, no place but `all`, on demand, Linux on shared hardware of a data centre, US dollars for an
    hour of the machine, seen and confirmed when it was fetched, or on the day on which raw says that it was read. Where raw says from when
    and until when an offer holds, an announced one and one that has ended are none, and of several for one thing those stand that began
    last.
    """
    found = raw.collect_schema().names()
    text, number = pl.lit(None, dtype=pl.String), pl.lit(None, dtype=pl.Float64)
    defaults: dict[str, pl.Expr] = {
        "region": pl.lit("all"),
        "zone": text,
        "country_stated": text,
        "instance_type": text,
        "gpu_as_named": text,
        "gpu_count_stated": number,
        "gpu_memory_gib_stated": number,
        "purchase_option": pl.lit("on_demand"),
        "payment_option": text,
        "commitment_months": pl.lit(None, dtype=pl.Int64),
        "commitment_days": pl.lit(None, dtype=pl.Int64),
        "operating_system": pl.lit("linux"),
        "tenancy": pl.lit("shared"),
        "trust_tier": pl.lit("datacenter"),
        "stock": text,
        "currency": pl.lit("USD"),
        "price_unit": pl.lit("instance_hour"),
        "source_detail": pl.lit(source.title),
        "source_url": pl.lit(source.homepage or None, dtype=pl.String),
        "licence": pl.lit(source.licence),
    }

    def of(name: str) -> pl.Expr:
        if name in stated:
            value = stated[name]
            return (pl.lit(value) if isinstance(value, str) else value).alias(name)
        if name in found:
            return pl.col(name)
        return defaults[name].alias(name)

    defaults["seller"] = of("provider")
    defaults["purchase_option_as_named"] = of("purchase_option")
    known = pl.col("fetched_at")
    seen = pl.coalesce(pl.col("read_on").cast(pl.Datetime("us")), known) if "read_on" in found else known
    defaults |= {"first_seen_at": seen, "last_confirmed_at": seen, "known_from": known}
    in_force = _in_force(raw) if "starts_on" in found else raw
    return in_force.select(of(name) for name in _OBSERVATION)


_THING = ("provider", "seller", "region", "zone", "sku", "purchase_option", "payment_option", "commitment_months", "trust_tier", "currency")


def _in_force(raw: pl.LazyFrame) -> pl.LazyFrame:
    day, starts_on = pl.col("fetched_at").dt.date(), pl.col("starts_on")
    begun = raw.filter((starts_on.is_null() | (starts_on <= day)) & (pl.col("ends_on").is_null() | (pl.col("ends_on") >= day)))
    return begun.filter(starts_on.eq_missing(starts_on.max().over(*_THING, "fetched_at")))
