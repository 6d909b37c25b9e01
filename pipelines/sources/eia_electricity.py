"""Prices of electricity in the United States by month and state, of industry and commerce, with the account's own key."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.platform.clock import utc_now
from pipelines.sources.lib.decode import as_text, field_of, list_of, number_of, parser, read_json
from pipelines.sources.lib.electricity import ELECTRICITY_TABLE, electricity_prices, electricity_readings
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.http import Request
from pipelines.sources.lib.source import FetchContext, Payload, Source

SOURCE = Source(
    title="EIA retail sales of electricity",
    homepage="https://www.eia.gov/opendata/browser/electricity/retail-sales",
    licence="public domain (U.S. Energy Information Administration)",
    attribution="Source: U.S. Energy Information Administration",
    semantics="table",
    base_url="https://api.eia.gov",
    credentials=("EIA_API_KEY",),
    table=ELECTRICITY_TABLE,
    tier=2,
    certainty="recorded",
    checked_on=date(2026, 11, 23),
    rows_at_least=20,
    gives="monthly electricity prices of industry and commerce in the United States and each state",
)
_WHAT = "table of prices"
_SECTORS = {"IND": "industrial", "COM": "commercial"}
_MONTH = re.compile(r"^([0-9]{4})-(0[1-9]|1[0-2])$")
_CENTS = "cents per kilowatt-hour"
# 52 areas and two sectors for the last half-year, with room.
_ROWS = 700


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The newest months of all states."""
    asked = [("frequency", "monthly"), ("data[0]", "price"), *(("facets[sectorid][]", sector) for sector in _SECTORS)]
    order = [("sort[0][column]", "period"), ("sort[0][direction]", "desc"), ("offset", "0"), ("length", str(_ROWS))]
    key = [("api_key", context.credentials["EIA_API_KEY"])]
    answer = context.http.send(Request(f"{context.base_url}/v2/electricity/retail-sales/data/", [*asked, *order], secret_params=key))
    yield Payload("retail-sales.json", answer.url, answer.content, utc_now(), answer.status, answer.etag)


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One row per state, sector and month with a price. Raises ParseError."""
    rows = list_of(read_json(content, _WHAT), "response.data", _WHAT)
    found = list(_rows(rows))
    if not found:
        raise ParseError(f"{_WHAT}: none of {len(rows)} rows has a price in {_CENTS}")
    return electricity_readings(found)


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed electricity."""
    return electricity_prices(raw, SOURCE)


def _rows(rows: Iterable[Any]) -> Iterator[dict[str, Any]]:
    for row in rows:
        period, state = as_text(field_of(row, "period")) or "none", as_text(field_of(row, "stateid"))
        cents, sector = number_of(as_text(field_of(row, "price"))), as_text(field_of(row, "sectorid"))
        if state and re.fullmatch("[A-Z]{2}", state) and cents and sector in _SECTORS and field_of(row, "price-units") == _CENTS:
            month = _MONTH.match(period)
            first = date(int(month.group(1)), int(month.group(2)), 1) if month else None
            amount = format(cents / Decimal(100), "f")
            yield {
                "area": state if state == "US" else f"US-{state}",
                "consumer_class": _SECTORS[sector],
                "period_from_on": first,
                "period_to_on": first and first.replace(day=calendar.monthrange(first.year, first.month)[1]),
                "native_per_kwh": amount if first else f"{amount} with period {period}",
                "currency": "USD",
            }
