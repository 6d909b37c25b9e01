"""Outscale's public catalogue: a flexible GPU with the processors and memory that a machine round it needs.

The catalogue prices parts. A GPU that is attached is billed as attached, one that is only owned as allocated, never both, and both cost
the same. An offer here is one GPU with ten vCores of high performance and 80 GiB: what the bundled machines of others hold at least.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.sources.lib.amounts import below_zero
from pipelines.sources.lib.decode import as_text, field_of, list_of, number_of, parser, read_json
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.fetching import each_answer
from pipelines.sources.lib.http import Request
from pipelines.sources.lib.offers import OFFER_TABLE, offers
from pipelines.sources.lib.source import FetchContext, Payload, Source

_REGIONS = ("eu-west-2", "cloudgouv-eu-west-1", "us-east-2", "us-west-1")

SOURCE = Source(
    title="Outscale public catalogue",
    homepage="https://en.outscale.com/pricing/",
    licence="public price list; figures with attribution",
    semantics="reading",
    precedence=200,
    base_url="https://api.{region}.outscale.com",
    table=OFFER_TABLE,
    certainty="documented",
    checked_on=date(2026, 11, 23),
    gives="prices of one GPU with 10 vCores and 80 GiB, put together from parts, in France (also SecNumCloud) and the US",
)
_WHAT = "public catalogue"
_GPU = re.compile(r"^Gpu:(allocate|attach):(.+)$")
_CORE = re.compile(r"^CustomCore:v([0-9]+)-p2$")
_CORES, _MEMORY_GIB = 10, 80
_CURRENCIES = {"eu": "EUR", "cloudgouv": "EUR", "us": "USD"}
_COUNTRIES = {"eu": "FR", "cloudgouv": "FR", "us": "US"}


def fetch(context: FetchContext) -> Iterable[Payload]:
    """One catalogue per region; the question needs no signature."""
    path = "/api/v1/ReadPublicCatalog"
    return each_answer(
        context,
        {region: Request(context.base_url.replace("{region}", region) + path, method="POST", json={}) for region in _REGIONS},
    )


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per model and region. Raises ParseError where GPUs are sold and the parts round them are not priced."""
    entries = list_of(read_json(content, _WHAT), "Catalog.Entries", _WHAT)
    parts = [
        (
            as_text(field_of(entry, "Type")) or "",
            number_of(as_text(field_of(entry, "UnitPrice"))),
            as_text(field_of(entry, "SubregionName")),
        )
        for entry in entries
        if "PER_MONTH" not in (as_text(field_of(entry, "Flags")) or "")
    ]
    if not any(kind for kind, _, _ in parts):
        raise ParseError(f"{_WHAT}: Type is in none of {len(entries)} entries")
    cores = {(int(found.group(1)), price) for kind, price, _ in parts if (found := _CORE.match(kind)) and price}
    memory = {price for kind, price, _ in parts if kind == "CustomRam" and price}
    models = {(found.group(2), place, price or None) for kind, price, place in parts if (found := _GPU.match(kind))}
    if models and (not cores or not memory):
        raise ParseError(f"{_WHAT}: {len(models)} GPUs without a price of CustomCore:v<n>-p2 and CustomRam")
    newest = max((generation for generation, _ in cores), default=0)
    # A part at two amounts makes two of the offer: none is chosen, and the rules put them aside.
    others = [(core, gib) for generation, core in cores if generation == newest for gib in memory]
    if models and not any(price for _, _, price in models):
        raise ParseError(f"{_WHAT}: UnitPrice is a number of none of {len(models)} GPUs")
    return offers(
        [
            _offer(model, place, amount, newest)
            for model, place, price in sorted(models, key=str)
            for amount in (sorted({_amount(price, *parts) for parts in others}) if price else [None])
        ]
    )


def _amount(gpu: Decimal, core: Decimal, gib: Decimal) -> str:
    wrong = below_zero([("Gpu", gpu), ("CustomCore", core), ("CustomRam", gib)])
    return wrong or format(gpu + _CORES * core + _MEMORY_GIB * gib, "f")


def _offer(model: str, place: str | None, amount: str | None, newest: int) -> dict[str, Any]:
    region = re.sub(r"[a-z]$", "", place or "")
    kind = region.split("-")[0]
    return {
        "provider": "outscale",
        "region": region or None,
        "country_stated": _COUNTRIES.get(kind),
        "sku": f"{model} with {_CORES} vCores and {_MEMORY_GIB} GiB",
        "gpu_as_named": model,
        "gpu_count_stated": 1,
        "purchase_option_as_named": f"sum of parts: GPU, {_CORES} vCores v{newest}-p2, {_MEMORY_GIB} GiB",
        "purchase_option": "on_demand",
        "currency": _CURRENCIES.get(kind),
        "native_amount": amount,
    }
