"""All marts on several workers of this machine: what the steps take as the history grows, and how much of the workers is put to use.

On the recorded readings, moved so that the last day is of this year, beside the archive that ships. Processor time is compared, not the
clock: a machine has as many cores as it has. What is told of a size from smaller ones is held against what it took.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.support.catalog_snapshots import write_snapshots

from .distributed import Part, fitted, seconds_on
from .markdown import table
from .measure import measured
from .scale import scale

pytest.importorskip("ray", reason="the optional extra `distributed` is not installed")

SCALE = scale()
MOVED_BY_DAYS = 1190
FIRST = date(2023, 2, 1)
STEPS = {
    "price_run": "read and price, by run of batches",
    "judge_run": "judge, by run of batches",
    "write_bucket": "history and windows, by bucket of series",
    "put_statements": "whether offers can be had, not divided",
    "put_devices": "market, cheapest offers, break-even, by device",
    "write_turns": "costs per token, by turns",
    "sort_pieces": "parts in the order of their keys, by month",
    "join_pieces": "pieces put together, by month",
}


@dataclass(frozen=True)
class Taken:
    """What a history of so many days took on so many workers."""

    days: int
    readings: int
    windows: int
    workers: int
    seconds: float
    driver_seconds: float
    peak_mib: float
    bytes_put: int
    parts: list[Part]

    @property
    def cpu_seconds(self) -> float:
        """Processor time of all workers and of the driver."""
        return self.driver_seconds + sum(part.cpu_seconds for part in self.parts)

    def of(self, step: str) -> float:
        """Processor time of a step."""
        return sum(part.cpu_seconds for part in self.parts if part.function == step)


@pytest.fixture(scope="module")
def moved(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recorded readings, as if of this year."""
    path = tmp_path_factory.mktemp("moved") / "readings.parquet"
    readings = pl.scan_parquet(shared / "data" / "catalog_price_readings.parquet")
    readings.with_columns(pl.col("observed_at").dt.offset_by(f"{MOVED_BY_DAYS}d")).sink_parquet(path)
    return path


def taken(moved: Path, folder: Path, days: int, workers: int) -> Taken:
    first = FIRST + timedelta(days=MOVED_BY_DAYS)
    last = first + timedelta(days=days - 1)
    data, files = folder / f"{days}", folder / f"{days}-{workers}"
    if not data.exists():
        write_snapshots(moved, data / "snapshots", first=first, last=last)
    found = measured("tests.benchmarks.distributed:rebuilt", data, files, last, workers).result
    of_days = pl.col("observed_at").dt.date().is_between(first, last)
    windows = pl.scan_parquet(files / "marts" / "gpu_price_rolling" / "*.parquet").select(pl.len()).collect().item()
    parts = [Part(**part) for part in found["parts"]]
    return Taken(
        days,
        pl.scan_parquet(moved).filter(of_days).select(pl.len()).collect().item(),
        windows,
        workers,
        found["seconds"],
        found["driver_seconds"],
        max(part.peak_mib for part in parts),
        found["bytes_put"],
        parts,
    )


def test_steps_as_the_history_grows(moved: Path, tmp_path: Path, page: list[str]) -> None:
    found = [taken(moved, tmp_path, days, 2) for days in SCALE.divided_days]
    *known, told = found
    rows = []
    for step, name in {"driver": "the driver: what does not grow, reading and putting", **STEPS}.items():
        seconds = [one.driver_seconds if step == "driver" else one.of(step) for one in found]
        by = fitted([[1, one.readings, one.windows] for one in known], seconds[:-1])
        expected = by[0] + by[1] * told.readings + by[2] * told.windows
        per = [f"{by[0]:.1f} s", f"{by[1] * 1e6:.1f} s", f"{by[2] * 1e6:.1f} s"]
        rows.append([name, *(f"{one:.1f} s" for one in seconds), *per, f"{expected:.1f} s"])
    head = [
        "step",
        *(f"{one.days} days" for one in found),
        "fixed",
        "per million readings",
        "per million windows",
        f"told of {told.days} days",
    ]
    sizes = "; ".join(
        f"{one.days} days: {one.readings:,} readings, {one.windows:,} windows, {one.bytes_put / 2**20:.0f} MiB of files, "
        f"a worker's peak {one.peak_mib:.0f} MiB"
        for one in found
    )
    page.append(f"## All marts on two workers\n\nProcessor time of each step. {sizes}.\n\n" + table(head, rows) + "\n")
    assert all(one.peak_mib <= 2048 for one in found)


def test_how_much_of_the_workers_is_put_to_use(moved: Path, tmp_path: Path, page: list[str]) -> None:
    days = SCALE.divided_days[-2]
    found = [taken(moved, tmp_path, days, workers) for workers in SCALE.workers]
    one = found[0]
    rows = [
        [
            f"{run.workers}",
            f"{run.seconds:.0f} s",
            f"{run.cpu_seconds:.0f} s",
            f"{seconds_on(run.parts, run.driver_seconds, run.workers):.0f} s",
            f"{seconds_on(run.parts, run.driver_seconds, 1) / seconds_on(run.parts, run.driver_seconds, run.workers) / run.workers:.2f}",
            f"{seconds_on(run.parts, 0, 1) / seconds_on(run.parts, 0, run.workers) / run.workers:.2f}",
        ]
        for run in found
    ]
    head = ["workers", "clock here", "processor time", "clock on as many cores", "of which put to use", "without the driver"]
    page.append(f"## Workers put to use\n\n{one.readings:,} readings of {days} days.\n\n" + table(head, rows) + "\n")
    assert all(run.workers == 1 or seconds_on(run.parts, 0, 1) > seconds_on(run.parts, 0, run.workers) for run in found)
