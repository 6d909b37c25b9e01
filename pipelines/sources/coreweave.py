"""CoreWeave's page of prices: on demand and spot of whole nodes, as a table for people."""

from __future__ import annotations

import re
from collections.abc import Iterable
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
    title="CoreWeave pricing page",
    homepage="https://www.coreweave.com/pricing",
    licence="public price list; figures with attribution",
    semantics="reading",
    precedence=200,
    base_url="https://www.coreweave.com",
    table=OFFER_TABLE,
    certainty="recorded",
    checked_on=date(2026, 8, 22),
    gives="on-demand and spot prices of whole nodes in North America and Europe",
)
_WHAT = "page of prices"
_PRICE = re.compile(r"^\$([0-9,]+(?:\.[0-9]+)?)$")


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The page."""
    return one_answer(context, "pricing.html", "/pricing")


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per product and price; a product without a price is one to ask for, and no offer. Raises ParseError."""
    rows = [row for row in read_html(content, _WHAT).find_all(cls="table-row-v2") if row.first("h3", attribute="data-product")]
    if not rows:
        raise ParseError(f"{_WHAT}: no row of a product; expected elements of class table-row-v2 with data-product")
    # The table is there twice, for wide screens and for narrow ones, and for two regions at one price.
    # Where they differ none is chosen, and the rules put them aside.
    found = {tuple(offer.values()): offer for row in rows for offer in _offers(row)}
    if not have_a_price(found.values()):
        raise ParseError(f"{_WHAT}: none of {len(rows)} products has a price of the form $1.00")
    return offers(found.values(), provider="coreweave", currency="USD", price_unit="instance_hour")


def _offers(row: Node) -> Iterable[dict[str, object]]:
    name = row.first("h3", attribute="data-product")
    cells = row.find_all(cls="table-v2-cell")
    assert name is not None
    # "4^1" is four with a footnote.
    count = re.match(r"[0-9]+", cells[1].text) if len(cells) > 1 else None
    for option, cls in (("on_demand", "instance-price"), ("spot", "spot-price")):
        price = row.first("span", cls=cls)
        value = price.first("span", cls="item-value") if price else None
        amount = stated_amount(_PRICE, value.text) if value else None
        if amount:
            yield {
                "sku": name.attributes["data-product"],
                "gpu_as_named": name.text,
                "gpu_count_stated": count.group() if count else None,
                "purchase_option": option,
                "native_amount": amount,
            }
