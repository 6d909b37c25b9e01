"""GCP's catalogue of prices, with the account's own key: machines with GPUs, put together from cores, memory, GPUs and their disks.

A machine of which a region lacks one part is not sold there, and no row: the sum of the other parts is the price of nothing. Accelerators
without another part of their machines are said in one row for all places, which a rule holds back. Commitments are sold for parts, and
are not put together here.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.platform.clock import utc_now
from pipelines.sources.lib.decode import as_text, field_of, list_of, number_of, parser, read_json
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.http import Request
from pipelines.sources.lib.offers import OFFER_TABLE, offers
from pipelines.sources.lib.paging import pages
from pipelines.sources.lib.source import FetchContext, Payload, Source

SOURCE = Source(
    title="GCP Cloud Billing catalogue",
    homepage="https://cloud.google.com/billing/docs/reference/rest/v1/services.skus/list",
    licence="price list of the account's own service; figures",
    semantics="reading",
    precedence=100,
    base_url="https://cloudbilling.googleapis.com",
    credentials=("GCP_BILLING_API_KEY",),
    table=OFFER_TABLE,
    tier=2,
    certainty="documented",
    checked_on=date(2026, 11, 23),
    rows_at_least=20,
    gives="on-demand and spot prices of machines with GPUs by region, as the sum of their parts",
)
_WHAT = "catalogue of prices"
_COMPUTE_ENGINE = "6F81-5844-456A"
_PAGING = {"by": "cursor", "param": "pageToken", "next": "nextPageToken", "size_param": "pageSize", "size": 5000}
_HOURS_OF_A_MONTH = 730
_BILLIONTH = Decimal("0.000000001")


@dataclass(frozen=True)
class _Machine:
    """What a machine is made of; `host` names its cores and memory, `gpu` its accelerators, as the catalogue begins to describe them."""

    name: str
    host: str
    gpu: str
    gpus: int
    cores: int
    memory_gib: int
    disk_gib: int = 0


_MACHINES = (
    *(_Machine(f"a2-highgpu-{n}g", "A2 Instance", "Nvidia Tesla A100 GPU", n, 12 * n, 85 * n) for n in (1, 2, 4, 8)),
    *(_Machine(f"a2-ultragpu-{n}g", "A2 Instance", "Nvidia Tesla A100 80GB GPU", n, 12 * n, 170 * n, 375 * n) for n in (1, 2, 4, 8)),
    _Machine("a3-highgpu-8g", "A3 Instance", "Nvidia H100 80GB GPU", 8, 208, 1872, 6000),
    _Machine("a3-megagpu-8g", "A3Plus Instance", "Nvidia H100 80GB Mega GPU", 8, 208, 1872, 6000),
    _Machine("g2-standard-4", "G2 Instance", "Nvidia L4 GPU", 1, 4, 16),
    _Machine("g2-standard-8", "G2 Instance", "Nvidia L4 GPU", 1, 8, 32),
    _Machine("g2-standard-12", "G2 Instance", "Nvidia L4 GPU", 1, 12, 48),
    _Machine("g2-standard-24", "G2 Instance", "Nvidia L4 GPU", 2, 24, 96),
    _Machine("g2-standard-48", "G2 Instance", "Nvidia L4 GPU", 4, 48, 192),
    _Machine("g2-standard-96", "G2 Instance", "Nvidia L4 GPU", 8, 96, 384),
)
_DISK = "SSD backed Local Storage"
_PARTS = {f"{m.host} {part}" for m in _MACHINES for part in ("Core", "Ram")} | {m.gpu for m in _MACHINES} | {_DISK}
# "Spot Preemptible A3 Instance Core running in Paris", "Nvidia L4 GPU attached to Spot Preemptible VMs running in Paris".
_DESCRIPTION = re.compile(
    r"^(?P<spot>Spot Preemptible )?(?P<part>.+?)(?P<attached> attached to Spot Preemptible VMs)?(?: (?:running )?in .+)?$"
)


def fetch(context: FetchContext) -> Iterable[Payload]:
    """All pages, of which the parts that machines with GPUs are made of are kept as one answer: a sum needs them side by side."""
    key = [("key", context.credentials["GCP_BILLING_API_KEY"])]
    first = Request(f"{context.base_url}/v1/services/{_COMPUTE_ENGINE}/skus", [("currencyCode", "USD")], secret_params=key)
    kept: list[Any] = []
    for answer in pages(context.http, first, _PAGING):
        kept += [sku for sku in list_of(read_json(answer.content, _WHAT), "skus", _WHAT) if _part_of(sku) is not None]
    now = utc_now()
    content = json.dumps({"asked_at": f"{now:%Y-%m-%dT%H:%M:%SZ}", "skus": kept}, default=str, sort_keys=True).encode()
    yield Payload("skus.json", first.shown, content, now)


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per machine, region and option of which every part has a price, and what is incomplete. Raises ParseError."""
    document = read_json(content, _WHAT)
    skus, asked_at = list_of(document, "skus", _WHAT), as_text(field_of(document, "asked_at"))
    prices: dict[tuple[str, str, str], set[Decimal]] = defaultdict(set)
    for sku in skus:
        part, amount = _part_of(sku), _amount(sku, asked_at)
        regions = field_of(sku, "serviceRegions")
        if part is not None and amount and isinstance(regions, list):
            for region in regions:
                if region != "global":
                    prices[*part, str(region)].add(amount)
    rows = list(_rows(prices))
    if not rows:
        raise ParseError(f"{_WHAT}: of {len(skus)} parts no machine can be put together")
    return offers([*rows, *_incomplete(prices)], provider="gcp", currency="USD", price_unit="instance_hour")


def _part_of(sku: Any) -> tuple[str, str] | None:
    """What the row is the price of, and for which option; None for all else."""
    described = _DESCRIPTION.match(as_text(field_of(sku, "description")) or "")
    kind = as_text(field_of(sku, "category.usageType"))
    if described is None or described["part"] not in _PARTS or kind not in ("OnDemand", "Preemptible"):
        return None
    # Some spot parts are filed under OnDemand: what they are called decides.
    return described["part"], "spot" if described["spot"] or described["attached"] or kind == "Preemptible" else "on_demand"


def _amount(sku: Any, asked_at: str | None) -> Decimal | None:
    """The price of an hour of one unit: of the last statement in force, its last tier; a month of a GiB by the hour."""
    stated = field_of(sku, "pricingInfo")
    in_force = [s for s in stated if _starts(s) <= (asked_at or "9999")] if isinstance(stated, list) else []
    pricing = field_of(max(in_force, key=_starts), "pricingExpression") if in_force else None
    tiers, unit = field_of(pricing, "tieredRates"), as_text(field_of(pricing, "usageUnit"))
    price = field_of(tiers[-1], "unitPrice") if isinstance(tiers, list) and tiers else None
    units, nanos = (number_of(as_text(field_of(price, name))) for name in ("units", "nanos"))
    if units is None or nanos is None or unit not in ("h", "GiBy.h", "GiBy.mo") or field_of(price, "currencyCode") != "USD":
        return None
    return (units + nanos * _BILLIONTH) / (_HOURS_OF_A_MONTH if unit == "GiBy.mo" else 1)


def _starts(stated: Any) -> str:
    return as_text(field_of(stated, "effectiveTime")) or ""


def _rows(prices: Mapping[tuple[str, str, str], Collection[Decimal]]) -> Iterator[dict[str, Any]]:
    places = sorted({(option, region) for _, option, region in prices})
    for machine in _MACHINES:
        parts = {f"{machine.host} Core": machine.cores, f"{machine.host} Ram": machine.memory_gib, machine.gpu: machine.gpus}
        parts |= {_DISK: machine.disk_gib} if machine.disk_gib else {}
        for option, region in places:
            found = {name: prices.get((name, option, region), ()) for name in parts}
            if not all(found.values()):
                continue
            # Of a part that is stated at two amounts neither is chosen: the machine has both, for the rules to put aside.
            totals = {sum((pick(found[name]) * number for name, number in parts.items()), Decimal(0)) for pick in (min, max)}
            for total in sorted(totals):
                yield {
                    "region": region,
                    "sku": machine.name,
                    "instance_type": machine.name,
                    "gpu_as_named": machine.gpu,
                    "gpu_count_stated": machine.gpus,
                    "purchase_option": option,
                    "native_amount": f"{total:.8f}",
                }


def _incomplete(prices: Mapping[tuple[str, str, str], Collection[Decimal]]) -> Iterator[dict[str, Any]]:
    """Accelerators that have a price where another part of their machines has none: one row for each, with those parts and places."""
    lacking: dict[tuple[str, str], set[str]] = {}
    for machine in _MACHINES:
        parts = [f"{machine.host} Core", f"{machine.host} Ram", *([_DISK] if machine.disk_gib else [])]
        for gpu, option, region in prices:
            missing = [part for part in parts if (part, option, region) not in prices] if gpu == machine.gpu else []
            lacking.setdefault((machine.gpu, option), set()).update(f"{part} in {region}" for part in missing)
    for (gpu, option), missing_parts in sorted(lacking.items()):
        if missing_parts:
            amount = f"without {', '.join(sorted(missing_parts))}"
            yield {"sku": f"{gpu} without its machine", "gpu_as_named": gpu, "purchase_option": option, "native_amount": amount}
