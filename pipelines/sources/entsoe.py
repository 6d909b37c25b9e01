"""Day-ahead prices of electricity by bidding zone from ENTSO-E, as means of days, with the account's own token."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from xml.etree import ElementTree

import polars as pl

from pipelines.sources.lib.decode import number_of, parser
from pipelines.sources.lib.electricity import ELECTRICITY_TABLE, electricity_prices, electricity_readings, mean_of_day, reading_of_day
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.fetching import each_answer
from pipelines.sources.lib.http import Request
from pipelines.sources.lib.source import FetchContext, Payload, Source

_ZONES = {
    "10YAT-APG------L": "AT",
    "10YBE----------2": "BE",
    "10YCH-SWISSGRIDZ": "CH",
    "10Y1001A1001A82H": "DE",
    "10YES-REE------0": "ES",
    "10YFI-1--------U": "FI",
    "10YFR-RTE------C": "FR",
    "10Y1001A1001A73I": "IT",
    "10YNL----------L": "NL",
    "10YNO-2--------T": "NO",
    "10YPL-AREA-----S": "PL",
    "10Y1001A1001A46L": "SE",
}

SOURCE = Source(
    title="ENTSO-E day-ahead prices",
    homepage="https://transparency.entsoe.eu/",
    licence="ENTSO-E terms of use; figures with attribution",
    attribution="Source: ENTSO-E transparency platform",
    semantics="reading",
    base_url="https://web-api.tp.entsoe.eu",
    credentials=("ENTSOE_TOKEN",),
    table=ELECTRICITY_TABLE,
    tier=2,
    certainty="documented",
    checked_on=date(2026, 11, 23),
    rows_at_least=6,
    gives="means of a day's wholesale prices of electricity in twelve European countries",
    staleness_days={"electricity": 7},
)
_WHAT = "document of prices"
_RESOLUTION = re.compile(r"^PT([0-9]+)M$")
# Bytes; a day of quarter-hours has less than a tenth of this.
_LONGEST = 4_000_000


def fetch(context: FetchContext) -> Iterable[Payload]:
    """Yesterday's document of each zone."""
    day = context.as_of - timedelta(days=1)
    # The day of Central European Time begins at 22 or 23 UTC of the day before; the platform gives the whole days that are touched.
    span = [("periodStart", f"{day:%Y%m%d}0000"), ("periodEnd", f"{day:%Y%m%d}2200")]
    token = [("securityToken", context.credentials["ENTSOE_TOKEN"])]
    asked = {
        country: Request(
            context.base_url + "/api", [("documentType", "A44"), ("in_Domain", zone), ("out_Domain", zone), *span], secret_params=token
        )
        for zone, country in _ZONES.items()
    }
    return each_answer(context, asked)


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One row per day: the mean of its prices, those that repeat and are left out filled in. Raises ParseError."""
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content or len(content) > _LONGEST:
        raise ParseError(f"{_WHAT}: a document with a type of its own, or of more than {_LONGEST:,} bytes")
    try:
        root = ElementTree.fromstring(content)  # noqa: S314  (entities are refused above)
    except ElementTree.ParseError as error:
        raise ParseError(f"{_WHAT}: not readable as XML: {error}") from error
    if not root.tag.endswith("Publication_MarketDocument"):
        raise ParseError(f"{_WHAT}: {root.tag.rpartition('}')[2]}, expected Publication_MarketDocument")
    found = {row["period_from_on"]: row for series in _all(root, "TimeSeries") for row in _rows(series)}
    if not any(found):
        raise ParseError(f"{_WHAT}: no series of a zone that is asked for with prices")
    return electricity_readings(found.values())


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed electricity."""
    return electricity_prices(raw, SOURCE)


def _rows(series: ElementTree.Element) -> Iterator[dict[str, object]]:
    area, currency = _ZONES.get(_text(series, "in_Domain.mRID")), _text(series, "currency_Unit.name")
    for period in _all(series, "Period"):
        step, start, end = _RESOLUTION.match(_text(period, "resolution")), _time(period, "start"), _time(period, "end")
        stated = {int(_text(p, "position") or 0): number_of(_text(p, "price.amount")) for p in _all(period, "Point")}
        if area is None or not currency or step is None or stated.get(1) is None:
            continue
        if start is None or end is None:
            amount = f"no mean with a period from {_text(period, 'start') or 'nowhere'} to {_text(period, 'end') or 'nowhere'}"
            yield reading_of_day(area, None, amount, currency)
            continue
        prices: list[Decimal] = []
        for position in range(1, int((end - start).total_seconds() // 60) // int(step.group(1)) + 1):
            price = stated.get(position)
            prices.append(prices[-1] if price is None else price)
        yield mean_of_day(area, (start + (end - start) / 2).date(), prices, currency)


def _all(node: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    """Elements within by local name: the version of the namespace changes."""
    return [element for element in node.iter() if element.tag.rpartition("}")[2] == name]


def _text(node: ElementTree.Element, name: str) -> str:
    return next(((element.text or "").strip() for element in _all(node, name)), "")


def _time(period: ElementTree.Element, name: str) -> datetime | None:
    try:
        return datetime.strptime(_text(period, name), "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
    except ValueError:
        return None
