"""Massed Compute's page of prices: machines on demand, from the data that the page is drawn with.

Each machine stands there twice, as a card and as a row of a table, under a key such as "H100 (80GB)-x 8-0". Its price is the only one
between its key and the next key or the end of the chunk: further on stand prices of other machines. Where several stand there, nobody
says which is whose, and the rules put the machine aside by name.
"""

from __future__ import annotations

import re
from collections import defaultdict
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
    title="Massed Compute pricing page",
    homepage="https://vm.massedcompute.com/pricing",
    licence="public price list; figures with attribution",
    semantics="reading",
    precedence=200,
    base_url="https://vm.massedcompute.com",
    table=OFFER_TABLE,
    certainty="recorded",
    checked_on=date(2026, 8, 22),
    rows_at_least=3,
    gives="prices of machines of one to eight GPUs, on demand and by the month",
)
_WHAT = "page of prices"
_KEY = re.compile(r'\\"(?P<name>[^"\\]{1,60}?)(?:-mobile)?-x\s*(?P<count>[0-9]+)-[0-9]+\\"')
# The amount, and behind it in small print what it is for.
_PRICE = re.compile(r'\$\$([0-9][^"\\]{0,40})\\",\[\\"\$\\",\\"small\\",[^$]{0,200}?\\"children\\":\\"/([a-z]{1,20})\\"')
_AMOUNT = re.compile("([0-9,]+(?:[.][0-9]+)?)$")
# What it is for: how it is bought, and its unit.
_UNITS = {"hr": ("on_demand", "instance_hour"), "mo": ("dedicated_month", "instance_month")}
_END_OF_CHUNK = "\\n"


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The page."""
    return one_answer(context, "pricing.html", "/pricing")


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per machine with a price. Raises ParseError.

    Where its two places differ none is chosen, and the rules put both amounts aside.
    """
    read_html(content, _WHAT)  # a page that is cut off is none
    text = content.decode("utf-8")
    keys = list(_KEY.finditer(text))
    if not keys:
        raise ParseError(f"{_WHAT}: no key of a machine such as H100 (80GB)-x 8-0")
    ends = [*(key.start() for key in keys[1:]), len(text)]
    prices: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for key, end in zip(keys, ends, strict=True):
        found = _PRICE.findall(text[key.end() : end].split(_END_OF_CHUNK, 1)[0])
        if found:
            prices[key["name"], key["count"]].add(found[0] if len(found) == 1 else (f"{len(found)} prices, expected 1", "hr"))
    rows = [
        {"sku": f"{name} x{count}", "gpu_as_named": name, "gpu_count_stated": count, **_price(stated, unit)}
        for (name, count), amounts in prices.items()
        for stated, unit in sorted(amounts)
    ]
    if not have_a_price(rows):
        raise ParseError(f"{_WHAT}: none of {len(keys)} machines has a price")
    return offers(rows, provider="massedcompute", currency="USD")


def _price(stated: str, unit: str) -> dict[str, str | None]:
    option, price_unit = _UNITS.get(unit, ("on_demand", f"instance_{unit}"))
    return {"purchase_option": option, "price_unit": price_unit, "native_amount": stated_amount(_AMOUNT, stated)}
