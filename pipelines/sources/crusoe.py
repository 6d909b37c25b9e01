"""Crusoe's page of prices: on demand and spot, per GPU, as a list for people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date

import polars as pl

from pipelines.sources.lib.decode import parser
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.fetching import one_answer
from pipelines.sources.lib.html import Node, read_html
from pipelines.sources.lib.offers import OFFER_TABLE, offers
from pipelines.sources.lib.page_prices import have_a_price, stated_amount
from pipelines.sources.lib.source import FetchContext, Payload, Source

SOURCE = Source(
    title="Crusoe Cloud pricing page",
    homepage="https://www.crusoe.ai/cloud/pricing",
    licence="public price list; figures with attribution",
    semantics="reading",
    precedence=200,
    base_url="https://www.crusoe.ai",
    table=OFFER_TABLE,
    certainty="recorded",
    checked_on=date(2026, 8, 22),
    rows_at_least=3,
    gives="on-demand and spot prices per GPU",
)
_WHAT = "page of prices"
_PRICE = re.compile(r"^\$([0-9,]+(?:\.[0-9]+)?)/GPU-hr$")
# The columns of prices as the head of the list has them.
_OPTIONS = {"On-demand": "on_demand", "Current spot": "spot"}


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The page."""
    return one_answer(context, "pricing.html", "/cloud/pricing")


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per GPU and option with a price; "Contact sales" is none. Raises ParseError."""
    page = read_html(content, _WHAT)
    heads = [node.text for node in page.find_all(cls="pricing-heading") if node.text in _OPTIONS]
    items = page.find_all(cls="pricing_gpu-item")
    if not items or heads[:2] != list(_OPTIONS):
        raise ParseError(f"{_WHAT}: expected items of class pricing_gpu-item under {', '.join(_OPTIONS)}; found {len(items)} under {heads}")
    found = [offer for item in items for offer in _offers(item)]
    if not have_a_price(found):
        raise ParseError(f"{_WHAT}: none of {len(items)} GPUs has a price of the form $1.00/GPU-hr")
    return offers(found, provider="crusoe", currency="USD", price_unit="gpu_hour")


def _offers(item: Node) -> Iterator[dict[str, object]]:
    name = item.first(cls="pricing-item-heading")
    # Memory and form stand beside the name: "80GB", "HGX".
    named = " ".join(part for part in (name.text if name else "", *(tag.text for tag in item.find_all(cls="pricing-tag"))) if part)
    cells = item.find_all(cls="pricing-rich")
    if len(cells) != len(_OPTIONS):
        # Nobody knows which of them stands under which head: the rules put the row aside, with this.
        yield {"sku": named, "gpu_as_named": named, "native_amount": f"{len(cells)} columns of prices, expected {len(_OPTIONS)}"}
        return
    for option, cell in zip(_OPTIONS.values(), cells, strict=True):
        price = stated_amount(_PRICE, cell.text)
        if price:
            yield {"sku": named, "gpu_as_named": named, "purchase_option": option, "native_amount": price}
