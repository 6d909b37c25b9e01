"""The tables of the history, computed, checked and written a partition of the series at a time, so that none is ever held whole.

Belongs here: going through the partitions. Does not belong here: what a table says (its model), its rules (its contract).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa

from pipelines.catalogue.models import HISTORY, PARTITION, Model, rounded
from pipelines.history.views import HistoryViews
from pipelines.platform.parquet import schema_of, write_parquet
from pipelines.quality.results import RuleResult, merged

# Small partitions are checked together: a check by Great Expectations has its own price.
_ROWS_CHECKED_AT_ONCE = 200_000


@dataclass(frozen=True)
class WrittenTable:
    """Rows of a table, and the verdicts on them."""

    rows: int
    results: list[RuleResult]

    @property
    def blocks(self) -> bool:
        """True where a verdict must stop what is downstream; the file is as it was then."""
        return any(result.blocks for result in self.results)


def write_table(
    model: Model,
    history: HistoryViews,
    inputs: Mapping[str, pl.LazyFrame],
    path: Path,
    check: Callable[[pl.DataFrame], list[RuleResult]] = lambda _: [],
) -> WrittenTable:
    """Compute a partitioned model and write it as Parquet in the order of its key, if no verdict of `check` on it blocks.

    Raises ContractError where a partition is not as the contract says.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    making = path.with_suffix(".new")
    schema = schema_of(model.contract.polars_schema())
    results: list[list[RuleResult]] = []

    def checked() -> Iterator[pa.Table]:
        for frame in _batched(_partitions(model, history, inputs)):
            results.append(check(frame))
            yield frame.to_arrow()

    rows = write_parquet(making, schema, checked())
    written = WrittenTable(rows, merged(results))
    if written.blocks:
        making.unlink()
    else:
        making.replace(path)
    return written


def _partitions(model: Model, history: HistoryViews, inputs: Mapping[str, pl.LazyFrame]) -> Iterator[pl.DataFrame]:
    assert model.function is not None
    if history.is_empty:
        yield pl.DataFrame(schema=model.contract.polars_schema())
        return
    own = {name: inputs[name] for name in model.parameters if name in inputs}
    # A key begins with an id: partitions one after the other are in the order of the key.
    for partition in history.partitions():
        frame = model.contract.conform(model.function(**{HISTORY: history, PARTITION: partition}, **own))
        yield rounded(frame).sort(model.contract.grain).collect()


def _batched(partitions: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    waiting: list[pl.DataFrame] = []
    for partition in partitions:
        if waiting and sum(w.height for w in waiting) + partition.height > _ROWS_CHECKED_AT_ONCE:
            yield pl.concat(waiting)
            waiting = []
        waiting.append(partition)
    if waiting:
        yield pl.concat(waiting)
