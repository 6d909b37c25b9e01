"""What AWS says of its own GPU machine types; the curated table wins over it, and a difference is worth a look."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import polars as pl

from pipelines.sources.lib.aws import CREDENTIALS, NOMINAL_URL, by_region
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.source import FetchContext, Payload, Source

SOURCE = Source(
    title="AWS EC2 DescribeInstanceTypes",
    homepage="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypes.html",
    licence="facts of the account's own service",
    semantics="reading",
    base_url=NOMINAL_URL,
    credentials=CREDENTIALS,
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
}


def fetch(context: FetchContext) -> Iterable[Payload]:
    """Types with accelerators in every region of the account."""

    def rows_of(client: Any) -> Iterable[dict[str, Any]]:
        for page in client.get_paginator("describe_instance_types").paginate():
            yield from (row for row in page["InstanceTypes"] if "GpuInfo" in row or "NeuronInfo" in row)

    return by_region(context, rows_of)


def parse(content: bytes) -> pl.DataFrame:
    """One row per type and kind of accelerator, as stated. Raises ParseError."""
    try:
        document = json.loads(content)
        rows = [
            (
                document["region"],
                row["InstanceType"],
                kind,
                device.get("Name"),
                device.get("Manufacturer"),
                device.get("Count"),
                device.get("MemoryInfo", {}).get("SizeInMiB"),
                row["VCpuInfo"]["DefaultVCpus"],
                row["MemoryInfo"]["SizeInMiB"],
                " ".join(sorted(row.get("SupportedUsageClasses", []))),
            )
            for row in document["rows"]
            for kind, info, devices in (("gpu", "GpuInfo", "Gpus"), ("neuron", "NeuronInfo", "NeuronDevices"))
            for device in row.get(info, {}).get(devices, [])
        ]
        return pl.DataFrame(rows, schema=_SCHEMA, orient="row")
    except (ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        raise ParseError(f"instance types: {type(error).__name__}: {error}; expected a region with rows of types") from error
