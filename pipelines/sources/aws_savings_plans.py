"""AWS Compute Savings Plans: the hourly rate of machines with accelerators under a commitment of one or three years, without a key.

A file of one region has hundreds of megabytes of JSON. It is read as it arrives, and kept are the rates of machines with accelerators, each
as a line of its own behind the line of its plan. A seventh of the regions is read each day: rates change with the price lists only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

import polars as pl

from pipelines.sources.lib.aws import MACHINE_USAGE, regions_of_the_day
from pipelines.sources.lib.decode import as_text, field_of, parser, read_json
from pipelines.sources.lib.errors import ParseError, SourceError
from pipelines.sources.lib.fetching import each_answer
from pipelines.sources.lib.http import Request
from pipelines.sources.lib.offers import OFFER_TABLE, offers
from pipelines.sources.lib.source import FetchContext, Payload, Source

SOURCE = Source(
    title="AWS Compute Savings Plans",
    homepage="https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html",
    licence="public price list; figures with attribution",
    semantics="reading",
    precedence=100,
    base_url="https://pricing.us-east-1.amazonaws.com",
    timeout_seconds=240.0,
    table=OFFER_TABLE,
    certainty="documented",
    checked_on=date(2026, 11, 23),
    gives="rates of machines with accelerators under Compute Savings Plans of one and three years, every region once a week",
)
_WHAT = "savings plan file"
# What stands before the rates of a plan, and one rate; blanks may stand between all parts.
_PART = re.compile(
    rb'"description"\s*:\s*"(?P<plan>[^"]{1,200})"|(?P<rate>\{\s*"discountedSku"[^{}]*"discountedRate"\s*:\s*\{[^{}]*\}[^{}]*\})'
)
_LINUX = re.compile(rb'"discountedOperation"\s*:\s*"RunInstances"')
# A rate has about 500 bytes. What is longer without one is no such file.
_LONGEST_PART_BYTES = 1 << 20
_PLAN = re.compile(r"^(1|3) year (No|Partial|All) Upfront Compute Savings Plan$")


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The files of today's regions, of which the rates that matter are kept."""
    path = "/savingsPlan/v1.0/aws/AWSComputeSavingsPlan/current/{}/index.json"
    regions = regions_of_the_day(context)
    return each_answer(context, {region: Request(context.base_url + path.format(region), keep=rates_kept) for region in regions})


def rates_kept() -> Callable[[bytes], bytes]:
    """Gives of the pieces of a file, one after the other and b"" at the end, its plans and the rates of machines as lines of JSON."""
    rest = b""

    def keep(piece: bytes) -> bytes:
        nonlocal rest
        text, end, kept = rest + piece, 0, []
        for part in _PART.finditer(text):
            end = part.end()
            if part["plan"] is not None:
                kept.append(json.dumps({"plan": part["plan"].decode("utf-8", "replace")}).encode() + b"\n")
            elif MACHINE_USAGE.search(part["rate"]) and _LINUX.search(part["rate"]):
                kept.append(b" ".join(part["rate"].split()) + b"\n")
        rest = text[end:] if piece else b""
        if len(rest) > _LONGEST_PART_BYTES:
            # Other products of the file stand before the plans.
            start = max(rest.rfind(b'"description"'), rest.rfind(b'"discountedSku"') - 2)
            if start < 0 and rest.count(b'"sku"') == 0:
                raise SourceError(f"{_WHAT}: {len(rest):,} bytes without a product or a rate; it is no such file")
            rest = rest[start:] if start >= 0 else rest[-_LONGEST_PART_BYTES // 2 :]
        return b"".join(kept)

    return keep


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per machine, region and plan. Raises ParseError."""
    found = list(_rows(read_json(line, _WHAT) for line in content.splitlines() if line.strip()))
    if not found:
        raise ParseError(f"{_WHAT}: no rate of a machine under a plan that is known")
    return offers(found, provider="aws", price_unit="instance_hour", purchase_option="commitment")


def _rows(lines: Iterable[Any]) -> Iterator[dict[str, Any]]:
    plan = None
    for line in lines:
        stated = as_text(field_of(line, "plan"))
        if stated is not None:
            plan = _PLAN.match(stated)
        elif plan is not None and field_of(line, "unit") == "Hrs":
            machine = (
                as_text(field_of(line, "discountedInstanceType"))
                or (as_text(field_of(line, "discountedUsageType")) or "").partition(":")[2]
            )
            yield {
                "region": field_of(line, "discountedRegionCode"),
                "sku": f"{machine} savings plan",
                "instance_type": machine,
                "purchase_option_as_named": plan.group(),
                "payment_option": plan.group(2).lower().replace("no", "none"),
                "commitment_months": int(plan.group(1)) * 12,
                "currency": field_of(line, "discountedRate.currency"),
                "native_amount": field_of(line, "discountedRate.price"),
            }
