"""DigitalOcean's page of prices of Droplets: GPU machines on demand and while there is room, as tables for people.

The heading above a table says what it is of. A third table has words in place of prices (contracts, by asking), and is not read.
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
    title="DigitalOcean pricing page",
    homepage="https://docs.digitalocean.com/products/droplets/details/pricing/",
    licence="public price list; figures with attribution",
    semantics="reading",
    precedence=210,
    base_url="https://docs.digitalocean.com",
    table=OFFER_TABLE,
    certainty="recorded",
    checked_on=date(2026, 8, 22),
    rows_at_least=8,
    gives="on-demand and spot prices of GPU machines; in which region is not said",
)
_WHAT = "page of prices"
_OPTIONS = {"on-demand-gpu-droplet-pricing": "on_demand", "spot-gpu-droplet-pricing": "spot"}
_HEADINGS = ("h2", "h3", "h4")
_PRICE = re.compile(r"^\$([0-9,]+(?:\.[0-9]+)?) per hour$")
_COUNT = re.compile(r"\(([0-9]+)x\)")


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The page."""
    return one_answer(context, "pricing.html", "/products/droplets/details/pricing/")


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per machine and table with a price by the hour. Raises ParseError."""
    rows = list(_rows(read_html(content, _WHAT)))
    if not have_a_price(rows):
        raise ParseError(f"{_WHAT}: no price of the form $1.00 per hour in a table below {' or '.join(_OPTIONS)}")
    return offers(rows, provider="digitalocean", currency="USD", price_unit="instance_hour")


def _rows(page: Node) -> Iterator[dict[str, Any]]:
    option = None
    for element in page.find_all():
        if element.tag in _HEADINGS:
            option = _OPTIONS.get(element.attributes.get("id", ""))
        if element.tag != "tr" or option is None:
            continue
        cells = [cell.text for cell in element.find_all("td")]
        price = stated_amount(_PRICE, cells[1]) if len(cells) == 2 else None
        if price:
            yield {
                "sku": cells[0],
                "gpu_as_named": _COUNT.sub("", cells[0]).strip(),
                "gpu_count_stated": _count(cells[0]),
                "purchase_option": option,
                "native_amount": price,
            }


def _count(name: str) -> str | None:
    """The number at the end of the name, "(8x)"; one where there is none, unknown where it stands elsewhere."""
    found = _COUNT.findall(name)
    if not found:
        return "1"
    return found[0] if len(found) == 1 and name.endswith("x)") else None
