"""A replay as a person runs it: its folder, its progress, what it leaves behind.

Belongs here: `breakeven replay`. Does not belong here: the batches themselves (`ingestion`), printing.
"""

from __future__ import annotations

import os
import resource
import shutil
import sys
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.catalogue.contracts import catalogue
from pipelines.catalogue.models import INGESTED, models
from pipelines.history.batches import batches_of, open_for_batches, price_services
from pipelines.history.ingestion import BatchResult, Ingestion
from pipelines.history.logic_version import logic_version
from pipelines.history.materialize import partitions
from pipelines.ingest.fetch import fetch_all
from pipelines.ingest.parse import read_source, unite_feed
from pipelines.ingest.registry import discover
from pipelines.ingest.snapshots import SnapshotStore
from pipelines.platform.clock import utc_now
from pipelines.platform.settings import Settings
from pipelines.quality.row_rules import check_rows
from pipelines.refresh.parts import write_parts

_REPORT_DAYS = 20


class NothingToReplayError(Exception):
    """The folder holds no snapshot of a price source; the message names it and what was expected."""


def run_replay(folder: Path, settings: Settings, *, at_once: bool, report: Callable[[str], None]) -> dict[str, Any]:
    """Replay the snapshots of a folder into `data/replay`: a history file of its own, and its tables as Parquet. Gives a summary.

    What an earlier replay left there is replaced. Call under the refresh lock. Raises NothingToReplayError.
    """
    known, modules, tables = catalogue(), discover(catalogue()), models()
    snapshots = SnapshotStore(folder)
    batches = batches_of(snapshots.fetches(), price_services(known, modules), date.max)
    if not batches:
        raise NothingToReplayError(
            f"{folder}: no snapshot of a price service there; expected a folder like data/snapshots, with index.jsonl"
        )
    last_day = batches[-1].as_of
    ingestion = Ingestion(snapshots, known, modules, tables[INGESTED], _shipped(settings, last_day), logic_version(known))
    target = settings.folders.replay
    shutil.rmtree(target, ignore_errors=True)
    rejected: list[str] = []
    days = sorted({batch.as_of for batch in batches})
    reported = quarantined = 0
    started = time.monotonic()

    def on_batch(done: BatchResult) -> None:
        nonlocal quarantined, reported
        rejected.extend(done.rejected)
        quarantined += done.quarantined
        # One batch of a backfill is that of many days.
        taken = bisect_right(days, done.as_of)
        if taken - reported >= _REPORT_DAYS:
            reported = taken
            pace = taken / (time.monotonic() - started) * 60
            report(f"{done.as_of}  {taken} of {len(days)} days, {pace:.0f} days a minute, peak {_peak_mib():.0f} MiB")

    with open_for_batches(target / "history.duckdb", known, batches, last_day, rebuild=True, is_durable=False) as opened:
        engine, pending = opened.engine, opened.pending
        (ingestion.replay_at_once if at_once else ingestion.replay)(engine, pending, on_batch)
        seconds, peak_mib = time.monotonic() - started, _peak_mib()
        inputs = {"price_series": engine.views.series()}
        rows = {
            name: write_parts(model.contract, partitions(model, engine.views, inputs), target / "marts" / f"{name}.parquet")
            for name, model in tables.items()
            if model.is_partitioned
        }
    return {
        "days": len(days),
        "from": batches[0].as_of,
        "to": last_day,
        "seconds": round(seconds, 1),
        "days_per_minute": round(len(days) / seconds * 60),
        "peak_mib": round(peak_mib),
        "snapshots_not_used": rejected,
        "rows_left_out_by_rules": quarantined,
        "rows": rows,
        "folder": str(target),
    }


def _shipped(settings: Settings, as_of: date) -> dict[str, pl.LazyFrame]:
    """What the model of observations reads beside the snapshots: the tables of what ships with the project, and the rates."""
    known, modules, tables = catalogue(), discover(catalogue()), models()
    bundled = SnapshotStore(settings.folders.snapshots)
    shipped = {name: module for name, module in modules.items() if module.source.is_bundled}
    fetch_all(shipped, bundled, settings, os.environ, utc_now().date(), "replay", offline=True, only_source=None, report=lambda _: None)

    def raw(names: Iterable[str]) -> dict[str, pl.LazyFrame]:
        return {name: read_source(modules[name], known.tables[name], known, bundled, date.max).frame.lazy() for name in names}

    readings, rates = tables["currency_rate_reading"], tables["currency_rate"]
    assert readings.function is not None
    assert rates.function is not None
    all_fx = unite_feed("fx", raw(c.name for c in known.fed_by("fx")), modules, known)
    good = check_rows(readings.contract, readings.function(all_fx=all_fx, as_of=as_of), may_quarantine=True).good
    read = raw(name for name in tables[INGESTED].inputs if name in shipped)
    return {**read, rates.name: rates.function(currency_rate_reading=good.lazy())}


def _peak_mib() -> float:
    # Linux counts the peak of the process that started this one into `ru_maxrss`; what it says of this one alone is elsewhere.
    status = Path("/proc/self/status")
    if status.exists():
        return float(next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM"))) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)
