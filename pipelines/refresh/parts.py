"""A long table, checked and written a part at a time, so that it is never held whole.

Belongs here: going through the parts. Does not belong here: which parts a table has (its model, `pipelines.history.materialize`), its
rules (its contract), the form of a file (`pipelines.platform.parquet`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa

from pipelines.catalogue.contracts import Contract
from pipelines.catalogue.models import as_written
from pipelines.platform.parquet import schema_of, write_parquet
from pipelines.quality.results import RuleResult, merged

# Small parts are checked together: a check by Great Expectations has its own price.
_ROWS_CHECKED_AT_ONCE = 50_000


@dataclass(frozen=True)
class WrittenTable:
    """Rows of a table, and the verdicts on them."""

    rows: int
    results: list[RuleResult]

    @property
    def blocks(self) -> bool:
        """True where a verdict must stop what is downstream; the file is as it was then."""
        return any(result.blocks for result in self.results)


def write_parts(
    contract: Contract, parts: Iterable[pl.LazyFrame], path: Path, check: Callable[[pl.DataFrame], list[RuleResult]] = lambda _: []
) -> WrittenTable:
    """Compute parts that are in the order of the key and write them as one Parquet file, if no verdict of `check` on one blocks.

    Raises ContractError where a part is not as the contract says.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Never into the file that is there: it is that of a published version, too.
    making = path.with_suffix(".new")
    results: list[list[RuleResult]] = []

    def checked() -> Iterator[pa.Table]:
        for frame in _batched(_computed(contract, parts)):
            results.append(check(frame))
            yield frame.to_arrow()

    rows = write_parquet(making, schema_of(contract.polars_schema()), checked())
    written = WrittenTable(rows, merged(results))
    if written.blocks:
        making.unlink()
    else:
        making.replace(path)
    return written


def _computed(contract: Contract, parts: Iterable[pl.LazyFrame]) -> Iterator[pl.DataFrame]:
    for part in parts:
        yield contract.conform(as_written(part, contract)).sort(contract.grain, nulls_last=True).collect()


def _batched(parts: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    waiting: list[pl.DataFrame] = []
    for part in parts:
        if waiting and part.height and sum(w.height for w in waiting) + part.height > _ROWS_CHECKED_AT_ONCE:
            yield pl.concat(waiting)
            waiting = []
        waiting.append(part)
    if waiting:
        yield pl.concat(waiting)
