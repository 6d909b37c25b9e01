"""Rows on which a computation fails: found one by one, so that an error is a verdict on its row and never the end of a table.

Belongs here: computing a frame without the rows that make it raise, and saying which they are. Does not belong here: rules, which judge
what was computed (`row_rules`), what becomes of the rows (`quarantine`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from pipelines.catalogue.contracts import Contract
from pipelines.platform.text import fit_to_show
from pipelines.quality.results import RuleResult
from pipelines.quality.row_rules import QUARANTINE_SCHEMA, quarantined_rows

RULE = "can_be_computed"
REASON = "a row on which a computation fails says nothing of the others"
# More of them are no bad row here and there, but another answer, or a mistake of ours.
MOST_FAILING_ROWS = 20
_Compute = Callable[[pl.DataFrame], pl.DataFrame]


@dataclass(frozen=True)
class Computed:
    """What came of the rows that can be computed, these rows, and the rows that cannot, with the error of each."""

    frame: pl.DataFrame
    rows: pl.DataFrame
    failing: pl.DataFrame
    errors: tuple[str, ...] = ()


def computed_without_failing_rows(rows: pl.DataFrame, compute: _Compute) -> Computed:
    """Compute all rows at once; where that raises, those on which it raises by themselves are left out.

    Raises what `compute` raised where it fails without any row, with more rows than MOST_FAILING_ROWS, or only with several together.
    """
    try:
        return Computed(compute(rows), rows, rows.clear())
    except MemoryError:
        raise
    except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001  (it is raised again where no row is at fault)
        failed = error
    if _error(rows.clear(), compute) is not None:
        raise failed
    found: dict[int, str] = {}
    waiting = [(0, rows.height)]
    while waiting:
        first, count = waiting.pop()
        error_there = _error(rows.slice(first, count), compute)
        if error_there is None:
            continue
        if count > 1:
            half = count // 2
            waiting += [(first, half), (first + half, count - half)]
            continue
        found[first] = error_there
        if len(found) > MOST_FAILING_ROWS:
            raise failed
    if not found:
        raise failed
    is_failing = pl.Series(range(rows.height)).is_in(sorted(found))
    kept = rows.filter(~is_failing)
    return Computed(compute(kept), kept, rows.filter(is_failing), tuple(found[n] for n in sorted(found)))


def put_aside(contract: Contract, computed: Computed) -> tuple[list[RuleResult], pl.DataFrame]:
    """The verdict on rows of a table that could not be computed, none where all could, and these rows for the quarantine.

    The rows may lack columns of the table: those that the computation would have given.
    """
    count, first = computed.failing.height, computed.errors[0] if computed.errors else ""
    if not count:
        return [], pl.DataFrame(schema=QUARANTINE_SCHEMA)
    detail = f"{count} of {count + computed.rows.height} rows break it: {REASON}: {first}"
    result = RuleResult(RULE, "row", "critical", False, count, count + computed.rows.height, detail, "quarantined")
    reasons = pl.Series([f"{REASON}: {error}" for error in computed.errors])
    absent = [c.name for c in contract.columns if c.name not in computed.failing.columns]
    whole = computed.failing.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in absent)
    return [result], quarantined_rows(contract, whole, rule=pl.lit(RULE), reason=pl.lit(reasons))


def _error(rows: pl.DataFrame, compute: _Compute) -> str | None:
    try:
        compute(rows)
    except MemoryError:
        raise
    except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001  (whatever a row does, it is said of that row)
        return fit_to_show(f"{type(error).__name__}: {error}")
    return None
