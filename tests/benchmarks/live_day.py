"""A made day of the whole market, for the benchmarks: three large services in their own shapes, about 25,000 prices.

Every accelerated machine of AWS on demand and Reserved in the regions that are asked on a day, and by zone spot in all of them, and every
one of Azure on demand, spot, reserved and under savings plans. Of a day's prices a third of the spot ones have moved, as in the recorded
history, and one in five hundred of the others. Made from the day alone; nothing of it is a price.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines.ingest.snapshots import SnapshotStore
from pipelines.platform.paths import PACKAGE_FOLDER
from pipelines.sources.lib.source import Payload
from tests.support.paths import FIXTURES

ZONES = "abc"
# Price lists of these are asked for each day, those of a seventh of the others by turns.
_DAILY, _DAYS_OF_A_ROUND = ("us-east-1", "eu-central-1", "eu-west-1", "eu-west-3"), 7
_OPENING = dt.date(2026, 1, 1)
_MOVED_SHARE = {"spot": 1 / 3, "list": 1 / 500}
_RESERVED = [
    (length, months, paid, kind, share)
    for kind, dear in (("standard", 1.0), ("convertible", 1.1))
    for length, months, share_of_term in (("1yr", 12, 0.7), ("3yr", 36, 0.5))
    for paid, share in (("No Upfront", share_of_term * dear), ("All Upfront", share_of_term * dear * 0.95))
]


def write_day(folder: Path, day: dt.date) -> int:
    """Store the answers of a day; gives the number of its prices."""
    store, at = SnapshotStore(folder), dt.datetime.combine(day, dt.time(6))
    count = 0
    for source, payloads in (("aws_offers", _aws_offers(day)), ("aws_spot", _aws_spot(day)), ("azure_retail", _azure(day))):
        answers = list(payloads)
        count += sum(prices for _, _, prices in answers)
        stored = [Payload(name, f"https://{source}.example/{name}", content, at) for name, content, _ in answers]
        store.add(source, day, f"made-{day}", stored)
    return count


def _rows(table: str, provider: str) -> list[dict[str, str]]:
    with (PACKAGE_FOLDER / "reference" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row.get("provider") == provider]


def _machines(provider: str) -> list[tuple[str, float]]:
    """Types with what an hour of one costs about: in the middle of what its accelerator was ever seen at."""
    with (PACKAGE_FOLDER / "reference" / "gpu_price_band.csv").open(encoding="utf-8", newline="") as file:
        bands = {row["gpu"]: row for row in csv.DictReader(file)}
    found = []
    for row in _rows("instance_gpu", provider):
        band = bands.get(row["gpu"])
        middle = math.sqrt(float(band["least_usd_per_gpu_hour"]) * float(band["greatest_usd_per_gpu_hour"])) if band else 1.0
        found.append((row["instance_type"], middle * float(row["gpu_count"])))
    return found


def _regions(provider: str) -> list[str]:
    return [row["region"] for row in _rows("region_country", provider) if "gov" not in row["region"] and "cn-" not in row["region"]]


def _moves(name: str, kind: str, day: dt.date) -> float:
    """How often a price has moved since the first day, as a factor near 1."""
    moved = sum(_share(f"{name} {d}") < _MOVED_SHARE[kind] for d in range((day - _OPENING).days % 28))
    return 1 + 0.01 * (moved % 9)


def _share(text: str) -> float:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest()) / 2**32


def _aws_offers(day: dt.date) -> Iterator[tuple[str, bytes, int]]:
    stored = list(csv.reader((FIXTURES / "aws_offers" / "answer.csv").read_text(encoding="utf-8").splitlines()))
    header, shape = stored[5], dict(zip(stored[5], stored[6], strict=True))
    others = [region for region in _regions("aws") if region not in _DAILY]
    for number, region in enumerate([*_DAILY, *others[day.toordinal() % _DAYS_OF_A_ROUND :: _DAYS_OF_A_ROUND]]):
        out = io.StringIO()
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerows([*stored[:5], header])
        prices = 0
        for kind, usd in _machines("aws"):
            price = usd * (1 + 0.01 * (number % 20)) * _moves(f"{region} {kind}", "list", day)
            machine = shape | {"SKU": f"{kind} {region}", "Instance Type": kind, "Region Code": region, "Location": region}
            lines = [machine | {"PricePerUnit": f"{price:.10f}"}]
            for length, months, paid, offering, share in _RESERVED:
                term = machine | {"TermType": "Reserved", "LeaseContractLength": length, "PurchaseOption": paid, "OfferingClass": offering}
                term |= {"OfferTermCode": f"{length} {paid} {offering}"}
                by_hour, once = (0.0, price * share * months * 730) if paid == "All Upfront" else (price * share, 0.0)
                lines.append(term | {"Unit": "Hrs", "PricePerUnit": f"{by_hour:.10f}"})
                if once:
                    lines.append(term | {"Unit": "Quantity", "PricePerUnit": f"{once:.2f}"})
            prices += 1 + len(_RESERVED)
            writer.writerows([line[column] for column in header] for line in lines)
        yield region, out.getvalue().encode(), prices


def _aws_spot(day: dt.date) -> Iterator[tuple[str, bytes, int]]:
    at = f"{day}T01:00:00+00:00"
    for number, region in enumerate(_regions("aws")):
        rows = [
            {
                "AvailabilityZone": region + zone,
                "InstanceType": kind,
                "ProductDescription": "Linux/UNIX",
                "SpotPrice": f"{usd * 0.5 * (1 + 0.01 * (number % 20)) * _moves(f'{region}{zone} {kind}', 'spot', day):.6f}",
                "Timestamp": at,
            }
            for kind, usd in _machines("aws")
            for zone in ZONES
        ]
        yield region, json.dumps({"region": region, "rows": rows}).encode(), len(rows)


def _azure(day: dt.date) -> Iterator[tuple[str, bytes, int]]:
    for number, region in enumerate(_regions("azure")):
        items: list[dict[str, Any]] = []
        for kind, usd in _machines("azure"):
            price = usd * (1 + 0.01 * (number % 20)) * _moves(f"{region} {kind}", "list", day)
            spot = usd * 0.4 * _moves(f"{region} {kind}", "spot", day)
            plans = [{"term": term, "retailPrice": round(price * share, 6)} for term, share in (("1 Year", 0.8), ("3 Years", 0.6))]
            items.append(_meter(region, kind, "", price) | {"savingsPlan": plans})
            items.append(_meter(region, kind, " Spot", spot))
            for term, hours, share in (("1 Year", 8760, 0.7), ("3 Years", 26_280, 0.5)):
                reserved = _meter(region, kind, f" {term}", price * share * hours)
                items.append(reserved | {"type": "Reservation", "reservationTerm": term})
        for kind_of_price in ("Consumption", "Reservation"):
            page = [item for item in items if item["type"] == kind_of_price]
            prices = len(page) + sum(len(item.get("savingsPlan", [])) for item in page)
            yield f"{region}/{kind_of_price}/0001", json.dumps({"Items": page, "NextPageLink": None}).encode(), prices


def _meter(region: str, kind: str, remark: str, amount: float) -> dict[str, Any]:
    name = kind.removeprefix("Standard_").replace("_", " ")
    return {
        "currencyCode": "USD",
        "tierMinimumUnits": 0.0,
        "retailPrice": round(amount, 6),
        "unitPrice": round(amount, 6),
        "armRegionName": region,
        "location": region,
        "effectiveStartDate": "2026-01-01T00:00:00Z",
        "meterId": f"{kind}{remark}",
        "meterName": name + remark,
        "productId": kind,
        "skuId": f"{kind}{remark}",
        "productName": "Virtual Machines NC Series",
        "skuName": name + remark,
        "serviceName": "Virtual Machines",
        "unitOfMeasure": "1 Hour",
        "type": "Consumption",
        "isPrimaryMeterRegion": True,
        "armSkuName": kind,
    }
