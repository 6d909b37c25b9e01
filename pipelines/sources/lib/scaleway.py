"""Scaleway's public product catalogue: its pages, and amounts as it writes them.

Belongs here: what every source that reads the catalogue needs. Does not belong here: what a product's own fields mean.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipelines.platform.clock import utc_now
from pipelines.sources.lib.amounts import money_of
from pipelines.sources.lib.decode import as_text, field_of, number_of
from pipelines.sources.lib.http import Request
from pipelines.sources.lib.paging import pages
from pipelines.sources.lib.source import FetchContext, Payload

_PATH = "/product-catalog/v2alpha1/public-catalog/products"
_PAGING = {"by": "page", "param": "page", "size_param": "page_size", "size": 100, "items": "products"}


def products_of(context: FetchContext, product_type: str, name: str) -> Iterable[Payload]:
    """All products of a type, page by page, as payloads `<name>/0001` and on."""
    first = Request(context.base_url + _PATH, [("product_types", product_type)])
    for number, answer in enumerate(pages(context.http, first, _PAGING), start=1):
        yield Payload(f"{name}/{number:04}", answer.url, answer.content, utc_now(), answer.status, answer.etag)


_SOLD = ("general_availability", "public_beta", "preview", None)


def is_sold(product: Any) -> bool:
    """False for a product that the catalogue says is withdrawn, at the end of its sale or of its life, or of a status nobody knows."""
    return as_text(field_of(product, "status")) in _SOLD


def retail_amount(product: Any) -> str | None:
    """The price of one unit of measure: an amount for so many. One that is none is what is stated of it, which the rules put aside."""
    stated = field_of(product, "price.retail_price")
    amount, size = money_of(stated), number_of(as_text(field_of(product, "unit_of_measure.size")))
    return as_text(stated) if amount is None or size is None or size <= 0 else format(amount / size, "f")
