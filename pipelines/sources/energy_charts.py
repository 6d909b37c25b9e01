"""Day-ahead prices of electricity by bidding zone from energy-charts.info, as means of days: how prices vary, and nobody's invoice."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl

from pipelines.sources.lib.decode import as_text, field_of, list_of, number_of, parser, read_json
from pipelines.sources.lib.electricity import ELECTRICITY_TABLE, electricity_prices, electricity_readings, mean_of_day
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.fetching import each_answer
from pipelines.sources.lib.http import Request
from pipelines.sources.lib.source import FetchContext, Payload, Source

# Bidding zones, and the country that each stands for.
_ZONES = {
    "AT": "AT",
    "BE": "BE",
    "CH": "CH",
    "DE-LU": "DE",
    "ES": "ES",
    "FI": "FI",
    "FR": "FR",
    "IT-North": "IT",
    "NL": "NL",
    "NO2": "NO",
    "PL": "PL",
    "SE3": "SE",
}

SOURCE = Source(
    title="energy-charts.info day-ahead prices",
    homepage="https://www.energy-charts.info/",
    licence="CC BY 4.0 for most zones; the answer says it for each",
    attribution="Source: energy-charts.info, Fraunhofer ISE",
    semantics="reading",
    base_url="https://api.energy-charts.info",
    table=ELECTRICITY_TABLE,
    certainty="documented",
    checked_on=date(2026, 11, 23),
    rows_at_least=6,
    gives="means of a day's wholesale prices of electricity in twelve European countries",
    staleness_days={"electricity": 7},
)
# Hours cost several times as much as others: a mean over some of them is no mean of the day.
_LEAST_KNOWN_SHARE = 0.95
_WHAT = "prices of a day"


def fetch(context: FetchContext) -> Iterable[Payload]:
    """Yesterday's prices of each zone; the answer does not name its zone, so it is stored in an envelope that does."""
    day = (context.as_of - timedelta(days=1)).isoformat()
    asked = {zone: Request(context.base_url + "/price", [("bzn", zone), ("start", day), ("end", day)]) for zone in _ZONES}
    for payload in each_answer(context, asked):
        content = json.dumps({"zone": payload.name, "answer": payload.content.decode("utf-8", "replace")}).encode()
        yield Payload(payload.name, payload.url, content, payload.fetched_at, payload.status, payload.etag)


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One row: the mean of the day. Raises ParseError."""
    envelope = read_json(content, _WHAT)
    zone, body = as_text(field_of(envelope, "zone")), field_of(envelope, "answer")
    if zone not in _ZONES or not isinstance(body, str):
        raise ParseError(f"{_WHAT}: expected a zone that is asked for and its answer, found {zone!r}")
    answer = read_json(body.encode(), f"{_WHAT}, {zone}")
    times, prices = (list_of(answer, name, _WHAT) for name in ("unix_seconds", "price"))
    known = [price for price in (number_of(as_text(p)) for p in prices) if price is not None]
    if not known or len(times) != len(prices) or not all(isinstance(time, int) for time in times):
        raise ParseError(f"{_WHAT}: expected as many prices as times, found {len(known)} and {len(times)}")
    if len(known) < _LEAST_KNOWN_SHARE * len(prices):
        raise ParseError(f"{_WHAT}: {len(known)} of {len(prices)} prices of {zone} are known, too few for the mean of a day")
    if field_of(answer, "unit") != "EUR / MWh":
        raise ParseError(f"{_WHAT}: unit is {as_text(field_of(answer, 'unit'))!r}, expected EUR / MWh")
    # The middle of the day lies in it in every time zone.
    day = datetime.fromtimestamp(times[len(times) // 2], UTC).date()
    return electricity_readings([mean_of_day(_ZONES[zone], day, map(Decimal, known), "EUR")])


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed electricity."""
    return electricity_prices(raw, SOURCE)
