"""AWS spot prices by availability zone, as changes, through the account's own key."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, timedelta
from typing import Any

import polars as pl

from pipelines.platform.clock import utc_now
from pipelines.sources.lib.aws import CREDENTIALS, NOMINAL_URL, SESSION_TOKEN, by_region, gpu_instance_types
from pipelines.sources.lib.dates import instant_of, unless_unread
from pipelines.sources.lib.decode import as_text, field_of, list_of, parser, read_json, text_rows
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.offers import observations
from pipelines.sources.lib.source import FetchContext, Payload, Source

# The service remembers no longer than this.
_BACKFILL = timedelta(days=90)

SOURCE = Source(
    title="AWS EC2 DescribeSpotPriceHistory",
    homepage="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSpotPriceHistory.html",
    licence="prices of the account's own service; figures",
    semantics="change",
    precedence=100,
    base_url=NOMINAL_URL,
    credentials=CREDENTIALS,
    optional_credentials=SESSION_TOKEN,
    tier=2,
    gives="spot prices of every zone of the account's regions, as changes, 90 days back",
)
_WHAT = "spot price history"
_FIELDS = {
    "zone": "AvailabilityZone",
    "zone_id": "AvailabilityZoneId",
    "instance_type": "InstanceType",
    "product_description": "ProductDescription",
    "native_amount": "SpotPrice",
    "changed_at": "Timestamp",
}
_COLUMNS = ["region", *_FIELDS]


def fetch(context: FetchContext) -> Iterable[Payload]:
    """All regions and zones: the changes since the last whole fetch, 90 days at first, and the prices in force at the start of that."""
    since = max(context.since or utc_now() - _BACKFILL, utc_now() - _BACKFILL)
    types = gpu_instance_types()

    def rows_of(client: Any) -> Iterable[dict[str, Any]]:
        pages = client.get_paginator("describe_spot_price_history").paginate(
            InstanceTypes=types, ProductDescriptions=["Linux/UNIX"], StartTime=since.replace(tzinfo=UTC)
        )
        for page in pages:
            yield from page["SpotPriceHistory"]

    return by_region(context, rows_of)


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One row per change of a type in a zone; the amount as printed. Raises ParseError."""
    document = read_json(content, _WHAT)
    rows = list_of(document, "rows", _WHAT)
    region = as_text(field_of(document, "region"))
    if region is None:
        raise ParseError(f"{_WHAT}: region is missing")
    text = text_rows(rows, _FIELDS, _WHAT, required=("zone", "instance_type", "native_amount", "changed_at"))
    text = text.select(pl.lit(region).alias("region"), pl.all())
    changed_at = instant_of(pl.col("changed_at"))
    return text.with_columns(unless_unread("native_amount", {"changed_at": changed_at}), changed_at=changed_at).select(_COLUMNS)


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed observation: a change at its own time, confirmed when it was fetched."""
    return observations(
        raw,
        SOURCE,
        provider="aws",
        sku=pl.col("instance_type"),
        purchase_option="spot",
        first_seen_at=pl.col("changed_at"),
        last_confirmed_at=pl.max_horizontal("fetched_at", "changed_at"),
    )
