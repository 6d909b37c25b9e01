"""The operations that write a data folder, each small, and what must hold of the folder whatever happened to one."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path

from pipelines.ingest.snapshots import SnapshotStore
from pipelines.platform.files import write_whole
from pipelines.publication.manifest import changed_files, read_manifest
from pipelines.publication.ops import OpsRecorder, condense, runs, thin_out
from pipelines.publication.versions import PublishedFolder
from pipelines.quality.quarantine import DECISIONS, decision_row
from pipelines.refresh.backup import restore_backup, write_backup
from pipelines.sources.lib.source import Payload

DAY = dt.date(2026, 1, 5)
AT = dt.datetime(2026, 1, 5, 6)
# No two versions have one name: each has the time and the run in it.
_numbers = count(100)


def add(data: Path, day: int) -> None:
    store = SnapshotStore(data / "snapshots")
    payloads = [Payload(f"part{n}", "https://example.org/", f"day {day} part {n} ".encode() * 4000, AT) for n in range(2)]
    store.add("somewhere", DAY + dt.timedelta(days=day), f"run-{day}", payloads)


def publish(data: Path, number: int, stamp: str = "20260105T060000Z") -> Path:
    published = PublishedFolder(data / "published")
    made = published.start(f"{stamp}-{number:03}")
    (made / "marts").mkdir()
    files = {}
    for name in ("breakeven.duckdb", "marts/x.parquet"):
        content = f"figures {number} of {name} ".encode() * 4000
        (made / name).write_bytes(content)
        files[name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    keys = ("version", "as_of", "created_at", "blocked_reason", "fingerprint", "sources", "tables")
    (made / "manifest.json").write_text(json.dumps({**dict.fromkeys(keys, ""), "run_id": str(number), "blocked": False, "files": files}))
    return published.make_current(made, keep=2)


def record(data: Path, number: int) -> None:
    recorder = OpsRecorder(data / "ops", f"run-{number}")
    at = AT + dt.timedelta(days=number)
    row = {"as_of_on": at.date(), "started_at": at, "finished_at": None, "detail": None, "software_version": "1"}
    recorder.append("refreshes", [{**row, "outcome": "running", "number": number}])
    recorder.append(
        "quarantine",
        [{"table_name": "t", "quarantine_number": n, "row_json": "x" * 200} for n in range(3)],
    )
    recorder.append("check_results", [{"table_name": "t", "rule": "holds", "is_passed": True, "detail": "y" * 200}])
    recorder.append("refreshes", [{**row, "outcome": "published", "finished_at": at}])


def filled(data: Path) -> Path:
    """A data folder as some days leave it."""
    for day in range(6):
        add(data, day)
        record(data, day)
    publish(data, 0)
    publish(data, 1)
    SnapshotStore(data / "snapshots").state()
    return data


OPERATIONS: dict[str, Callable[[Path], object]] = {
    "store an answer": lambda data: add(data, 90),
    "pack answers": lambda data: SnapshotStore(data / "snapshots").compact(DAY + dt.timedelta(days=4)),
    "accept losses": lambda data: SnapshotStore(data / "snapshots").accept_losses(),
    "publish a version": lambda data: publish(data, 1000 * os.getpid() + next(_numbers)),
    "record a run": lambda data: record(data, 90),
    "condense the record": lambda data: condense(data / "ops", AT + dt.timedelta(days=4)),
    "thin out the record": lambda data: thin_out(data / "ops", keep_runs=2),
    "decide about a row in quarantine": lambda data: decide(data),  # noqa: PLW0108  (it stands below)
    "write a small file whole": lambda data: write_whole(data / "alerts.json", b"{}" * 5000),
    "back up": lambda data: write_backup(data, data.parent / "backup.tar.gz"),
    "restore": lambda data: _restored(data),  # noqa: PLW0108  (it stands below)
}


def decide(data: Path) -> None:
    """Release a row in quarantine, as the command does."""
    row = {"row_id": "0123456789ab", "table_name": "t", "row_key": "0", "rule": "r", "row_json": "{}"}
    decision = decision_row(row, "released", "looked at", AT + dt.timedelta(days=90))
    OpsRecorder(data / "ops", f"decision-{os.getpid()}-{next(_numbers)}").append(DECISIONS, [decision])


def _restored(data: Path) -> None:
    target = data.parent / "restored"
    target.mkdir(exist_ok=True)
    restore_backup(data.parent / "whole.tar.gz", target)


def assert_sound(data: Path) -> None:
    """The published version is whole, every answer reads as it was stored, every run is known."""
    published = PublishedFolder(data / "published")
    current = published.current
    assert current is not None and (data / "published" / "breakeven.duckdb").read_bytes().startswith(b"figures")
    assert changed_files(current, read_manifest(current)) == []
    store = SnapshotStore(data / "snapshots")
    fetches = [f for f in store.fetches() if f.as_of < DAY + dt.timedelta(days=90)]
    assert [f.as_of for f in fetches] == [DAY + dt.timedelta(days=n) for n in range(6)]
    for day, fetch in enumerate(fetches):
        for n, payload in enumerate(fetch.payloads):
            assert store.content(payload) == f"day {day} part {n} ".encode() * 4000
    assert store.losses() == []
    known = [run for run in runs(data / "ops") if run["run_id"] != "run-90"]
    assert [(run["number"], run["outcome"]) for run in known] == [(n, "published") for n in range(6)]


def assert_next_completes(data: Path, name: str) -> None:
    """The operation, done again, comes to its end, and leaves nothing behind that it should not."""
    target = data.parent / "restored"
    if name == "restore" and (target / "snapshots").exists() and not (target / ".restoring" / ".extracted").exists():
        assert_sound(target)  # it was killed after its end
        return
    OPERATIONS[name](data)
    assert_sound(data)
    left = [p for p in data.rglob("*") if p.name.endswith((".new", ".part", ".tmp", ".removed"))]
    SnapshotStore(data / "snapshots").compact(dt.date(2000, 1, 1))
    publish(data, 1000 * os.getpid() + next(_numbers))
    left = [p for p in left if p.exists() and not p.name.startswith(".")]
    assert left == [], left
    if name == "restore":
        assert_sound(target)
