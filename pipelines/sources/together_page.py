"""Together's page of prices: GPU clusters on demand and for 7 to 180 days, per GPU.

The page shows machines for managed inference in a table of their own, and an older table of clusters that no reader sees: neither is
read. The table of clusters is the one whose head says for how many days.
"""

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
    title="Together pricing page, GPU clusters",
    homepage="https://www.together.ai/pricing",
    licence="public price list; figures with attribution",
    semantics="reading",
    precedence=200,
    base_url="https://www.together.ai",
    table=OFFER_TABLE,
    certainty="recorded",
    checked_on=date(2026, 8, 22),
    rows_at_least=3,
    gives="prices per GPU of clusters on demand and for 7, 31 and 91 days or longer",
)
_WHAT = "page of prices"
_PRICE = re.compile(r"^\$([0-9,]+(?:\.[0-9]+)?)$")
# "7-30 days", "181+ days", "1+ year": what a length begins with counts.
_TERM = re.compile(r"^([0-9]+)(?:-[0-9]+|\+)? (day|week|month|year)s?$")
_ON_DEMAND = "Pay as you go"


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The page."""
    return one_answer(context, "pricing.html", "/pricing")


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per machine and length with a price; "Contact us" is none. Raises ParseError."""
    tables = [(table, _terms(table)) for table in read_html(content, _WHAT).find_all("table", cls="pricing_table")]
    tables = [(table, terms) for table, terms in tables if any(_TERM.match(term) for term in terms)]
    if not tables:
        raise ParseError(f"{_WHAT}: no table of class pricing_table with a column of so many days")
    found = [offer for table, terms in tables for row in table.find_all("tr") for offer in _offers(row, terms)]
    if not have_a_price(found):
        raise ParseError(f"{_WHAT}: no price of the form $1.00 in the table of clusters")
    return offers(found, provider="together", currency="USD", price_unit="gpu_hour")


def _terms(table: Node) -> list[str]:
    """What the last line of the head says over each column of prices, in order; a column of another kind keeps its place."""
    heads = [[cell.text for cell in row.find_all("th")] for row in table.find_all("tr")]
    last = next((cells for cells in reversed(heads) if cells), [])
    first = next((place for place, text in enumerate(last) if text == _ON_DEMAND or _TERM.match(text)), len(last))
    return last[first:]


def _offers(row: Node, terms: list[str]) -> Iterator[dict[str, object]]:
    cells = [cell.text for cell in row.find_all("td")]
    if len(cells) - 1 > len(terms):
        # Nobody knows which of them stands under which length: the rules put the row aside, with this.
        yield {"sku": cells[0], "gpu_as_named": cells[0], "native_amount": f"{len(cells) - 1} prices, expected {len(terms)}"}
        return
    # A row whose terms share one cell has no price for any of them.
    for term, text in zip(terms, cells[1:], strict=False):
        price, length = stated_amount(_PRICE, text), _TERM.match(term)
        if price is None or (length is None and term != _ON_DEMAND):
            continue
        bound = (
            {
                "purchase_option": "commitment",
                "purchase_option_as_named": f"Reserved, {term}",
                "commitment_months": " ".join(length.groups()),
            }
            if length
            else {}
        )
        yield {
            "sku": f"{cells[0]}, {term}",
            "gpu_as_named": cells[0],
            # The clusters are made of nodes of eight.
            "gpu_count_stated": 8 if "HGX" in cells[0] else None,
            "native_amount": price,
            **bound,
        }
