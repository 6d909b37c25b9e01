"""The tables of the history, computed, checked and written a part of the series at a time, so that none is ever held whole.

Belongs here: going through the parts. Does not belong here: what a table says (its model), its rules (its contract).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa

from pipelines.catalogue.models import HISTORY, PART, Model, rounded
from pipelines.history.store import HistoryStore
from pipelines.platform.parquet import write_parquet
from pipelines.quality.results import RuleResult, merged

# Small parts are checked together: a check by Great Expectations has its own price.
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
    history: HistoryStore,
    inputs: Mapping[str, pl.LazyFrame],
    path: Path,
    check: Callable[[pl.DataFrame], list[RuleResult]] = lambda _: [],
) -> WrittenTable:
    """Compute a model that is in parts and write it as Parquet in the order of its key, if no verdict of `check` on it blocks.

    Raises ContractError where a part is not as the contract says.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    making = path.with_suffix(".new")
    schema = _as_published(pl.DataFrame(schema=model.contract.polars_schema()).to_arrow().schema)
    results: list[list[RuleResult]] = []

    def checked() -> Iterator[pa.Table]:
        for frame in _together(_parts(model, history, inputs)):
            results.append(check(frame))
            yield frame.to_arrow()

    rows = write_parquet(making, schema, checked())
    written = WrittenTable(rows, merged(results))
    if written.blocks:
        making.unlink()
    else:
        making.replace(path)
    return written


def _parts(model: Model, history: HistoryStore, inputs: Mapping[str, pl.LazyFrame]) -> Iterator[pl.DataFrame]:
    assert model.function is not None
    if history.is_empty:
        yield pl.DataFrame(schema=model.contract.polars_schema())
        return
    own = {name: inputs[name] for name in model.parameters if name in inputs}
    # A key begins with an id: the parts one after the other are in the order of the key.
    for part in history.parts():
        frame = model.contract.conform(model.function(**{HISTORY: history, PART: part}, **own))
        yield rounded(frame).sort(model.contract.grain).collect()


def _as_published(schema: pa.Schema) -> pa.Schema:
    # DuckDB, which writes the other tables, and polars have two kinds of text.
    return pa.schema([f.with_type(pa.string()) if pa.types.is_large_string(f.type) else f for f in schema])


def _together(parts: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    waiting: list[pl.DataFrame] = []
    for part in parts:
        if waiting and sum(w.height for w in waiting) + part.height > _ROWS_CHECKED_AT_ONCE:
            yield pl.concat(waiting)
            waiting = []
        waiting.append(part)
    if waiting:
        yield pl.concat(waiting)
