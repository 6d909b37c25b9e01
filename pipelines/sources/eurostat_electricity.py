"""Eurostat's half-yearly electricity prices of companies by country and size of consumption, without VAT and other taxes paid back.

The answer is JSON-stat: values by one running number over all dimensions, the last of which varies fastest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import product
from typing import Any

import polars as pl

from pipelines.sources.lib.decode import as_text, field_of, parser, read_json
from pipelines.sources.lib.electricity import ELECTRICITY_TABLE, electricity_prices, electricity_readings
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.fetching import one_answer
from pipelines.sources.lib.source import FetchContext, Payload, Source

SOURCE = Source(
    title="Eurostat nrg_pc_205",
    homepage="https://ec.europa.eu/eurostat/databrowser/view/nrg_pc_205",
    licence="Eurostat, reuse with attribution",
    attribution="Source: Eurostat",
    semantics="table",
    base_url="https://ec.europa.eu",
    table=ELECTRICITY_TABLE,
    certainty="documented",
    checked_on=date(2026, 11, 23),
    rows_at_least=20,
    gives="electricity prices of companies by country and half-year, for 2 to 70 GWh a year, without VAT",
)
_WHAT = "table of prices"
# A site of 1 MW takes about 10 GWh a year, one of 5 MW about 50. The total over all bands ended with 2024 and is never asked for.
_BANDS = {"MWH2000-19999": "non_household_2_to_20_gwh", "MWH20000-69999": "non_household_20_to_70_gwh"}
_PERIODS = 6
_HALF_YEAR = re.compile(r"^([0-9]{4})-S([12])$")
# Eurostat's own codes of two countries.
_COUNTRIES = {"EL": "GR", "UK": "GB"}
_NEEDED = ("nrg_cons", "geo", "time", "currency")


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The last half-years of all countries."""
    asked = [("format", "JSON"), ("lang", "EN"), ("freq", "S"), ("product", "6000"), ("unit", "KWH"), ("tax", "X_VAT"), ("currency", "EUR")]
    bands = [("nrg_cons", band) for band in _BANDS]
    path = "/eurostat/api/dissemination/statistics/1.0/data/nrg_pc_205"
    return one_answer(context, "nrg_pc_205.json", path, [*asked, *bands, ("lastTimePeriod", str(_PERIODS))])


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One row per country, band and half-year with a value; a missing key is no data. Raises ParseError."""
    document = read_json(content, _WHAT)
    names, sizes, values = (field_of(document, key) for key in ("id", "size", "value"))
    if not isinstance(names, list) or not isinstance(sizes, list) or not isinstance(values, dict) or len(names) != len(sizes):
        raise ParseError(f"{_WHAT}: expected id and size of one length, and value")
    if any(n not in names for n in _NEEDED) or not all(isinstance(name, str) for name in names):
        raise ParseError(f"{_WHAT}: expected id with {', '.join(_NEEDED)}, size and value")
    positions = [_codes(document, name, size) for name, size in zip(names, sizes, strict=True)]
    rows = list(_rows(names, positions, values))
    if not rows:
        raise ParseError(f"{_WHAT}: no value of a band that is asked for")
    return electricity_readings(rows)


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed electricity."""
    return electricity_prices(raw, SOURCE)


def _codes(document: Any, name: str, size: Any) -> list[str]:
    index = field_of(field_of(document, "dimension"), name)
    codes = field_of(index, "category.index")
    if not isinstance(codes, dict) or len(codes) != size:
        raise ParseError(f"{_WHAT}: dimension {name} has no index of {size} codes")
    by_place = {as_text(place): code for code, place in codes.items()}
    places = [str(number) for number in range(len(codes))]
    # A place that is twice or nowhere would move every value behind it to another country or half-year.
    if set(by_place) != set(places):
        raise ParseError(f"{_WHAT}: dimension {name} has no code at each of its {size} places")
    return [by_place[place] for place in places]


def _rows(names: list[str], positions: list[list[str]], values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for number, codes in enumerate(product(*positions)):
        of, value = dict(zip(names, codes, strict=True)), as_text(values.get(str(number)))
        half = _HALF_YEAR.match(of["time"])
        if value is not None and half and of["nrg_cons"] in _BANDS:
            year, first = int(half.group(1)), half.group(2) == "1"
            yield {
                "area": _COUNTRIES.get(of["geo"], of["geo"]),
                "consumer_class": _BANDS[of["nrg_cons"]],
                "period_from_on": date(year, 1 if first else 7, 1),
                "period_to_on": date(year, 6, 30) if first else date(year, 12, 31),
                "native_per_kwh": value,
                "currency": of["currency"],
            }
