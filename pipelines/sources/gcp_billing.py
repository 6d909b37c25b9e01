"""GCP's catalogue of prices, with the account's own key: machines with GPUs, put together from cores, memory, GPUs and their disks.

A machine of which a region lacks one part is not sold there, and no row: the sum of the other parts is the price of nothing. Accelerators
without another part of their machines are said in one row for all places, which a rule holds back. A commitment is put together as an
hour on demand is, of the parts at the prices of its term. A machine that is not sold on demand is listed for a reservation.
Shares of a GPU and TPUs are not read.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any

import polars as pl

from pipelines.platform.clock import utc_now
from pipelines.sources.lib.amounts import money_of
from pipelines.sources.lib.dates import instant
from pipelines.sources.lib.decode import as_text, field_of, list_of, parser, read_json
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
    must_have=("a3-highgpu-8g",),
    gives="on-demand, spot and committed prices of machines with GPUs by region, as the sum of their parts",
)
_WHAT = "catalogue of prices"
_COMPUTE_ENGINE = "6F81-5844-456A"
_PAGING = {"by": "cursor", "param": "pageToken", "next": "nextPageToken", "size_param": "pageSize", "size": 5000}
_HOURS_OF_A_MONTH = 730
_ALWAYS, _NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

_ON_DEMAND, _SPOT, _CALENDAR = "on_demand", "spot", "calendar"
# The ways of buying, and what an offer says of each. Calendar mode books a machine for days of which the price is per hour.
_WAYS: Mapping[str, Mapping[str, Any]] = {
    _ON_DEMAND: {"purchase_option": "on_demand"},
    _SPOT: {"purchase_option": "spot"},
    "1": {"purchase_option": "commitment", "commitment_months": 12, "payment_option": "none"},
    "3": {"purchase_option": "commitment", "commitment_months": 36, "payment_option": "none"},
    _CALENDAR: {"purchase_option": "capacity_block", "purchase_option_as_named": "calendar mode"},
}


@dataclass(frozen=True)
class _Machine:
    """What a machine is made of; `host` names its cores and memory, `gpu` its accelerators, as the catalogue begins to describe them.

    Without a `host` the part of the accelerator is its share of the whole machine.
    """

    name: str
    host: str | None
    gpu: str
    gpus: int
    cores: int = 0
    memory_gib: int = 0
    disk_gib: int = 0
    # Sold on demand to who has a reservation only: the list price cannot be had by asking for a machine.
    by_reservation: bool = False
    # Sold while there is room only, neither on demand nor for a term.
    spot_only: bool = False

    @property
    def parts(self) -> Mapping[str, int]:
        """Every part by name, and how many units of it."""
        host = {f"{self.host} Core": self.cores, f"{self.host} Ram": self.memory_gib} if self.host else {}
        return {self.gpu: self.gpus, **host, **({_DISK: self.disk_gib} if self.disk_gib else {})}

    def is_sold(self, way: str) -> bool:
        return way == _SPOT or not self.spot_only


_DISK = "SSD backed Local Storage"
_A100, _A100_80 = "Nvidia Tesla A100 GPU", "Nvidia Tesla A100 80GB GPU"
_H100, _H100_MEGA, _H200 = "Nvidia H100 80GB GPU", "Nvidia H100 80GB Mega GPU", "H200 141GB GPU"
_B200, _L4, _RTX_PRO_6000 = "A4 Nvidia B200 (1 gpu slice)", "Nvidia L4 GPU", "RTX 6000 96GB"
_MACHINES = (
    *(_Machine(f"a2-highgpu-{n}g", "A2 Instance", _A100, n, 12 * n, 85 * n) for n in (1, 2, 4, 8)),
    _Machine("a2-megagpu-16g", "A2 Instance", _A100, 16, 96, 1360),
    *(_Machine(f"a2-ultragpu-{n}g", "A2 Instance", _A100_80, n, 12 * n, 170 * n, 375 * n) for n in (1, 2, 4, 8)),
    *(_Machine(f"a3-highgpu-{n}g", "A3 Instance", _H100, n, 26 * n, 234 * n, 750 * n, spot_only=True) for n in (1, 2, 4)),
    _Machine("a3-highgpu-8g", "A3 Instance", _H100, 8, 208, 1872, 6000),
    _Machine("a3-megagpu-8g", "A3Plus Instance", _H100_MEGA, 8, 208, 1872, 6000),
    _Machine("a3-ultragpu-8g", "A3Ultra Instance", _H200, 8, 224, 2952, 12000, by_reservation=True),
    _Machine("a4-highgpu-8g", None, _B200, 8, by_reservation=True),
    *(_Machine(f"g2-standard-{cores}", "G2 Instance", _L4, 1, cores, 4 * cores) for cores in (4, 8, 12, 16, 32)),
    *(_Machine(f"g2-standard-{12 * n}", "G2 Instance", _L4, n, 12 * n, 48 * n) for n in (2, 4, 8)),
    *(_Machine(f"g4-standard-{48 * n}", "G4 Instance", _RTX_PRO_6000, n, 48 * n, 180 * n) for n in (1, 2, 4, 8)),
)
# The amounts of each part, way of buying and region; a text is what stands in the place of one.
_Prices = defaultdict[tuple[str, str, str], set[Decimal | str]]
_PARTS = {part for machine in _MACHINES for part in machine.parts}
# Other names of a part, and its name in a commitment: "Commitment v1: A3 Cpu in Paris for 1 Year".
_OTHER_NAMES = {
    "Nvidia H100 80GB Plus GPU": _H100_MEGA,
    "Nvidia H100 Mega 80GB GPU": _H100_MEGA,
    "Nvidia H200 141GB GPU": _H200,
    "Local SSD": _DISK,
} | {
    f"{machine.host.removesuffix(' Instance')} {theirs}": f"{machine.host} {ours}"
    for machine in _MACHINES
    if machine.host
    for theirs, ours in (("Cpu", "Core"), ("Ram", "Ram"))
}
# "Spot Preemptible A3 Instance Core running in Paris", "Nvidia L4 GPU attached to Spot Preemptible VMs running in Paris".
_DESCRIPTION = re.compile(
    r"^(?:(?P<spot>Spot Preemptible )|(?P<calendar>DWS Calendar Mode )|(?P<commitment>Commitment v1: ))?(?P<part>.+?)"
    r"(?P<attached> attached to Spot Preemptible VMs)?(?: (?:running )?in .+?)?(?: for (?P<years>[13]) Years?)?$"
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
    skus, asked_at = list_of(document, "skus", _WHAT), instant(as_text(field_of(document, "asked_at")) or "") or _NEVER
    prices: _Prices = defaultdict(set)
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
    """What the row is the price of, and for which way of buying; None for all else."""
    described = _DESCRIPTION.match(as_text(field_of(sku, "description")) or "")
    if described is None or bool(described["commitment"]) != bool(described["years"]):
        return None
    part = _OTHER_NAMES.get(described["part"], described["part"])
    kind = as_text(field_of(sku, "category.usageType"))
    if part not in _PARTS or kind not in ((f"Commit{described['years']}Yr",) if described["commitment"] else ("OnDemand", "Preemptible")):
        return None
    # Some spot parts are filed under OnDemand: what they are called decides.
    is_spot = described["spot"] or described["attached"] or kind == "Preemptible"
    return part, described["years"] or (_CALENDAR if described["calendar"] else _SPOT if is_spot else _ON_DEMAND)


def _amount(sku: Any, asked_at: datetime) -> Decimal | str | None:
    """The price of an hour of one unit: of the last statement in force, its last tier; a month of a GiB by the hour.

    What is stated in the place of a price is given as it stands there.
    """
    stated = field_of(sku, "pricingInfo")
    in_force = []
    for statement in stated if isinstance(stated, list) else []:
        text = as_text(field_of(statement, "effectiveTime"))
        starts_at = _ALWAYS if text is None else instant(text)
        if starts_at is None:
            return f"no amount with effectiveTime {text}"
        if starts_at <= asked_at:
            in_force.append((starts_at, statement))
    pricing = field_of(max(in_force, key=itemgetter(0))[1], "pricingExpression") if in_force else None
    tiers, unit = field_of(pricing, "tieredRates"), as_text(field_of(pricing, "usageUnit"))
    price = field_of(tiers[-1], "unitPrice") if isinstance(tiers, list) and tiers else None
    amount = money_of(price)
    if amount is None or unit not in ("h", "GiBy.h", "GiBy.mo") or field_of(price, "currencyCode") != "USD":
        return None if price is None else f"{as_text(price)} per {unit}"
    return amount / (_HOURS_OF_A_MONTH if unit == "GiBy.mo" else 1)


def _rows(prices: _Prices) -> Iterator[dict[str, Any]]:
    places = sorted({(way, region) for _, way, region in prices})
    for machine in _MACHINES:
        for way, region in places:
            found = {name: prices.get((name, way, region), set()) for name in machine.parts}
            if not machine.is_sold(way) or not all(found.values()):
                continue
            for amount in _totals(machine, found):
                yield {
                    "region": region,
                    "sku": machine.name,
                    "instance_type": machine.name,
                    "gpu_as_named": machine.gpu,
                    "gpu_count_stated": machine.gpus,
                    "stock": "on_request" if machine.by_reservation and way == _ON_DEMAND else None,
                    "native_amount": amount,
                    **_WAYS[way],
                }


def _totals(machine: _Machine, found: Mapping[str, Collection[Decimal | str]]) -> list[str]:
    """What the machine costs. Of a part that is stated at two amounts neither is chosen: there are both, for the rules to put aside,
    as is what stands in the place of a part's price.
    """
    unread = {f"{name} at {amount}" for name in machine.parts for amount in found[name] if isinstance(amount, str)}
    if unread:
        return [", ".join(sorted(unread))]
    known = {name: [amount for amount in found[name] if isinstance(amount, Decimal)] for name in machine.parts}
    totals = {sum((pick(known[name]) * number for name, number in machine.parts.items()), Decimal(0)) for pick in (min, max)}
    return [f"{total:.8f}" for total in sorted(totals)]


def _incomplete(prices: _Prices) -> Iterator[dict[str, Any]]:
    """Accelerators that have a price where another part of their machines has none: one row for each, with those parts and places."""
    lacking: dict[tuple[str, str], set[str]] = {}
    for machine in _MACHINES:
        for gpu, way, region in prices:
            if gpu == machine.gpu and machine.is_sold(way):
                missing = [part for part in machine.parts if (part, way, region) not in prices]
                lacking.setdefault((gpu, way), set()).update(f"{part} in {region}" for part in missing)
    for (gpu, way), missing_parts in sorted(lacking.items()):
        if missing_parts:
            amount = f"without {', '.join(sorted(missing_parts))}"
            yield {"sku": f"{gpu} without its machine", "gpu_as_named": gpu, "native_amount": amount, **_WAYS[way]}
