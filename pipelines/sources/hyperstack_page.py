"""Hyperstack's page of prices: on demand, reserved and spot, per GPU, as three lists for people.

The lists differ by their columns: on demand says memory, processors and RAM before the price, reserved a link behind it, spot nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

import polars as pl

from pipelines.sources.lib.decode import parser
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.fetching import one_answer
from pipelines.sources.lib.html import read_html
from pipelines.sources.lib.offers import OFFER_TABLE, offers
from pipelines.sources.lib.page_prices import have_a_price, stated_amount
from pipelines.sources.lib.source import FetchContext, Payload, Source

SOURCE = Source(
    title="Hyperstack pricing page",
    homepage="https://www.hyperstack.cloud/gpu-pricing",
    licence="public price list; figures with attribution",
    semantics="reading",
    precedence=210,
    base_url="https://www.hyperstack.cloud",
    table=OFFER_TABLE,
    certainty="recorded",
    checked_on=date(2026, 8, 22),
    rows_at_least=8,
    gives="on-demand and spot prices per GPU, and what reservations start from",
)
_WHAT = "page of prices"
_PRICE = re.compile(r"^\$([0-9,]+(?:\.[0-9]+)?)$")
# Number of columns, place of the price among them, and what the list is of.
_LISTS = {5: (4, "on_demand", "on demand"), 3: (1, "reserved", "reservation, starting from"), 2: (1, "spot", "spot VM")}
_GPU = re.compile(r"^(?:NVIDIA|AMD) ")


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The page."""
    return one_answer(context, "gpu-pricing.html", "/gpu-pricing")


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per GPU and list with a price. Raises ParseError."""
    rows = [
        [cell.text for cell in row.find_all(cls="page-price_card_row_item_col")]
        for row in read_html(content, _WHAT).find_all(cls="page-price_card_row_item")
    ]
    found = []
    for cells in rows:
        place, option, named = _LISTS.get(len(cells), (0, "", ""))
        price = stated_amount(_PRICE, cells[place].strip()) if option else None
        if price and _GPU.match(cells[0]):
            memory = f" {cells[1]}GB" if option == "on_demand" and cells[1].isdigit() else ""
            found.append(
                {
                    "sku": cells[0],
                    # With a bridge between them they are still cards.
                    "gpu_as_named": cells[0].replace(" NVLink", " PCIe NVLink") + memory,
                    "purchase_option": option,
                    "purchase_option_as_named": named,
                    "native_amount": price,
                }
            )
    if not have_a_price(found):
        raise ParseError(f"{_WHAT}: none of {len(rows)} rows of class page-price_card_row_item is a GPU with a price of the form $1.00")
    return offers(found, provider="hyperstack", currency="USD", price_unit="gpu_hour")
