"""Latitude.sh's page of prices: bare-metal machines with GPUs by country, by the hour and by the month.

The plans stand in the data that the page is drawn with, as JSON whose quotation marks are escaped once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import polars as pl

from pipelines.sources.lib.countries import COUNTRIES
from pipelines.sources.lib.decode import as_text, field_of, parser
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.fetching import one_answer
from pipelines.sources.lib.html import read_html
from pipelines.sources.lib.offers import OFFER_TABLE, offers
from pipelines.sources.lib.source import FetchContext, Payload, Source

SOURCE = Source(
    title="Latitude.sh pricing page",
    homepage="https://www.latitude.sh/pricing",
    licence="public price list; figures with attribution",
    semantics="reading",
    precedence=200,
    base_url="https://www.latitude.sh",
    table=OFFER_TABLE,
    certainty="recorded",
    checked_on=date(2026, 8, 22),
    rows_at_least=3,
    gives="prices of bare-metal machines with GPUs by country, by the hour and by the month",
)
_WHAT = "page of prices"
_PLAN = '{\\"id\\":\\"plan_'
_STOCK = {"unavailable": "none", "low": "scarce", "medium": "available", "high": "available"}
_PERIODS = {"hour": ("on_demand", "instance_hour"), "month": ("dedicated_month", "instance_month")}


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The page."""
    return one_answer(context, "pricing.html", "/pricing")


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per machine with GPUs, country and period; null and 0 are both "not sold". Raises ParseError."""
    read_html(content, _WHAT)  # a page that is cut off is none
    plans = list(_plans(content.decode("utf-8")))
    machines = [plan for plan in plans if field_of(plan, "attributes.specs.gpu.count")]
    if not machines:
        raise ParseError(f"{_WHAT}: none of {len(plans)} plans has GPUs at attributes.specs.gpu.count")
    # A plan stands there several times; where its amounts differ none is chosen, and the rules put them aside.
    found = {tuple(offer.values()): offer for plan in machines for offer in _offers(plan)}
    if not found:
        raise ParseError(f"{_WHAT}: none of {len(machines)} machines with GPUs has a price in US dollars")
    return offers(found.values(), provider="latitude", currency="USD")


def _plans(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder()
    for start in re.finditer(re.escape(_PLAN), text):
        # A plan that is cut off or of another form is none; the count of those with GPUs notices a page that changed.
        end = text.find(_PLAN, start.end())
        plain = text[start.start() : end if end >= 0 else len(text)].replace('\\"', '"')
        try:
            yield decoder.raw_decode(plain)[0]
        except ValueError:
            continue


def _offers(plan: Any) -> Iterator[dict[str, object]]:
    gpu = field_of(plan, "attributes.specs.gpu")
    regions = field_of(plan, "attributes.regions")
    for region in regions if isinstance(regions, list) else []:
        place = as_text(field_of(region, "name"))
        for period, (option, unit) in _PERIODS.items():
            amount = field_of(region, f"pricing.USD.{period}")
            if not amount:
                continue
            level = as_text(field_of(region, "stock_level"))
            yield {
                "sku": field_of(plan, "attributes.slug"),
                "instance_type": field_of(plan, "attributes.slug"),
                "region": place,
                "country_stated": COUNTRIES.get((place or "").lower()),
                "gpu_as_named": field_of(gpu, "type"),
                "gpu_count_stated": field_of(gpu, "count"),
                "gpu_memory_gib_stated": field_of(gpu, "vram_per_gpu"),
                "purchase_option": option,
                "stock": _STOCK.get(level or "", level),
                "price_unit": unit,
                "native_amount": str(amount),
            }
