"""What a refresh writes into its record about a table: verdicts, and rows put into quarantine.

Belongs here: the rows of `ops.check_results` and `ops.quarantine` of one session. Does not belong here: judging (`pipelines.quality`),
the files of the record (`pipelines.publication.ops`).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.catalogue.contracts import Contract
from pipelines.publication.ops import OpsRecorder, recorded_rows
from pipelines.quality.results import RuleResult, as_check_results
from pipelines.refresh.session import RefreshSession

# Beyond this, rows of one key and rule are taken for equal; the record cuts long texts.
_COMPARED_TEXT = 1_000


def record_results(session: RefreshSession, table: str, results: Iterable[RuleResult]) -> None:
    """Append verdicts about a table to ops.check_results."""
    session.ops.append("check_results", as_check_results(table, results))


def record_quarantine(session: RefreshSession, contract: Contract, rows: pl.DataFrame, first_number: int = 0) -> int:
    """Append rows to ops.quarantine, numbered within the run and table from `first_number` on; gives how many.

    A row that an earlier run, or this one before a kill, has put there is not written a second time.
    """
    if rows.is_empty():
        return 0
    known = recorded_quarantine(session.settings.folders.ops, contract.table)
    new = [row for row in rows.iter_rows(named=True) if (row["row_key"], row["rule"], row["row_json"][:_COMPARED_TEXT]) not in known]
    numbered = enumerate(new, first_number)
    session.ops.append("quarantine", ({"table_name": contract.table, "quarantine_number": number, **row} for number, row in numbered))
    return len(new)


def recorded_quarantine(folder: Path, table: str) -> set[tuple[str, str, str]]:
    """Key, rule and beginning of each row of a table that is in quarantine already."""
    return {
        (row["row_key"], row["rule"], row["row_json"][:_COMPARED_TEXT])
        for row in recorded_rows(folder, "quarantine")
        if row.get("table_name") == table and all(isinstance(row.get(name), str) for name in ("row_key", "rule", "row_json"))
    }


def source_statuses(recorder: OpsRecorder) -> list[dict[str, Any]]:
    """Rows of ops.source_status of one run, of each source the last."""
    return list({row["source"]: row for row in recorder.rows("source_status")}.values())
