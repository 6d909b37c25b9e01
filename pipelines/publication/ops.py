"""The record of how each refresh went, appended while it runs, outside the asset graph.

Belongs here: appending rows to the run's own file, reading all files back as the `ops` tables. Does not belong here: deciding a
status or a verdict. A run's file is JSON lines, each `{"table": ..., ...columns}`; a line that a kill tore off is left out.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.catalogue.contracts import Catalogue


class OpsRecorder:
    """Appends to the file of one run; safe to use from several threads (one short write per row)."""

    def __init__(self, folder: Path, run_id: str) -> None:
        self.folder, self.run_id = folder, run_id
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{run_id}.jsonl"

    def append(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append rows of an ops table; `run_id` is added."""
        lines = [json.dumps({**row, "table": table, "run_id": self.run_id}, default=_plain) + "\n" for row in rows]
        if not lines:
            return
        # One write on a descriptor opened for appending: concurrent rows do not interleave, and a kill tears at most the last.
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(descriptor, "".join(lines).encode())
        finally:
            os.close(descriptor)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """This run's rows of one table so far."""
        return [row for row in _read_lines(self._path) if row["table"] == table] if self._path.exists() else []


def read_ops(folder: Path, catalogue: Catalogue) -> dict[str, pl.DataFrame]:
    """All runs' records as the `ops` tables of the contracts, in the order of their keys. A `refreshes` row replaces earlier ones of
    its run.
    """
    lines = [row for path in sorted(folder.glob("*.jsonl")) for row in _read_lines(path)]
    frames = {}
    for contract in catalogue.layer("ops"):
        schema = contract.polars_schema()
        rows = {
            tuple(str(row.get(key)) for key in contract.grain): {name: _typed(row.get(name), kind) for name, kind in schema.items()}
            for row in lines
            if row["table"] == contract.name
        }
        frames[contract.name] = pl.DataFrame(list(rows.values()), schema=schema, orient="row").sort(contract.grain)
    return frames


def _read_lines(path: Path) -> list[dict[str, Any]]:
    rows = []
    for line in path.read_bytes().splitlines(keepends=True):
        if not line.endswith(b"\n"):
            break  # torn off by a kill
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue  # a torn line that a later run of the same id wrote on to
    return rows


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)


def _typed(value: Any, kind: pl.DataType) -> Any:
    if value is None:
        return None
    if kind == pl.Date:
        return date.fromisoformat(value)
    if kind == pl.Datetime:
        return datetime.fromisoformat(value)
    return value
