"""AWS capacity blocks: machines booked for a day ahead of time, through the account's own key; their fee is paid when they are booked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.sources.lib.aws import CREDENTIALS, NOMINAL_URL, SESSION_TOKEN, by_region
from pipelines.sources.lib.decode import as_text, field_of, list_of, number_of, parser, read_json
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.offers import OFFER_TABLE, offers
from pipelines.sources.lib.source import FetchContext, Payload, Source

SOURCE = Source(
    title="AWS EC2 capacity blocks",
    homepage="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeCapacityBlockOfferings.html",
    licence="prices of the account's own service; figures",
    semantics="reading",
    precedence=100,
    base_url=NOMINAL_URL,
    credentials=CREDENTIALS,
    optional_credentials=SESSION_TOKEN,
    table=OFFER_TABLE,
    tier=2,
    certainty="documented",
    checked_on=date(2026, 11, 23),
    gives="fees of machines booked for a day, in the account's regions that sell them",
)
_WHAT = "capacity blocks"
# The machines that are sold so; a region that does not sell one says so, and is passed over.
_TYPES = ("p4d.24xlarge", "p5.48xlarge", "p5e.48xlarge", "p5en.48xlarge", "p6-b200.48xlarge", "p6-b300.48xlarge")
_HOURS = 24
_NOT_SOLD_HERE = ("InvalidParameterValue", "Unsupported", "InvalidInstanceType", "UnsupportedOperation")


def fetch(context: FetchContext) -> Iterable[Payload]:
    """All regions of the account: what could be booked for a day. Nothing to be had is no error."""
    from botocore.exceptions import ClientError  # noqa: PLC0415  (slow to import; only where there is a key)

    def rows_of(client: Any) -> Iterable[dict[str, Any]]:
        pages = client.get_paginator("describe_capacity_block_offerings")
        for machine in _TYPES:
            try:
                for page in pages.paginate(InstanceType=machine, InstanceCount=1, CapacityDurationHours=_HOURS):
                    yield from page["CapacityBlockOfferings"]
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") not in _NOT_SOLD_HERE:
                    raise

    return by_region(context, rows_of)


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per machine and zone: the least fee of those to be had, by the hour of one machine. Raises ParseError."""
    document = read_json(content, _WHAT)
    blocks, region = list_of(document, "rows", _WHAT), as_text(field_of(document, "region"))
    if region is None or (blocks and not any(field_of(block, "UpfrontFee") for block in blocks)):
        raise ParseError(f"{_WHAT}: expected a region and blocks with UpfrontFee")
    least: dict[tuple[str | None, str | None, str | None], dict[str, Any]] = {}
    without: dict[tuple[str | None, str | None, str | None], dict[str, Any]] = {}
    for block in blocks:
        fee, hours, count = (
            number_of(as_text(field_of(block, name))) for name in ("UpfrontFee", "CapacityBlockDurationHours", "InstanceCount")
        )
        machine, zone, money = (as_text(field_of(block, name)) for name in ("InstanceType", "AvailabilityZone", "CurrencyCode"))
        row = {"sku": machine, "instance_type": machine, "zone": zone, "currency": money}
        key = (machine, zone, money)
        if fee is None or hours is None or count is None or min(fee, hours, count) <= 0:
            without[key] = row | {"native_amount": f"UpfrontFee {fee} for {count} machines of {hours} hours"}
            continue
        amount = fee / hours / count
        row["native_amount"] = f"{amount:.8f}"
        if key not in least or amount < Decimal(least[key]["native_amount"]):
            least[key] = row
    return offers(
        # Of a machine that has a price it is no news that another block of it has none.
        (without | least).values(),
        provider="aws",
        region=region,
        purchase_option="capacity_block",
        purchase_option_as_named=f"capacity block of {_HOURS} hours",
        payment_option="all",
        stock="available",
        price_unit="instance_hour",
    )
