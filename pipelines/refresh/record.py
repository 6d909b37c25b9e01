"""What a refresh writes into its record about a table: verdicts, and rows put into quarantine.

Belongs here: the rows of `ops.check_results` and `ops.quarantine` of one session. Does not belong here: judging (`pipelines.quality`),
the files of the record (`pipelines.publication.ops`).
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from pipelines.catalogue.contracts import Contract
from pipelines.quality.results import RuleResult, as_check_results
from pipelines.refresh.session import RefreshSession


def record_results(session: RefreshSession, table: str, results: Iterable[RuleResult]) -> None:
    """Append verdicts about a table to ops.check_results."""
    session.ops.append("check_results", as_check_results(table, results))


def record_quarantine(session: RefreshSession, contract: Contract, rows: pl.DataFrame, first_number: int = 0) -> None:
    """Append rows to ops.quarantine, numbered within the run and table from `first_number` on."""
    numbered = enumerate(rows.iter_rows(named=True), first_number)
    session.ops.append("quarantine", ({"table_name": contract.table, "quarantine_number": number, **row} for number, row in numbered))
