"""Scaleway's product catalogue: the same machines as its instance types, from another endpoint, by the minute or by the hour."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.platform.clock import utc_now
from pipelines.sources.lib.decode import as_text, field_of, list_of, number_of, parser, read_json
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.http import Request
from pipelines.sources.lib.offers import OFFER_TABLE, offers
from pipelines.sources.lib.paging import pages
from pipelines.sources.lib.source import FetchContext, Payload, Source

SOURCE = Source(
    title="Scaleway product catalogue",
    homepage="https://www.scaleway.com/en/pricing/gpu/",
    licence="public price list; figures with attribution",
    semantics="reading",
    precedence=210,
    base_url="https://api.scaleway.com",
    table=OFFER_TABLE,
    certainty="recorded",
    checked_on=date(2026, 7, 1),
    gives="on-demand prices of GPU machines in euros, without VAT, by zone: a check of the list of instance types",
)
_WHAT = "product catalogue"
_PATH = "/product-catalog/v2alpha1/public-catalog/products"
_NANO = Decimal("0.000000001")
_PAGING = {"by": "page", "param": "page", "size_param": "page_size", "size": 100, "items": "products"}


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The instances of all zones, page by page."""
    first = Request(context.base_url + _PATH, [("product_types", "instance")])
    for number, answer in enumerate(pages(context.http, first, _PAGING), start=1):
        yield Payload(f"instances/{number:04}", answer.url, answer.content, utc_now(), answer.status, answer.etag)


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per product with GPUs; its unit is what it says of itself, as machines of both kinds are there. Raises ParseError."""
    products = list_of(read_json(content, _WHAT), "products", _WHAT)
    if products and not any(field_of(product, "price.retail_price") for product in products):
        raise ParseError(f"{_WHAT}: price.retail_price is in none of {len(products)} products")
    return offers([_offer(product) for product in products if field_of(product, "properties.hardware.gpu.count")], provider="scaleway")


def _offer(product: Any) -> dict[str, Any]:
    zone = as_text(field_of(product, "locality.zone"))
    name = field_of(product, "properties.instance.offer_id") or field_of(product, "product")
    price = field_of(product, "price.retail_price")
    return {
        "region": zone,
        "country_stated": zone[:2] if zone else None,
        "sku": name,
        "instance_type": name,
        "gpu_as_named": field_of(product, "properties.hardware.gpu.type"),
        "gpu_count_stated": field_of(product, "properties.hardware.gpu.count"),
        "currency": field_of(price, "currency_code"),
        "native_amount": _amount(price, field_of(product, "unit_of_measure.size")),
        "price_unit": f"instance_{as_text(field_of(product, 'unit_of_measure.unit'))}",
    }


def _amount(price: Any, size: Any) -> str | None:
    """Whole units and billionths of one, for one unit of measure."""
    units, nanos, of = (number_of(as_text(value)) for value in (field_of(price, "units"), field_of(price, "nanos"), size))
    return None if units is None or nanos is None or not of else format((units + nanos * _NANO) / of, "f")
