"""Sesterce's front page: the least price per GPU of each device in its cloud, from a table that is made anew every few minutes.

Only the table below `#pricing` is read, whose last line says currency and way of buying: strips of figures elsewhere on the page are
older. A price is the least of many machines and places, so which form a device has is known where only one is sold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import polars as pl

from pipelines.sources.lib.decode import parser
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.fetching import one_answer
from pipelines.sources.lib.html import Node, read_html
from pipelines.sources.lib.offers import OFFER_TABLE, offers
from pipelines.sources.lib.page_prices import have_a_price, stated_amount
from pipelines.sources.lib.source import FetchContext, Payload, Source

SOURCE = Source(
    title="Sesterce front page",
    homepage="https://www.sesterce.com/",
    licence="public price list; figures with attribution",
    semantics="reading",
    precedence=200,
    base_url="https://www.sesterce.com",
    table=OFFER_TABLE,
    certainty="recorded",
    checked_on=date(2026, 8, 22),
    rows_at_least=4,
    gives="the least on-demand price per GPU of each device, and whether there is one",
)
_WHAT = "front page"
_TERMS = re.compile(r"· (?P<currency>[A-Z]{3}) · ON-DEMAND\b")
_PRICE = re.compile(r"^(?P<sign>[$€£])(?P<amount>[0-9,]+(?:\.[0-9]+)?)$")
_SIGNS = {"$": "USD", "€": "EUR", "£": "GBP"}
_REGIONS = re.compile(r"^(?P<live>[0-9]+)/[0-9]+ regions")


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The page."""
    return one_answer(context, "index.html", "/")


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per device with a price. Raises ParseError, also where the table does not say way of buying and currency."""
    section = next((s for s in read_html(content, _WHAT).find_all("section") if s.attributes.get("id") == "pricing"), None)
    terms = _TERMS.search(section.text) if section else None
    if section is None or terms is None:
        raise ParseError(f"{_WHAT}: no section pricing whose table says a currency and ON-DEMAND")
    rows = list(_rows(section))
    if not have_a_price(rows):
        raise ParseError(f"{_WHAT}: no row of the table has a bbg-model and a bbg-price of the form $1.00")
    currencies = {row["currency"] for row in rows if row["currency"]}
    if currencies != {terms["currency"]}:
        raise ParseError(f"{_WHAT}: the table is in {terms['currency']}, its prices in {', '.join(sorted(currencies))}")
    return offers(rows, provider="sesterce", price_unit="gpu_hour", purchase_option_as_named="on demand, from")


def _rows(section: Node) -> Iterator[dict[str, Any]]:
    for row in section.find_all("tr"):
        model, vendor, price, regions = (row.first(cls=name) for name in ("bbg-model", "bbg-vendor", "bbg-price", "bbg-avail"))
        amount = stated_amount(_PRICE, price.text) if price else None
        if model is None or price is None or amount is None:
            continue
        sign = _PRICE.match(price.text)
        live = _REGIONS.match(regions.text) if regions else None
        forms = vendor.text.rpartition("·")[2].split("/") if vendor else []
        yield {
            "sku": model.text,
            "gpu_as_named": f"{model.text} {forms[0].strip() if len(forms) == 1 else ''}",
            "stock": ("available" if int(live["live"]) else "none") if live else None,
            "currency": _SIGNS[sign["sign"]] if sign else None,
            "native_amount": amount,
        }
