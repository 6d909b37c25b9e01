"""Vast.ai's market as statistics: what a quarter and a half of the offers of a device ask at most.

A host's offer is nobody's list price, and hundreds come and go in an hour. Kept are, for each device, number of GPUs, kind of host and
country, the lower quartile and the median of the hosts' offers, one offer a machine. Among few a machine far from the middle is no part of
them and stands by itself, for the rules to judge by what is known of the device: between a price and a placeholder there is no middle, of
two machines that lie far apart nobody knows here which is right, and a cheap price may be true.

An answer holds no more than a page. A full page of the cheapest is followed by one of the dearest: where they meet, all offers are known;
where they do not, the figures are of the cheapest page alone, and say so.
"""

from __future__ import annotations

import math
import re
import statistics
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any

import polars as pl

from pipelines.platform.clock import utc_now
from pipelines.sources.lib.decode import as_text, list_of, number_of, parser, read_json
from pipelines.sources.lib.errors import OfflineError, ParseError, SourceError
from pipelines.sources.lib.http import Request, Response
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
    pause_seconds=0.75,
    table=OFFER_TABLE,
    certainty="recorded",
    checked_on=date(2026, 8, 22),
    gives="lower quartile and median of the hosts' offers by device, number, host and country; of the cheapest 50 where they are many",
)
_WHAT = "search of offers"
# Names are exact. Less than the 64 offers that the service gives at most without a key, so that a full page is noticed.
_DEVICES = (
    "H100 SXM", "H100 PCIE", "H100 NVL", "H200", "B200", "A100 SXM4", "A100 PCIE", "L40S", "L4", "RTX PRO 6000 WS", "RTX PRO 6000 S",
    "RTX 6000Ada", "RTX A6000", "RTX 4090", "RTX 5090",
)  # fmt: skip
_LIMIT = 50
# As far from a reference as the rules of prices let one be.
_FAR_APART = 5
# From so many on one that is wrong bends neither figure.
_ENOUGH = 5
_COUNTRY = re.compile(r"(?:^|, )([A-Z]{2})$")


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The cheapest offers of each device, hosts of every kind, and the dearest where those fill a page. One that fails is a problem."""
    failed: list[SourceError] = []
    for device in _DEVICES:
        try:
            cheapest = _asked(context, device, "asc")
            pages = [cheapest]
            if len(list_of(read_json(cheapest.content, _WHAT), "offers", _WHAT)) >= _LIMIT:
                pages.append(_asked(context, device, "desc"))
            content = b'{"pages": [' + b", ".join(page.content for page in pages) + b"]}"
        except OfflineError:
            raise
        except (SourceError, ParseError) as error:
            failed.append(SourceError(str(error)))
            context.problem(f"{device}: {error}")
            continue
        yield Payload(device, cheapest.url, content, utc_now(), cheapest.status)
    if len(failed) == len(_DEVICES):
        raise failed[0]


def _asked(context: FetchContext, device: str, order: str) -> Response:
    key = context.credentials.get("VAST_API_KEY")
    secret = {"Authorization": f"Bearer {key}"} if key else {}
    search = {
        "gpu_name": {"eq": device},
        "rentable": {"eq": True},
        "rented": {"eq": False},
        "type": "on-demand",
        "order": [["dph_total", order]],
        "limit": _LIMIT,
        "allocated_storage": 0,
    }
    return context.http.send(Request(context.base_url + "/api/v0/bundles/", method="POST", json=search, secret_headers=secret))


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """Two rows per device, number of GPUs, kind of host and country: quartile and median of `dph_base` of a machine's cheapest offer; among
    few, one of each machine that lies far from the others.
    """
    document = read_json(content, _WHAT)
    pages = list_of(document, "pages", _WHAT) if isinstance(document, dict) and "pages" in document else [document]
    found, are_all = _offers([list_of(page, "offers", _WHAT) for page in pages])
    cheapest: dict[tuple[str | None, ...], dict[str, tuple[float, str | None]]] = defaultdict(dict)
    for offer in found:
        amount = number_of(as_text(offer.get("dph_base")))
        count = number_of(as_text(offer.get("num_gpus")))
        if amount is None or amount <= 0 or not count:
            continue
        place = _COUNTRY.search(as_text(offer.get("geolocation")) or "")
        memory = number_of(as_text(offer.get("gpu_ram")))
        key = (as_text(offer.get("gpu_name")), as_text(offer.get("num_gpus")), _tier(offer), place.group(1) if place else None)
        machine = as_text(offer.get("machine_id")) or as_text(offer.get("id")) or ""
        gib = as_text(round(float(memory) / 1024, 2)) if memory else None
        if machine not in cheapest[key] or float(amount) < cheapest[key][machine][0]:
            cheapest[key][machine] = (float(amount), gib)
    if found and not cheapest:
        raise ParseError(f"{_WHAT}: none of {len(found)} offers has dph_base and num_gpus")
    extent = "in all" if are_all else f"of the cheapest {_LIMIT} offers"
    rows = [row for key, machines in sorted(cheapest.items(), key=str) for row in _statistics(key, machines, extent)]
    return offers(rows, provider="vast", currency="USD", price_unit="instance_hour")


def _offers(pages: list[list[Any]]) -> tuple[list[dict[str, Any]], bool]:
    """The offers that the figures are of, and whether they are all that there are."""
    first, *others = [[offer for offer in page if isinstance(offer, dict)] for page in pages]
    known = {as_text(offer.get("id")) for offer in first}
    rest = [offer for page in others for offer in page if as_text(offer.get("id")) not in known]
    meet = len(rest) < sum(map(len, others))
    return (first + rest, True) if meet else (first, len(first) < _LIMIT)


def _tier(offer: dict[str, Any]) -> str:
    if as_text(offer.get("hosting_type")) == "1":
        return "secure"
    return "community" if offer.get("verification") == "verified" else "unverified"


def _statistics(key: tuple[str | None, ...], machines: dict[str, tuple[float, str | None]], extent: str) -> Iterable[dict[str, Any]]:
    device, count, tier, country = key
    least, greatest = _near_the_middle([amount for amount, _ in machines.values()])
    amounts = sorted(amount for amount, _ in machines.values() if least <= amount <= greatest)
    found = []
    if amounts:
        for name, amount in (("lower quartile", _lower_quartile(amounts)), ("median", statistics.median(amounts))):
            found.append((name, f"{name} of {len(amounts)} machines {extent}", amount))
    for machine, (amount, _) in sorted(machines.items()):
        if not least <= amount <= greatest:
            why = f"by itself: more than {_FAR_APART} times apart from the middle of {len(machines)} machines {extent}"
            found.append((f"machine {machine}", why, amount))
    for name, what, amount in found:
        yield {
            "region": country,
            "country_stated": country,
            "sku": f"{count}x {device}, {name}",
            "gpu_as_named": device,
            "gpu_count_stated": count,
            "gpu_memory_gib_stated": next(iter(machines.values()))[1],
            "purchase_option_as_named": f"on-demand, {what}",
            "trust_tier": tier,
            "native_amount": f"{amount:.8f}",
        }


def _near_the_middle(amounts: list[float]) -> tuple[float, float]:
    """Between which amounts one agrees with its group; none does where the two in the middle are far apart."""
    low, high = statistics.median_low(amounts), statistics.median_high(amounts)
    if high > low * _FAR_APART:
        return math.inf, 0.0
    return (0.0, math.inf) if len(amounts) >= _ENOUGH else (high / _FAR_APART, low * _FAR_APART)


def _lower_quartile(amounts: list[float]) -> float:
    """Of sorted amounts what a quarter of them are at most; where it lies between two far apart, the one nearer to the middle."""
    place = (len(amounts) - 1) / 4
    low, high = amounts[math.floor(place)], amounts[math.ceil(place)]
    return high if high > low * _FAR_APART else low + (high - low) * (place % 1)
