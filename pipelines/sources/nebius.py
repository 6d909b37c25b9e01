"""Nebius' page of prices: on demand and preemptible per GPU, in the data that the page is drawn from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

import polars as pl

from pipelines.sources.lib.decode import parser, read_json
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.fetching import one_answer
from pipelines.sources.lib.offers import OFFER_TABLE, offers
from pipelines.sources.lib.page_prices import have_a_price, stated_amount
from pipelines.sources.lib.source import FetchContext, Payload, Source

SOURCE = Source(
    title="Nebius prices",
    homepage="https://nebius.com/prices",
    licence="public price list; figures with attribution",
    semantics="reading",
    precedence=200,
    base_url="https://nebius.com",
    table=OFFER_TABLE,
    certainty="recorded",
    checked_on=date(2026, 8, 22),
    rows_at_least=4,
    gives="on-demand and preemptible prices per GPU, the same in all regions",
)
_WHAT = "page of prices"
_TABLE = re.compile(r'"content":(\[\[.*?\]\])')
_PRICE = re.compile(r"^(?:from )?\$([0-9,]+(?:\.[0-9]+)?)$")
# By their headings: the preemptible price stands first.
_COLUMNS = {"spot": "Preemptible, GPU-hour", "on_demand": "On-demand, GPU-hour"}


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The page."""
    return one_answer(context, "prices.html", "/prices")


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per device and option; "Contact us" is no offer, and "from $" is the least price of several. Raises ParseError."""
    text = content.decode("utf-8").replace('\\"', '"')
    tables = [read_json(found.encode(), _WHAT) for found in _TABLE.findall(text)]
    priced = [table for table in tables if all(name in table[0] for name in _COLUMNS.values())]
    if not priced:
        raise ParseError(f"{_WHAT}: no table with the columns {' and '.join(_COLUMNS.values())}")
    rows = []
    for table in priced:
        for cells in table[1:]:
            line = dict(zip(table[0], cells, strict=False))
            for option, column in _COLUMNS.items():
                text = str(line.get(column))
                amount = stated_amount(_PRICE, text)
                if amount:
                    rows.append(
                        {
                            "sku": line.get("Item"),
                            "gpu_as_named": line.get("Item"),
                            "purchase_option": option,
                            "purchase_option_as_named": f"{column}, least of several" if text.startswith("from ") else column,
                            "native_amount": amount,
                        }
                    )
    if not have_a_price(rows):
        raise ParseError(f"{_WHAT}: no price of the form $1.00 in {len(priced)} tables")
    return offers(rows, provider="nebius", currency="USD", price_unit="gpu_hour")
