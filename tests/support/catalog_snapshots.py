"""Readings of a catalog as stored snapshots of `skypilot_catalog`: one fetch per reading and cloud, one run per day.

The readings are the recorded history, or a test's own in its columns.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl

from pipelines.ingest.snapshots import SnapshotStore
from pipelines.sources.skypilot_catalog import payload

_COLUMNS = {
    "instance_type": "InstanceType",
    "accelerator": "AcceleratorName",
    "count": "AcceleratorCount",
    "vcpus": "vCPUs",
    "memory_gib": "MemoryGiB",
    "on_demand": "Price",
    "spot": "SpotPrice",
    "region": "Region",
    "zone": "AvailabilityZone",
}
# Of the others the catalog says nothing on how old a figure is.
_CLOUDS = ("aws", "azure", "gcp", "lambda")

# When, machine type, GPU, number of GPUs, list price and spot price in USD an hour of the whole machine.
Reading = tuple[datetime, str, str, float, float, float | None]


def write_readings(path: Path, readings: Iterable[Reading]) -> Path:
    """Readings of one zone of AWS in the columns of the recorded history."""
    rows = [(at, "aws", "us-east-1", "us-east-1a", kind, gpu, n, 8.0, 61.0, price, spot) for at, kind, gpu, n, price, spot in readings]
    names = ["observed_at", "cloud", "region", "zone", "instance_type", "accelerator", "count", "vcpus", "memory_gib", "on_demand", "spot"]
    pl.DataFrame(rows, schema=names, orient="row").write_parquet(path)
    return path


def write_snapshots(
    readings: Path,
    folder: Path,
    *,
    first: date | None = None,
    last: date | None = None,
    types: Collection[str] = (),
    later: timedelta = timedelta(),
) -> int:
    """Write readings of the days asked for (all by default, of all machine types by default), as if they had been made so much `later`;
    gives the number of fetches.
    """
    rows = pl.scan_parquet(readings).filter(pl.col("cloud").is_in(_CLOUDS))
    day = pl.col("observed_at").dt.date()
    rows = rows.filter(day >= (first or date.min), day <= (last or date.max))
    if types:
        rows = rows.filter(pl.col("instance_type").is_in(list(types)))
    rows = rows.with_columns(pl.col("observed_at") + later)
    store, written = SnapshotStore(folder), 0
    parts = rows.sort("observed_at", maintain_order=True).collect().partition_by("observed_at", "cloud", as_dict=True, maintain_order=True)
    for (observed_at, cloud), part in parts.items():
        csv = part.select(*_COLUMNS).rename(_COLUMNS).write_csv().encode()
        stored = replace(payload(str(cloud), csv, "https://catalog.example/vms.csv"), fetched_at=observed_at)
        store.add("skypilot_catalog", observed_at.date(), f"replay-{observed_at:%Y-%m-%d}", [stored])
        written += 1
    return written
