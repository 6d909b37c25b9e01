"""AWS' small map of on-demand prices by place, the one that its own price page is drawn from: a check of the price list files."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from urllib.parse import quote

import polars as pl

from pipelines.sources.lib.aws import gpu_instance_types
from pipelines.sources.lib.decode import as_text, field_of, parser, read_json
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.fetching import each_answer
from pipelines.sources.lib.http import Request
from pipelines.sources.lib.offers import OFFER_TABLE, offers
from pipelines.sources.lib.source import FetchContext, Payload, Source

# The names under which the service knows its regions.
_REGIONS = {
    "US East (N. Virginia)": "us-east-1",
    "US East (Ohio)": "us-east-2",
    "US West (Oregon)": "us-west-2",
    "EU (Ireland)": "eu-west-1",
    "EU (London)": "eu-west-2",
    "EU (Paris)": "eu-west-3",
    "EU (Frankfurt)": "eu-central-1",
    "EU (Stockholm)": "eu-north-1",
    "EU (Milan)": "eu-south-1",
    "Europe (Spain)": "eu-south-2",
    "Europe (Zurich)": "eu-central-2",
}

SOURCE = Source(
    title="AWS on-demand map",
    homepage="https://aws.amazon.com/ec2/pricing/on-demand/",
    licence="public price list; figures with attribution",
    semantics="reading",
    precedence=110,
    base_url="https://b0.p.awsstatic.com",
    table=OFFER_TABLE,
    certainty="reported",
    checked_on=date(2026, 11, 23),
    gives="on-demand prices of machines with accelerators in eleven regions, from an address that nobody documents",
)
_WHAT = "map of prices"


def fetch(context: FetchContext) -> Iterable[Payload]:
    """One map per region; a name that has changed is a problem of its own."""
    path = "/pricing/2.0/meteredUnitMaps/ec2/USD/current/ec2-ondemand-without-sec-sel/{}/Linux/index.json"
    return each_answer(context, {code: Request(context.base_url + path.format(quote(name))) for name, code in _REGIONS.items()})


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per machine with accelerators. Raises ParseError."""
    document = read_json(content, _WHAT)
    regions = field_of(document, "regions")
    if not isinstance(regions, dict):
        raise ParseError(f"{_WHAT}: regions is {type(regions).__name__}, expected an object")
    wanted = set(gpu_instance_types())
    entries = [(place, entry) for place, named in regions.items() if isinstance(named, dict) for entry in named.values()]
    if entries and not any(field_of(entry, "Instance Type") and field_of(entry, "price") for _, entry in entries):
        raise ParseError(f"{_WHAT}: none of {len(entries)} entries has an Instance Type and a price")
    if not entries:
        raise ParseError(f"{_WHAT}: no entry")
    rows = [
        {
            "region": _REGIONS.get(place, place),
            "sku": name,
            "instance_type": name,
            "native_amount": field_of(entry, "price"),
        }
        for place, entry in entries
        if (name := as_text(field_of(entry, "Instance Type"))) in wanted and field_of(entry, "Operating System") in (None, "Linux")
    ]
    return offers(rows, provider="aws", currency=field_of(document, "manifest.currencyCode"))
