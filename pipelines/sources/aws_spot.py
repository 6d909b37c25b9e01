"""AWS spot prices by availability zone, as changes, through the account's own key."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, timedelta
from typing import Any

import polars as pl

from pipelines.platform.clock import utc_now
from pipelines.sources.lib.aws import CREDENTIALS, NOMINAL_URL, by_region, gpu_instance_types
from pipelines.sources.lib.errors import ParseError
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
)
_SCHEMA = {
    "region": pl.String,
    "zone": pl.String,
    "zone_id": pl.String,
    "instance_type": pl.String,
    "product_description": pl.String,
    "native_amount": pl.String,
    "changed_at": pl.Datetime("us"),
}


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


def parse(content: bytes) -> pl.DataFrame:
    """One row per change of a type in a zone; the amount as printed. Raises ParseError."""
    try:
        document = json.loads(content)
        rows = [
            (
                document["region"],
                row["AvailabilityZone"],
                row.get("AvailabilityZoneId"),
                row["InstanceType"],
                row["ProductDescription"],
                row["SpotPrice"],
                row["Timestamp"],
            )
            for row in document["rows"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise ParseError(f"spot price history: {type(error).__name__}: {error}; expected a region with rows of changes") from error
    text = pl.DataFrame(rows, schema=dict.fromkeys(_SCHEMA, pl.String), orient="row")
    changed_at = pl.col("changed_at").str.to_datetime("%+", time_unit="us", strict=False)
    frame = text.with_columns(changed_at=changed_at.dt.convert_time_zone("UTC").dt.replace_time_zone(None))
    bad = frame.get_column("changed_at").is_null()
    if bad.any():
        raise ParseError(f"spot price history: Timestamp {text.get_column('changed_at')[bad.arg_true()[0]]!r} is not a time with a zone")
    return frame


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed observation: a change at its own time, confirmed when it was fetched."""
    return raw.select(
        pl.lit("aws").alias("provider"),
        pl.lit("aws").alias("seller"),
        "region",
        "zone",
        pl.col("instance_type").alias("sku"),
        "instance_type",
        pl.lit(None, dtype=pl.String).alias("gpu_as_named"),
        pl.lit(None, dtype=pl.Float64).alias("gpu_count_stated"),
        pl.lit(None, dtype=pl.Float64).alias("gpu_memory_gib_stated"),
        pl.lit("spot").alias("purchase_option"),
        pl.lit("spot").alias("purchase_option_as_named"),
        pl.lit(None, dtype=pl.String).alias("payment_option"),
        pl.lit(None, dtype=pl.Int64).alias("commitment_months"),
        pl.lit("linux").alias("operating_system"),
        pl.lit("shared").alias("tenancy"),
        pl.lit("datacenter").alias("trust_tier"),
        pl.lit("USD").alias("currency"),
        "native_amount",
        pl.lit("instance_hour").alias("price_unit"),
        pl.col("changed_at").alias("first_seen_at"),
        pl.max_horizontal("fetched_at", "changed_at").alias("last_confirmed_at"),
        pl.col("fetched_at").alias("known_from"),
        pl.lit(SOURCE.title).alias("source_detail"),
        pl.lit(SOURCE.homepage).alias("source_url"),
        pl.lit(SOURCE.licence).alias("licence"),
        "snapshot_sha256",
    )
