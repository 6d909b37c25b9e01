"""A long table, written and read a part at a time, so that it is never held whole.

Belongs here: going through the parts. Does not belong here: which parts a table has (its model, `pipelines.history.materialize`), its
rules (`part_verdicts`), the form of a file (`pipelines.platform.parquet`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.catalogue.contracts import Contract
from pipelines.catalogue.models import as_written
from pipelines.platform.parquet import ROW_GROUP_ROWS, schema_of, write_parquet


def write_parts(
    contract: Contract, parts: Iterable[pl.LazyFrame], path: Path, seen: Callable[[pl.DataFrame], None] = lambda _: None
) -> int:
    """Compute parts that are in the order of the key and write them as one Parquet file; give the number of rows.

    `seen` is called with the rows of each. Raises ContractError where a part is not as the contract says.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Never into the file that is there: it is that of a published version, too.
    making = path.with_suffix(".new")

    def computed() -> Iterator[pa.Table]:
        for part in parts:
            # A part is small: polars' streaming engine would cost more than the work, as would asking the whole plan for its columns.
            figures = part.collect(engine="in-memory").lazy()
            rows = contract.conform(as_written(figures, contract)).sort(contract.grain, nulls_last=True).collect(engine="in-memory")
            seen(rows)
            yield rows.to_arrow()

    rows = write_parquet(making, schema_of(contract.polars_schema()), computed())
    making.replace(path)
    return rows


def read_in_pieces(contract: Contract, path: Path, rows_at_once: int = ROW_GROUP_ROWS) -> Iterator[pl.DataFrame]:
    """The rows of such a file in its order; those with one key are in one piece, so that each can be judged by itself."""
    waiting = pl.DataFrame(schema=contract.polars_schema())
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(rows_at_once):
            if waiting.height:
                # What comes may have the key of the last row.
                number = waiting.select(pl.struct(contract.grain).rle_id()).to_series()
                whole = int((number < number[-1]).sum())
                yield waiting.head(whole)
                waiting = waiting.slice(whole)
            waiting = pl.concat([waiting, pl.DataFrame(batch)])
    yield waiting
