"""Lambda's page of prices: machines on demand, and clusters for two weeks to a year, per GPU, as tables for people."""

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
    title="Lambda pricing page",
    homepage="https://lambda.ai/pricing",
    licence="public price list; figures with attribution",
    semantics="reading",
    precedence=210,
    base_url="https://lambda.ai",
    table=OFFER_TABLE,
    certainty="recorded",
    checked_on=date(2026, 8, 22),
    rows_at_least=8,
    gives="on-demand prices per GPU of machines of one to eight, and of clusters taken for two weeks or longer",
)
_WHAT = "page of prices"
_PRICE = re.compile(r"^\$([0-9,]+(?:\.[0-9]+)?)$")
_MACHINE = re.compile(r"^([0-9]+)x$")
_LEAST_TERM = re.compile(r"^[0-9]+ (?:day|week|month|year)s?\b")


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The page."""
    return one_answer(context, "pricing.html", "/pricing")


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per machine or cluster with a price; a dash is a price to ask for, and no offer. Raises ParseError."""
    page = read_html(content, _WHAT)
    tabs = {tab.attributes.get("id"): tab.text for tab in page.find_all("button", attribute="aria-controls")}
    rows = [
        (tabs.get(panel.attributes["aria-labelledby"], ""), row)
        for panel in page.find_all("div", attribute="aria-labelledby")
        for row in panel.find_all("tr", attribute="data-plan")
    ]
    if not rows:
        raise ParseError(f"{_WHAT}: no row of a plan; expected rows with data-plan in panels with aria-labelledby")
    found = {tuple(offer.values()): offer for tab, row in rows for offer in _offers(tab, row)}
    if not have_a_price(found.values()):
        raise ParseError(f"{_WHAT}: none of {len(rows)} plans has a price of the form $1.00")
    return offers(found.values(), provider="lambda", currency="USD", price_unit="gpu_hour")


def _offers(tab: str, row: Node) -> Iterator[dict[str, object]]:
    cells = {cell.attributes["data-label"].upper(): cell.text for cell in row.find_all(attribute="data-label")}
    price = stated_amount(_PRICE, cells.get("PRICE/GPU/HR*", ""))
    plan, memory = row.attributes["data-plan"], cells.get("VRAM/GPU", "")
    if price is None:
        return
    stated = {"gpu_as_named": f"{plan} {memory}".strip(), "native_amount": price}
    machine, least = _MACHINE.match(tab), _LEAST_TERM.match(cells.get("DURATION", ""))
    if "GPU COUNT" in cells:
        # "256+" is a cluster of 256 or more.
        count = cells["GPU COUNT"].rstrip("+")
        named = f"1-Click Cluster, {cells.get('DURATION', '')}"
        bound = {
            "purchase_option": "commitment" if least else "reserved",
            "purchase_option_as_named": named,
            "commitment_months": least.group() if least else None,
        }
        yield {"sku": f"{plan} cluster of {cells['GPU COUNT']}", "gpu_count_stated": count, **bound, **stated}
    else:
        yield {"sku": f"{tab} {plan} {memory}".strip(), "gpu_count_stated": machine.group(1) if machine else None, **stated}
