"""Scaleway's product catalogue: the same machines as its instance types, from another endpoint, by the minute or by the hour."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import polars as pl

from pipelines.sources.lib.decode import as_text, field_of, list_of, parser, read_json
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.offers import OFFER_TABLE, offers
from pipelines.sources.lib.scaleway import is_sold, products_of, retail_amount
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


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The instances of all zones, page by page."""
    return products_of(context, "instance", "instances")


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per product with GPUs; its unit is what it says of itself, as machines of both kinds are there. Raises ParseError."""
    products = list_of(read_json(content, _WHAT), "products", _WHAT)
    if products and not any(field_of(product, "price.retail_price") for product in products):
        raise ParseError(f"{_WHAT}: price.retail_price is in none of {len(products)} products")
    return offers(
        [_offer(product) for product in products if field_of(product, "properties.hardware.gpu.count") and is_sold(product)],
        provider="scaleway",
    )


def _offer(product: Any) -> dict[str, Any]:
    zone = as_text(field_of(product, "locality.zone"))
    name = field_of(product, "properties.instance.offer_id") or field_of(product, "product")
    return {
        "region": zone,
        "country_stated": zone[:2] if zone else None,
        "sku": name,
        "instance_type": name,
        "gpu_as_named": field_of(product, "properties.hardware.gpu.type"),
        "gpu_count_stated": field_of(product, "properties.hardware.gpu.count"),
        "currency": field_of(product, "price.retail_price.currency_code"),
        "native_amount": retail_amount(product),
        "price_unit": f"instance_{as_text(field_of(product, 'unit_of_measure.unit'))}",
    }
