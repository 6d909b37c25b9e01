"""Parquet files whose bytes depend on their rows alone.

Belongs here: writing them. Does not belong here: which rows, in which order.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP_ROWS = 102_400


def schema_of(columns: pl.Schema) -> pa.Schema:
    """The schema in which a frame of these columns is written: of the two kinds of text the one that every reader knows."""
    given = pl.DataFrame(schema=columns).to_arrow().schema
    return pa.schema([f.with_type(pa.string()) if pa.types.is_large_string(f.type) else f for f in given])


def write_parquet(path: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> int:
    """Write tables one after the other, in row groups that are all full but the last, however the rows came; give their number."""
    rows, waiting = 0, schema.empty_table()
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in tables:
            rows += table.num_rows
            waiting = pa.concat_tables([waiting, table.cast(schema)])
            whole = waiting.num_rows // ROW_GROUP_ROWS * ROW_GROUP_ROWS
            if whole:
                writer.write_table(waiting.slice(0, whole), row_group_size=ROW_GROUP_ROWS)
                waiting = waiting.slice(whole)
        if waiting.num_rows or not rows:
            writer.write_table(waiting, row_group_size=ROW_GROUP_ROWS)
    return rows


def rows_in(path: Path) -> int:
    """The number of rows of a file, by its footer."""
    return int(pq.read_metadata(path).num_rows)
