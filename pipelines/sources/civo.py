"""Civo's page of prices: GPU machines on demand and for 6 to 36 months, as tables for people."""

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
    title="Civo pricing page",
    homepage="https://www.civo.com/pricing",
    licence="public price list; figures with attribution",
    semantics="reading",
    precedence=200,
    base_url="https://www.civo.com",
    table=OFFER_TABLE,
    certainty="recorded",
    checked_on=date(2026, 8, 22),
    rows_at_least=5,
    gives="prices of GPU machines on demand and for 6, 12, 24 and 36 months",
)
_WHAT = "page of prices"
_PRICE = re.compile(r"^\$([0-9,]+(?:\.[0-9]+)?)\s*per hour$")
_MACHINE = re.compile(r"(?:([0-9]+) x )?(.+)$")
_TERM = re.compile(r"^[0-9]+_(?:weeks?|months?|years?)$")


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The page."""
    return one_answer(context, "pricing.html", "/pricing")


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per GPU machine and length with a price by the hour. Raises ParseError."""
    rows = [
        (row, _MACHINE.search(name.text)) for row in read_html(content, _WHAT).find_all("tr") if (name := row.first(cls="product-detail"))
    ]
    machines = [(row, machine) for row, machine in rows if machine]
    if not any(machine.group(1) for _, machine in machines):
        raise ParseError(f"{_WHAT}: no machine with GPUs; expected rows with an element of class product-detail such as 8 x NVIDIA H100")
    found = [offer for row, machine in machines for offer in _offers(row, machine)]
    if not have_a_price(found):
        raise ParseError(f"{_WHAT}: none of {len(machines)} machines has a price of the form $1.00 per hour")
    return offers(found, provider="civo", currency="USD", price_unit="instance_hour")


def _offers(row: Node, machine: re.Match[str]) -> Iterator[dict[str, object]]:
    # Without a number it is an offer all the same, of which nobody knows the price per GPU.
    stated = {"gpu_as_named": machine.group(2), "gpu_count_stated": machine.group(1), "sku": machine.group()}
    for cell in row.find_all("td", cls="on-demand-pricing"):
        yield from ({**stated, "native_amount": amount} for amount in _by_the_hour(cell))
    for cell in row.find_all("td", cls="commitment-pricing"):
        for term in cell.find_all("div", attribute="id"):
            if _TERM.match(term.attributes["id"]):
                bound = {"purchase_option": "commitment", "commitment_months": term.attributes["id"]}
                yield from ({**stated, **bound, "native_amount": amount} for amount in _by_the_hour(term))


def _by_the_hour(cell: Node) -> list[str]:
    # The same price stands beside it by the month.
    texts = [value.text for value in cell.find_all("div", attribute="data-option") if value.text.endswith("per hour")]
    return [amount for text in texts if (amount := stated_amount(_PRICE, text))]
