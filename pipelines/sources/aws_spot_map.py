"""AWS' own list of spot prices by region, without a key and without zones: a second word beside the history that needs one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

import polars as pl

from pipelines.sources.lib.aws import gpu_instance_types
from pipelines.sources.lib.decode import as_text, field_of, list_of, number_of, parser, read_json
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.fetching import one_answer
from pipelines.sources.lib.offers import OFFER_TABLE, offers
from pipelines.sources.lib.source import FetchContext, Payload, Source

SOURCE = Source(
    title="AWS spot prices by region",
    homepage="https://aws.amazon.com/ec2/spot/pricing/",
    licence="public price list; figures with attribution",
    semantics="reading",
    precedence=300,
    base_url="https://website.spot.ec2.aws.a2z.com",
    table=OFFER_TABLE,
    certainty="reported",
    checked_on=date(2026, 11, 23),
    gives="spot prices of machines with accelerators by region, from an address that nobody documents",
)
_WHAT = "list of spot prices"
_CALLBACK = re.compile(rb"^\s*callback\((.*)\)\s*;?\s*$", re.DOTALL)
_OLD_NAMES = {
    "us-east": "us-east-1",
    "us-west": "us-west-1",
    "eu-ireland": "eu-west-1",
    "apac-sin": "ap-southeast-1",
    "apac-syd": "ap-southeast-2",
    "apac-tokyo": "ap-northeast-1",
}


def fetch(context: FetchContext) -> Iterable[Payload]:
    """One list of all regions, about 3 MB."""
    return one_answer(context, "spot.json", "/spot.json")


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per machine with accelerators and region; what is no number ("N/A*") is not offered. Raises ParseError."""
    wrapped = _CALLBACK.match(content)
    regions = list_of(read_json(wrapped.group(1) if wrapped else content, _WHAT), "config.regions", _WHAT)
    wanted = set(gpu_instance_types())
    sizes = [
        (as_text(field_of(region, "region")) or "", size)
        for region in regions
        for kind in field_of(region, "instanceTypes") or []
        for size in field_of(kind, "sizes") or []
    ]
    if not any(isinstance(field_of(size, "valueColumns"), list) for _, size in sizes):
        raise ParseError(f"{_WHAT}: none of {len(sizes)} sizes has valueColumns")
    rows = []
    for region, size in sizes:
        name = as_text(field_of(size, "size"))
        columns = field_of(size, "valueColumns")
        linux = next((c for c in columns if field_of(c, "name") == "linux"), None) if isinstance(columns, list) else None
        amount = as_text(field_of(linux, "prices.USD"))
        if name in wanted and number_of(amount) is not None:
            rows.append({"region": _OLD_NAMES.get(region, region), "sku": name, "instance_type": name, "native_amount": amount})
    return offers(rows, provider="aws", currency="USD", purchase_option="spot")
