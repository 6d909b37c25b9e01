"""The record of how each refresh went, appended while it runs, outside the asset graph.

Belongs here: appending rows to the run's own file, reading all files back as the `ops` tables, how much of old runs is kept. Does not
belong here: deciding a status or a verdict. A run's file is JSON lines, each `{"table": ..., ...columns}`. A line that cannot be read,
as a kill or a full disk leaves it, costs that line; `unreadable_lines` names it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.catalogue.contracts import Catalogue, Contract
from pipelines.catalogue.contracts import catalogue as shipped
from pipelines.platform.files import write_whole

# Text that an upstream chose is stored cut: a message, and the whole row of a quarantined line.
_LONGEST_TEXT = 2_000
_LONGEST_ROW = 20_000
# What each run says at length, and no one needs of a run of long ago.
_DETAILS = ("fetch_outcome", "check_results", "quarantine", "source_status", "ingested_batches")
_RUNS_WITH_ALL_VERDICTS = 7
_CONDENSED = "earlier.jsonl"


class OpsRecorder:
    """Appends to the file of one run; safe to use from several threads (one short write per row)."""

    def __init__(self, folder: Path, run_id: str) -> None:
        self.folder, self.run_id = folder, run_id
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{run_id}.jsonl"

    def append(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append rows of an ops table; `run_id` is added."""
        lines = [json.dumps({**_bounded(row), "table": table, "run_id": self.run_id}, default=_plain) + "\n" for row in rows]
        if not lines:
            return
        # One write on a descriptor opened for appending: concurrent rows do not interleave, and a kill tears at most the last.
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            torn = size and os.pread(descriptor, 1, size - 1) != b"\n"
            os.write(descriptor, (("\n" if torn else "") + "".join(lines)).encode())
        finally:
            os.close(descriptor)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """This run's rows of one table so far."""
        return _read_lines(self._path, table) if self._path.exists() else []


def read_ops(
    folder: Path, catalogue: Catalogue | None = None, not_yet_written: Iterable[Mapping[str, Any]] = (), *, run_id: str | None = None
) -> dict[str, pl.DataFrame]:
    """All runs' records as the `ops` tables of the contracts (those that ship where none are given), in the order of their keys; of one
    run where its `run_id` is given.

    A later row of a key replaces earlier ones.

    `not_yet_written`: rows (with `table` and `run_id`) that a version says of its own run, which become true when it is current.
    """
    lines = [row for path in _files(folder) if run_id is None or path.stem == run_id for row in _read_lines(path)]
    lines += [json.loads(json.dumps(row, default=_plain)) for row in not_yet_written]
    frames = {}
    for contract in (catalogue or shipped()).layer("ops"):
        schema, rows = contract.polars_schema(), {}
        for row in lines:
            if row["table"] == contract.name and (typed := _typed_row(row, contract, schema)) is not None:
                rows[tuple(str(typed[key]) for key in contract.grain)] = typed
        frames[contract.name] = pl.DataFrame(list(rows.values()), schema=schema, orient="row").sort(contract.grain)
    return frames


def recorded_rows(folder: Path, table: str) -> list[dict[str, Any]]:
    """Rows of one ops table of all runs, as they were appended."""
    return [row for path in _files(folder) for row in _read_lines(path, table)]


def runs(folder: Path) -> list[dict[str, Any]]:
    """How each run went by its newest row, in the order in which the runs were made (a clock may have jumped meanwhile).

    Keys: those of `ops.refreshes`, with times as text, and `number`, the place of the run (0 where an earlier version wrote it).
    """
    found: dict[str, dict[str, Any]] = {}
    for row in recorded_rows(folder, "refreshes"):
        if isinstance(row.get("started_at"), str) and isinstance(row.get("outcome"), str):
            found[row["run_id"]] = {"number": 0, "detail": None, "finished_at": None, **found.get(row["run_id"], {}), **row}
    return sorted(found.values(), key=lambda row: (row["number"], row["started_at"]))


def unreadable_lines(folder: Path, catalogue: Catalogue | None = None) -> list[str]:
    """Name of each file of the record with lines that cannot be read, and how many."""
    contracts = {contract.name: (contract, contract.polars_schema()) for contract in (catalogue or shipped()).layer("ops")}
    found = []
    for path in _files(folder):
        lines = [line for line in path.read_bytes().splitlines() if line.strip()]
        rows = _read_lines(path)
        bad = len(lines) - len(rows)
        bad += sum(row["table"] in contracts and _typed_row(row, *contracts[row["table"]]) is None for row in rows)
        if bad:
            found.append(f"ops/{path.name}: {bad} of {len(lines)} lines cannot be read and are left out; nothing else is affected")
    return found


def condense(folder: Path, before: datetime) -> int:
    """Keep of the runs that began before an instant no more than how each ended, in one file; give how many runs that were."""
    horizon = before.isoformat()
    old = [p for p in _files(folder) if p.name != _CONDENSED and (_began(p) or horizon) < horizon]
    if not old:
        return 0
    condensed = folder / _CONDENSED
    kept: dict[tuple[str, Any], dict[str, Any]] = {}
    for path in [p for p in (condensed, *old) if p.exists()]:
        for row in _read_lines(path):
            if row["table"] not in _DETAILS:
                key = row["table"], row["run_id"] if row["table"] == "refreshes" else len(kept)
                kept[key] = {**kept.get(key, {}), **row}
    write_whole(condensed, "".join(json.dumps(row) + "\n" for row in kept.values()).encode())
    for path in old:
        path.unlink()
    return len(old)


def thin_out(folder: Path, keep_runs: int = _RUNS_WITH_ALL_VERDICTS) -> None:
    """Of the runs before the last ones keep no verdict that passed: they are nine lines in ten, and say the same every day."""
    for run in runs(folder)[: -keep_runs or None]:
        path = folder / f"{run['run_id']}.jsonl"
        lines = _read_lines(path, "check_results") if path.exists() else []
        if any(row.get("is_passed") is True for row in lines):
            kept = [row for row in _read_lines(path) if row["table"] != "check_results" or row.get("is_passed") is not True]
            write_whole(path, "".join(json.dumps(row) + "\n" for row in kept).encode())


def _began(path: Path) -> str | None:
    return next((row["started_at"] for row in _read_lines(path, "refreshes") if row.get("started_at")), None)


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("*.jsonl") if p.is_file() and not p.name.startswith(".")) if folder.is_dir() else []


def _read_lines(path: Path, table: str | None = None) -> list[dict[str, Any]]:
    """Rows that can be read; of one table only where it is named, whose lines alone are taken apart then."""
    rows, marked = [], b"" if table is None else f'"table": {json.dumps(table)}'.encode()
    for line in path.read_bytes().splitlines():
        if marked not in line:
            continue
        try:
            row = json.loads(line)
        except ValueError:
            continue  # torn off by a kill, or written over
        is_row = isinstance(row, dict) and isinstance(row.get("table"), str) and isinstance(row.get("run_id"), str)
        if is_row and table in (None, row["table"]):
            rows.append(row)
    return rows


def _bounded(row: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _cut(v, _LONGEST_ROW if k == "row_json" else _LONGEST_TEXT) if isinstance(v, str) else v for k, v in row.items()}


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text):,} characters)"


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)


def _typed_row(row: Mapping[str, Any], contract: Contract, schema: pl.Schema) -> dict[str, Any] | None:
    try:
        typed = {name: _typed(row.get(name), kind) for name, kind in schema.items()}
    except (TypeError, ValueError):
        return None
    # A row that an earlier version wrote knows nothing of columns that came since: they stay unknown.
    return None if any(typed[name] is None for name in contract.grain) else typed


def _typed(value: Any, kind: pl.DataType) -> Any:
    if value is None:
        return None
    if kind == pl.Date:
        return date.fromisoformat(value)
    if kind == pl.Datetime:
        return datetime.fromisoformat(value)
    expected = {pl.String: (str,), pl.Boolean: (bool,), pl.Int64: (int,), pl.Float64: (int, float)}[kind.base_type()]
    if not isinstance(value, expected):
        raise ValueError(f"{value!r} is no {kind}")
    return value
