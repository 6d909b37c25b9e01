"""Quarantine that can be worked: which rows are put aside, and what a person decided about them.

Belongs here: the open rows with their decisions, recording a decision, what was released. Does not belong here: rules (`row_rules`), the
words of the command line. A decision is a row of `ops.quarantine_decision`: who, when, why. It holds for what was stated, whenever it
is stated again: a released row passes from the next refresh on, a held one stays out, looked at.
"""

from __future__ import annotations

import getpass
import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

import polars as pl

Decision = Literal["released", "held"]
DECISIONS = "quarantine_decision"
_ID_LENGTH = 12


class QuarantineError(Exception):
    """What was asked of the quarantine cannot be done; the message says what there is."""


def row_id(table_name: str, row_key: str, rule: str) -> str:
    """Short name of a quarantined row: the same each time that its source states it and its rule holds it back."""
    return hashlib.sha256("\n".join((table_name, row_key, rule)).encode()).hexdigest()[:_ID_LENGTH]


def open_rows(quarantined: pl.DataFrame, decisions: pl.DataFrame) -> list[dict[str, Any]]:
    """Each row once, as it was last met, with its `row_id` and `state`: open, released or held. Newest decision counts."""
    state = {row["row_id"]: row["decision"] for row in decisions.sort("decided_at").iter_rows(named=True)}
    rows = {row_id(r["table_name"], r["row_key"], r["rule"]): r for r in quarantined.iter_rows(named=True)}
    return [{"row_id": name, "state": state.get(name, "open"), **row} for name, row in sorted(rows.items())]


def find(rows: Iterable[dict[str, Any]], wanted: str) -> dict[str, Any]:
    """The row with this id, or the only one whose id begins so. Raises QuarantineError."""
    found = [row for row in rows if row["row_id"].startswith(wanted)]
    if len(found) != 1:
        said = "no row in quarantine has" if not found else f"{len(found)} rows in quarantine have"
        raise QuarantineError(f"{said} an id that begins with {wanted!r}; `breakeven quarantine list` shows the ids")
    return found[0]


def decision_row(row: dict[str, Any], decision: Decision, reason: str, at: datetime) -> dict[str, Any]:
    """The decision about a row as a row of `ops.quarantine_decision`. Raises QuarantineError without a reason."""
    if not reason.strip():
        raise QuarantineError("a decision needs a reason: --reason TEXT")
    kept = {name: row[name] for name in ("row_id", "table_name", "row_key", "rule", "row_json")}
    return {**kept, "decision": decision, "reason": reason.strip(), "decided_by": getpass.getuser(), "decided_at": at}


def released_keys(decisions: pl.DataFrame, table_name: str) -> pl.DataFrame:
    """Key and rule of the rows of a table that a person released, by their newest decision."""
    newest = decisions.filter(pl.col("table_name") == table_name).sort("decided_at").unique("row_id", keep="last", maintain_order=True)
    return newest.filter(pl.col("decision") == "released").select("row_key", "rule").sort("row_key", "rule")
