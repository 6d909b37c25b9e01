"""Inputs larger than those of a day: what memory they take, side by side.

A backfill of many days taken in at once beside one of fewer, and beside the same day by day; a list of 27 MB of machines that nobody has
seen before. A price list of AWS stands in `test_offers`. To reach: memory that the length of a backfill does not decide, the same bytes
as day by day; 1 GiB for the list.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import polars as pl

from pipelines.ingest.snapshots import SnapshotStore
from pipelines.sources.skypilot_catalog import payload
from tests.support.cli import SMALL_MARKET

from .made_year import LAST_DAY, write_days
from .markdown import table
from .measure import Cost, cost_of
from .scale import scale

SCALE = scale()
# Small: beside two archives.
SETTINGS = {} if SCALE.is_timed else SMALL_MARKET
BREAKEVEN = str(Path(sys.executable).parent / "breakeven")


def test_a_backfill_at_once(tmp_path: Path, page: list[str]) -> None:
    rows, costs, files = [], {}, {}
    for days, at_once in [*((days, True) for days in SCALE.backfills), (SCALE.backfills[-1], False)]:
        data, snapshots = tmp_path / f"{days}-{at_once}", tmp_path / f"snapshots-{days}"
        if not snapshots.exists():
            write_days(snapshots, LAST_DAY - timedelta(days=days - 1), LAST_DAY, SCALE.mart_series)
        cost = cost_of([BREAKEVEN, "replay", str(snapshots), *(["--at-once"] if at_once else [])], data, SETTINGS)
        costs[days, at_once] = cost
        files[days, at_once] = [sha256(file.read_bytes()).hexdigest() for file in sorted((data / "replay" / "marts").rglob("*.parquet"))]
        rows.append([f"{days} days {'at once' if at_once else 'day by day'}", *_figures(cost)])
    page.append(
        "## A backfill at once\n\n"
        f"`breakeven replay` of {SCALE.mart_series:,} series of the made year; at once gives the tables of day by day, byte for byte.\n"
    )
    page.append(table(["what", "time", "processor", "peak", "written"], rows) + "\n")
    least, most = SCALE.backfills
    assert files[most, True]
    assert files[most, True] == files[most, False]
    assert costs[most, True].peak_mib <= 1.3 * costs[least, True].peak_mib
    assert costs[most, True].peak_mib <= 2048


def test_a_list_of_new_machines(tmp_path: Path, page: list[str]) -> None:
    names = [
        "InstanceType",
        "AcceleratorName",
        "AcceleratorCount",
        "vCPUs",
        "MemoryGiB",
        "Price",
        "SpotPrice",
        "Region",
        "AvailabilityZone",
    ]
    number = pl.int_range(SCALE.new_machines, eager=True)
    cells = [pl.format("new-{}.xlarge", "n"), *map(pl.lit, ("H100", 1, 8, 64)), 2 + pl.col("n") % 100 / 100, 1 + pl.col("n") % 90 / 100]
    places = [pl.lit("us-east-1"), pl.lit("us-east-1a")]
    made = pl.DataFrame({"n": number}).select(cell.alias(name) for name, cell in zip(names, [*cells, *places], strict=True))
    content = made.write_csv().encode()
    store = SnapshotStore(tmp_path / "snapshots")
    store.add(
        "skypilot_catalog", LAST_DAY, "made", [payload("aws", content, "https://catalog.example/vms.csv", read_at=f"{LAST_DAY}T06:00:00Z")]
    )
    cost = cost_of([BREAKEVEN, "refresh", "--offline", "--as-of", str(LAST_DAY)], tmp_path, SETTINGS)
    page.append(f"## A list of new machines\n\n{SCALE.new_machines:,} machines, {len(content) / 1e6:.0f} MB, by `breakeven refresh`.\n")
    page.append(table(["time", "processor", "peak", "written"], [_figures(cost)]) + "\n")
    assert cost.peak_mib <= 1024


def _figures(cost: Cost) -> list[str]:
    return [f"{cost.seconds:.0f} s", f"{cost.cpu_seconds:.0f} s", f"{cost.peak_mib:.0f} MiB", f"{cost.written_mib:.0f} MiB"]
