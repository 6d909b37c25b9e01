"""Hot Aisle's page of prices: machines with AMD accelerators per GPU, by the hour and, as bare metal, for a month or longer.

Each plan is a card that begins with its kind. The same prices stand above the cards without sizes, and one that only customers of
earlier days pay: these are not read.
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
from pipelines.sources.lib.source import FetchContext, Payload, Source

SOURCE = Source(
    title="Hot Aisle pricing page",
    homepage="https://hotaisle.xyz/pricing",
    licence="public price list; figures with attribution",
    semantics="reading",
    precedence=200,
    base_url="https://hotaisle.xyz",
    table=OFFER_TABLE,
    certainty="recorded",
    checked_on=date(2026, 8, 22),
    rows_at_least=3,
    gives="prices per GPU of machines with AMD accelerators by the hour, and of bare metal for a month or longer",
)
_WHAT = "page of prices"
_KINDS = ("VM", "Bare metal")
_PLAN = re.compile(
    r"^(?P<kind>VM|Bare metal) .{0,40}?(?P<counts>[0-9]+x(?: & [0-9]+x)*) (?P<gpu>MI[0-9]{3}[Xx]) \$(?P<amount>[0-9.]+)/GPU/hr"
)
_LEAST_MONTHS = {"one": "1", "two": "2", "three": "3", "six": "6", "twelve": "12"}
_TERM = re.compile(rf"\b(?P<months>[0-9]+|{'|'.join(_LEAST_MONTHS)})-month minimum", re.IGNORECASE)


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The page."""
    return one_answer(context, "pricing.html", "/pricing")


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per plan and size. Raises ParseError."""
    cards = [card for card in read_html(content, _WHAT).find_all("div") if _begins_with_a_kind(card)]
    rows = [row for card in cards for row in _rows(card)]
    if not rows:
        raise ParseError(
            f"{_WHAT}: none of {len(cards)} cards of {' or '.join(_KINDS)} has a size, a device and a price of the form $1.00/GPU/hr"
        )
    return offers(rows, provider="hotaisle", currency="USD", price_unit="gpu_hour")


def _begins_with_a_kind(card: Node) -> bool:
    first = next((child for child in card.children if isinstance(child, Node)), None)
    return first is not None and first.text in _KINDS and "uppercase" in first.attributes.get("class", "").split()


def _rows(card: Node) -> Iterator[dict[str, Any]]:
    plan = _PLAN.match(card.text)
    if plan is None:
        return
    term = _TERM.search(card.text)
    months = _LEAST_MONTHS.get(term["months"].lower(), term["months"]) if term else None
    # What is not by the hour and says no term is taken for a length that is not said.
    option = "commitment" if months else "on_demand" if plan["kind"] == "VM" else "reserved"
    for count in re.findall("[0-9]+", plan["counts"]):
        yield {
            "sku": f"{count}x {plan['gpu']} {plan['kind']}",
            "gpu_as_named": f"AMD {plan['gpu'].upper()}",
            "gpu_count_stated": count,
            "purchase_option": option,
            "commitment_months": months,
            "native_amount": plan["amount"],
        }
