"""Verdicts on the parts of a table as they are computed.

Belongs here: which rows are judged together, and whose a verdict is. Does not belong here: the rules (`pipelines.quality`), the files of
the parts (`parts`, `month_parts`).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

import polars as pl

from pipelines.catalogue.contracts import Contract
from pipelines.quality.results import RuleResult, merged
from pipelines.quality.row_rules import check_rows
from pipelines.quality.table_rules import check_table

# A check by Great Expectations has its own price: small parts are judged together by rules of the whole table.
_ROWS_JUDGED_AT_ONCE = 100_000


def verdicts_on(contract: Contract, rows: pl.DataFrame) -> list[RuleResult]:
    """The verdicts on a table of which these are all rows."""
    return [*check_rows(contract, rows.lazy(), may_quarantine=False).results, *check_table(contract, rows)]


class PartVerdicts:
    """The verdicts on each part of one table. Call `finished` before they are read."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._waiting: list[tuple[str, pl.DataFrame]] = []
        self._of: dict[str, list[list[RuleResult]]] = {}

    def judge(self, part: str, rows: pl.DataFrame) -> None:
        """Judge some rows of a part: each row now, all of them together with those of other parts. That there are none is no fault."""
        if not rows.height:
            return
        self._of.setdefault(part, []).append(check_rows(self._contract, rows.lazy(), may_quarantine=False).results)
        if self._waiting and sum(waiting.height for _, waiting in self._waiting) + rows.height > _ROWS_JUDGED_AT_ONCE:
            self.finished()
        self._waiting.append((part, rows))

    def finished(self) -> None:
        """Judge what waits to be judged together."""
        if not self._waiting:
            return
        together = check_table(self._contract, pl.concat(rows for _, rows in self._waiting))
        is_clear = all(result.passed for result in together)
        for part, group in groupby(self._waiting, key=lambda waiting: waiting[0]):
            rows = pl.concat(own for _, own in group)
            # A verdict on all is one on each as long as nothing was found.
            own = [replace(result, row_count=rows.height) for result in together] if is_clear else check_table(self._contract, rows)
            self._of[part].append(own)
        self._waiting = []

    def of(self, part: str) -> list[RuleResult]:
        """The verdicts on a part."""
        return merged(self._of.get(part, []))
