"""Rules that speak of whole tables or of several at once: each a query in `sql/checks` that gives the rows that break it.

Belongs here: reading these queries and giving verdicts. Does not belong here: rules of one row (`row_rules`) or one table (`table_rules`).

A file begins with comments: the reason, and `severity: warning` where a broken rule does not block (else it is critical).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from pipelines.catalogue.models import parsed_query, tables_read
from pipelines.catalogue.rules import Severity
from pipelines.quality.results import RuleResult

# Runs a SELECT on the build files for a day.
Select = Callable[[str, date], pl.LazyFrame]
# What stands for the table in ops.check_results.
SQL_TABLE = "sql.checks"
_SEVERITY = "severity:"
_ROWS_SHOWN = 3


@dataclass(frozen=True)
class SqlCheck:
    """One query; it keeps its rule where it gives no row."""

    name: str
    severity: Severity
    reason: str
    sql: str


def load_sql_checks(folder: Path) -> list[SqlCheck]:
    """All checks of a folder by name. Raises ContractError for what is not one SELECT, ValueError for an unknown severity or no reason."""
    return [_load(path) for path in sorted(folder.glob("*.sql"))]


def _load(path: Path) -> SqlCheck:
    text = path.read_text(encoding="utf-8")
    where = f"checks/{path.name}"
    tables_read(parsed_query(text, where), where)
    comments = [line.removeprefix("--").strip() for line in text.splitlines() if line.startswith("--")]
    stated = [line.removeprefix(_SEVERITY).strip() for line in comments if line.startswith(_SEVERITY)]
    reason = " ".join(line for line in comments if not line.startswith(_SEVERITY))
    if not reason:
        raise ValueError(f"checks/{path.name}: begins with no comment that gives its reason")
    severity: Severity
    match stated:
        case [] | ["critical"]:
            severity = "critical"
        case ["warning"]:
            severity = "warning"
        case _:
            raise ValueError(f"checks/{path.name}: {_SEVERITY} {stated}, expected critical or warning")
    return SqlCheck(path.stem, severity, reason, text)


def run_sql_check(check: SqlCheck, select: Select, as_of: date) -> RuleResult:
    """Verdict of one check on the build files, with the first rows that break it."""
    count = select(f"SELECT count(*) AS row_count FROM ({check.sql}) AS broken", as_of).collect().item()
    detail = check.reason
    if count:
        rows = select(f"SELECT * FROM ({check.sql}) AS broken LIMIT {_ROWS_SHOWN}", as_of).collect().to_dicts()
        detail = f"{count} rows break it: {check.reason} First: {json.dumps(rows, default=str)}"
    return RuleResult(check.name, "sql", check.severity, count == 0, count, count, detail)
