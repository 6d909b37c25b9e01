"""Parquet bytes depend on the rows, not on how they came."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.platform.parquet import ROW_GROUP_ROWS, write_parquet

ROWS = pa.table({"number": range(ROW_GROUP_ROWS * 2 + 5)})


def groups(path: Path) -> list[int]:
    metadata = pq.ParquetFile(path).metadata
    return [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]


@pytest.mark.parametrize("size", [7_001, ROW_GROUP_ROWS, ROW_GROUP_ROWS * 3])
def test_the_same_bytes_however_the_rows_came(tmp_path: Path, size: int) -> None:
    whole, parts = tmp_path / "whole.parquet", tmp_path / "parts.parquet"
    assert write_parquet(whole, ROWS.schema, [ROWS]) == ROWS.num_rows
    assert write_parquet(parts, ROWS.schema, (ROWS.slice(n, size) for n in range(0, ROWS.num_rows, size))) == ROWS.num_rows
    assert groups(parts) == [ROW_GROUP_ROWS, ROW_GROUP_ROWS, 5]
    assert parts.read_bytes() == whole.read_bytes()
    assert pq.read_table(parts).equals(ROWS)


def test_no_rows_are_a_table_too(tmp_path: Path) -> None:
    assert write_parquet(tmp_path / "none.parquet", ROWS.schema, []) == 0
    assert pq.read_table(tmp_path / "none.parquet").schema == ROWS.schema
