"""Verda's page of prices: on-demand and spot machines, in the data that it carries for search engines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import polars as pl

from pipelines.sources.lib.decode import as_text, field_of, parser, read_json
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.fetching import one_answer
from pipelines.sources.lib.html import read_html
from pipelines.sources.lib.offers import OFFER_TABLE, offers
from pipelines.sources.lib.source import FetchContext, Payload, Source

SOURCE = Source(
    title="Verda pricing page",
    homepage="https://verda.com/pricing",
    licence="public price list; figures with attribution",
    semantics="reading",
    precedence=210,
    base_url="https://verda.com",
    table=OFFER_TABLE,
    certainty="recorded",
    checked_on=date(2026, 8, 22),
    gives="on-demand and spot prices of machines in Finland and Iceland, a second word beside the service's own list",
)
_WHAT = "page of prices"
# "8x H100 SXM5 80GB spot": instant clusters and serverless containers are other products, a name without a count has no GPU.
_NAME = re.compile(r"^([0-9]+)x (.+) (on-demand|spot)$")


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The page."""
    return one_answer(context, "pricing.html", "/pricing")


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per machine and option; the count at the beginning of a name is that of its GPUs. Raises ParseError."""
    found = [item for item in _items(content) if item.get("@type") == "Offer"]
    rows = [row for item in found if (row := _offer(item)) is not None]
    if not rows:
        raise ParseError(f"{_WHAT}: none of {len(found)} offers is a machine by the hour; expected names as '8x H100 SXM5 80GB spot'")
    return offers(rows, provider="verda", price_unit="instance_hour")


def _items(content: bytes) -> Iterator[dict[str, Any]]:
    for script in read_html(content, _WHAT).find_all("script"):
        if script.attributes.get("type") == "application/ld+json":
            document = read_json("".join(c for c in script.children if isinstance(c, str)).encode(), _WHAT)
            graph = field_of(document, "@graph")
            yield from (item for item in (graph if isinstance(graph, list) else []) if isinstance(item, dict))


def _offer(item: dict[str, Any]) -> dict[str, Any] | None:
    name = _NAME.match(as_text(item.get("name")) or "")
    if name is None or field_of(item, "priceSpecification.unitText") != "hour":
        return None
    count, device, option = name.groups()
    return {
        "sku": f"{count}x {device}",
        "gpu_as_named": device,
        "gpu_count_stated": count,
        "purchase_option": {"on-demand": "on_demand"}.get(option, option),
        "currency": item.get("priceCurrency"),
        "native_amount": item.get("price"),
    }
