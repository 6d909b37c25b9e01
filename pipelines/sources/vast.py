"""Vast.ai's market as statistics: what a quarter and a half of the offers of a device ask at most.

A host's offer is nobody's list price, and hundreds come and go in an hour. Kept are, for each device, number of GPUs, kind of host and
country, the lower quartile and the median of the hosts' offers, one offer a machine.
"""

from __future__ import annotations

import re
import statistics
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any

import polars as pl

from pipelines.sources.lib.decode import as_text, list_of, number_of, parser, read_json
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.fetching import each_answer
from pipelines.sources.lib.http import Request
from pipelines.sources.lib.offers import OFFER_TABLE, offers
from pipelines.sources.lib.source import FetchContext, Payload, Source

SOURCE = Source(
    title="Vast.ai offers",
    homepage="https://vast.ai/pricing",
    licence="public offers; statistics with attribution",
    semantics="reading",
    precedence=200,
    base_url="https://console.vast.ai",
    optional_credentials=("VAST_API_KEY",),
    table=OFFER_TABLE,
    certainty="recorded",
    checked_on=date(2026, 8, 22),
    gives="lower quartile and median of the hosts' offers by device, number, kind of host and country; of each search the cheapest 50",
)
_WHAT = "search of offers"
# Names are exact; a full page is noticed, as the service gives no more than 64 without a key.
_DEVICES = (
    "H100 SXM", "H100 PCIE", "H100 NVL", "H200", "B200", "A100 SXM4", "A100 PCIE", "L40S", "L4", "RTX PRO 6000 WS", "RTX PRO 6000 S",
    "RTX 6000Ada", "RTX A6000", "RTX 4090", "RTX 5090",
)  # fmt: skip
_LIMIT = 50
_COUNTRY = re.compile(r"(?:^|, )([A-Z]{2})$")


def fetch(context: FetchContext) -> Iterable[Payload]:
    """One search per device, cheapest first, hosts of every kind."""
    key = context.credentials.get("VAST_API_KEY")
    secret = {"Authorization": f"Bearer {key}"} if key else {}
    return each_answer(
        context,
        {
            name: Request(context.base_url + "/api/v0/bundles/", method="POST", json=_search(name), secret_headers=secret)
            for name in _DEVICES
        },
    )


def _search(device: str) -> dict[str, Any]:
    return {
        "gpu_name": {"eq": device},
        "rentable": {"eq": True},
        "rented": {"eq": False},
        "type": "on-demand",
        "order": [["dph_total", "asc"]],
        "limit": _LIMIT,
        "allocated_storage": 0,
    }


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """Two rows per device, number of GPUs, kind of host and country: quartile and median of `dph_base` of a machine's cheapest offer."""
    found = list_of(read_json(content, _WHAT), "offers", _WHAT)
    cheapest: dict[tuple[str | None, ...], dict[str, tuple[float, str | None]]] = defaultdict(dict)
    for offer in found:
        if not isinstance(offer, dict):
            continue
        amount = number_of(as_text(offer.get("dph_base")))
        count = number_of(as_text(offer.get("num_gpus")))
        if amount is None or amount <= 0 or not count:
            continue
        place = _COUNTRY.search(as_text(offer.get("geolocation")) or "")
        memory = number_of(as_text(offer.get("gpu_ram")))
        key = (as_text(offer.get("gpu_name")), as_text(offer.get("num_gpus")), _tier(offer), place.group(1) if place else None)
        machine = as_text(offer.get("machine_id")) or as_text(offer.get("id")) or ""
        gib = as_text(round(memory / 1024, 2)) if memory else None
        if machine not in cheapest[key] or float(amount) < cheapest[key][machine][0]:
            cheapest[key][machine] = (float(amount), gib)
    if found and not cheapest:
        raise ParseError(f"{_WHAT}: none of {len(found)} offers has dph_base and num_gpus")
    rows = [row for key, machines in sorted(cheapest.items(), key=str) for row in _statistics(key, machines)]
    return offers(rows, provider="vast", currency="USD", price_unit="instance_hour")


def _tier(offer: dict[str, Any]) -> str:
    if as_text(offer.get("hosting_type")) == "1":
        return "secure"
    return "community" if offer.get("verification") == "verified" else "unverified"


def _statistics(key: tuple[str | None, ...], machines: dict[str, tuple[float, str | None]]) -> Iterable[dict[str, Any]]:
    device, count, tier, country = key
    amounts = sorted(amount for amount, _ in machines.values())
    quartile = statistics.quantiles(amounts, n=4, method="inclusive")[0] if len(amounts) > 1 else amounts[0]
    size = "of a full page" if len(amounts) >= _LIMIT else "in all"
    for name, amount in (("lower quartile", quartile), ("median", statistics.median(amounts))):
        yield {
            "region": country,
            "country_stated": country,
            "sku": f"{count}x {device}, {name}",
            "gpu_as_named": device,
            "gpu_count_stated": count,
            "gpu_memory_gib_stated": next(iter(machines.values()))[1],
            "purchase_option_as_named": f"on-demand, {name} of {len(amounts)} machines {size}",
            "trust_tier": tier,
            "native_amount": f"{amount:.8f}",
        }
