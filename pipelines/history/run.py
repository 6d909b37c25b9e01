"""A replay as a person runs it: its folder, its progress, what it leaves behind.

Belongs here: `breakeven replay`. Does not belong here: the replay itself (`replay`), printing.
"""

from __future__ import annotations

import os
import resource
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.contracts import catalogue
from pipelines.history.replay import Replay, ReplayedDay, write_tables
from pipelines.history.store import open_history
from pipelines.ingest import fetch_all
from pipelines.models import models
from pipelines.registry import discover
from pipelines.settings import Settings
from pipelines.snapshots import SnapshotStore
from pipelines.sources.base import utc_now

_REPORT_DAYS = 20


class NothingToReplayError(Exception):
    """The folder holds no snapshot of a price source; the message names it and what was expected."""


def run_replay(folder: Path, settings: Settings, *, at_once: bool, report: Callable[[str], None]) -> dict[str, Any]:
    """Replay the snapshots of a folder into `data/replay`: a history file of its own, and its tables as Parquet. Gives a summary.

    What an earlier replay left there is replaced. Call under the refresh lock. Raises NothingToReplayError.
    """
    known, modules, tables = catalogue(), discover(catalogue()), models()
    bundled = SnapshotStore(settings.data / "snapshots")
    shipped = {name: module for name, module in modules.items() if module.source.is_bundled}
    today = utc_now().date()
    fetch_all(shipped, bundled, settings, os.environ, today, "replay", offline=True, only_source=None, report=lambda _: None)
    replay = Replay(SnapshotStore(folder), bundled, known, modules, tables)
    if not replay.days:
        raise NothingToReplayError(
            f"{folder}: no snapshot of a price service there; expected a folder like data/snapshots, with index.jsonl"
        )
    target = settings.data / "replay"
    shutil.rmtree(target, ignore_errors=True)
    series_sql = tables["price_series"].sql
    assert series_sql is not None
    rejected: list[str] = []
    bad = taken = 0
    started = time.monotonic()

    def on_day(done: ReplayedDay) -> None:
        nonlocal bad, taken
        rejected.extend(done.rejected)
        bad, taken = bad + done.bad, taken + 1
        if taken % _REPORT_DAYS == 0:
            pace = taken / (time.monotonic() - started) * 60
            report(f"{done.day}  {taken} of {len(replay.days)} days, {pace:.0f} days a minute, peak {_peak_mib():.0f} MiB")

    with open_history(target / "history.duckdb", known, series_sql) as history:
        if at_once:
            on_day(replay.load_at_once(history))
        else:
            replay.feed(history, replay.days, on_day)
        seconds, peak_mib = time.monotonic() - started, _peak_mib()
        rows = write_tables(history, target / "marts", known, tables)
    return {
        "days": len(replay.days),
        "from": replay.days[0],
        "to": replay.days[-1],
        "seconds": round(seconds, 1),
        "days_per_minute": round(len(replay.days) / seconds * 60),
        "peak_mib": round(peak_mib),
        "snapshots_not_used": rejected,
        "rows_left_out_by_rules": bad,
        "rows": rows,
        "folder": str(target),
    }


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
