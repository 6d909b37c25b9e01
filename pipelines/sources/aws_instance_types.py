"""What AWS says of its own GPU machine types; the curated table wins over it, and a difference is worth a look."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from pipelines.sources.lib.aws import CREDENTIALS, NOMINAL_URL, SESSION_TOKEN, by_region, gpu_instance_types
from pipelines.sources.lib.decode import as_text, field_of, list_of, parser, read_json, text_rows
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.source import FetchContext, Payload, Source

SOURCE = Source(
    title="AWS EC2 DescribeInstanceTypes",
    homepage="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypes.html",
    licence="facts of the account's own service",
    semantics="reading",
    base_url=NOMINAL_URL,
    credentials=CREDENTIALS,
    optional_credentials=SESSION_TOKEN,
    tier=2,
    certainty="recorded",
    gives="machine types with accelerators, in Amazon's own words",
)
_SCHEMA = {
    "region": pl.String,
    "instance_type": pl.String,
    "accelerator_kind": pl.String,
    "gpu_as_named": pl.String,
    "gpu_manufacturer": pl.String,
    "gpu_count_stated": pl.Float64,
    "gpu_memory_mib_each": pl.Int64,
    "vcpus": pl.Int64,
    "memory_mib": pl.Int64,
    "usage_classes": pl.String,
    "is_in_our_table": pl.Boolean,
}


_WHAT = "instance types"
_FIELDS = {
    "instance_type": "InstanceType",
    "accelerator_kind": "kind",
    "gpu_as_named": "device.Name",
    "gpu_manufacturer": "device.Manufacturer",
    "gpu_count_stated": "device.Count",
    "gpu_memory_mib_each": "device.MemoryInfo.SizeInMiB",
    "vcpus": "VCpuInfo.DefaultVCpus",
    "memory_mib": "MemoryInfo.SizeInMiB",
}


def fetch(context: FetchContext) -> Iterable[Payload]:
    """Types with accelerators in every region of the account."""

    def rows_of(client: Any) -> Iterable[dict[str, Any]]:
        for page in client.get_paginator("describe_instance_types").paginate():
            yield from (row for row in page["InstanceTypes"] if "GpuInfo" in row or "NeuronInfo" in row)

    return by_region(context, rows_of)


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One row per type and kind of accelerator, as stated. Raises ParseError."""
    document = read_json(content, _WHAT)
    region = as_text(field_of(document, "region"))
    types = [row for row in list_of(document, "rows", _WHAT) if isinstance(row, dict)]
    if region is None or (types and all("InstanceType" not in row for row in types)):
        raise ParseError(f"{_WHAT}: expected a region with rows of types, each with an InstanceType")
    devices = [
        {**row, "kind": kind, "device": device}
        for row in types
        for kind, path in (("gpu", "GpuInfo.Gpus"), ("neuron", "NeuronInfo.NeuronDevices"))
        for device in field_of(row, path) or []
    ]
    classes = [
        " ".join(sorted(c for c in row.get("SupportedUsageClasses") or [] if isinstance(c, str))) if isinstance(row, dict) else None
        for row in devices
    ]
    text = text_rows(devices, _FIELDS, _WHAT)
    numbers = {name: kind for name, kind in _SCHEMA.items() if kind in (pl.Float64, pl.Int64)}
    return text.with_columns(
        *(pl.col(name).cast(pl.Float64, strict=False).cast(kind, strict=False) for name, kind in numbers.items()),
        region=pl.lit(region),
        usage_classes=pl.Series(classes, dtype=pl.String),
        is_in_our_table=pl.col("instance_type").is_in(gpu_instance_types()),
    ).select(list(_SCHEMA))
