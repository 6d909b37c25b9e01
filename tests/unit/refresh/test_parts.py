"""Tables written a part at a time: the file is that of the whole, and nothing is lost between parts."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipelines.catalogue.contracts import ContractError
from pipelines.refresh.parts import read_in_pieces, write_parts
from tests.unit.refresh.windows import CONTRACT, windows


def test_parts_make_the_file_of_the_whole(tmp_path: Path) -> None:
    whole = pl.concat([windows(1, 30), windows(2, 50), windows(3, 20)])
    write_parts(CONTRACT, [whole], tmp_path / "whole.parquet")
    seen: list[int] = []
    # Each part in any order of its own, empty ones among them.
    given = [windows(1, 0), windows(1, 30).reverse(), windows(2, 50), windows(2, 0), windows(3, 20)]
    rows = write_parts(CONTRACT, given, tmp_path / "parts.parquet", lambda part: seen.append(part.height))
    assert (tmp_path / "parts.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert (rows, seen) == (100, [0, 30, 50, 0, 20])


def test_what_was_written_before_stays_as_it_is(tmp_path: Path) -> None:
    file, published = tmp_path / "table.parquet", tmp_path / "published.parquet"
    write_parts(CONTRACT, [windows(1, 1)], file)
    published.hardlink_to(file)
    write_parts(CONTRACT, [windows(1, 2)], file)
    assert (pl.read_parquet(published).height, pl.read_parquet(file).height) == (1, 2)


def test_a_part_of_another_form_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="covered_share"):
        write_parts(CONTRACT, [windows(1, 1), windows(2, 1).drop("covered_share")], tmp_path / "t.parquet")
    assert not (tmp_path / "t.parquet").exists()


@pytest.mark.parametrize("rows_at_once", [1, 2, 3, 100])
def test_what_is_read_in_pieces_has_each_key_in_one(tmp_path: Path, rows_at_once: int) -> None:
    file = tmp_path / "table.parquet"
    # The third row twice, and the last one.
    rows = pl.concat([windows(1, 3), windows(1, 3).tail(1), windows(2, 1), windows(2, 1)])
    write_parts(CONTRACT, [rows], file)
    pieces = list(read_in_pieces(CONTRACT, file, rows_at_once))
    assert pl.concat(pieces).equals(rows.collect())
    assert sum(piece.is_duplicated().sum() for piece in pieces) == 4


def test_a_table_without_rows_is_read_as_one_empty_piece(tmp_path: Path) -> None:
    write_parts(CONTRACT, [windows(1, 0)], tmp_path / "table.parquet")
    assert [piece.height for piece in read_in_pieces(CONTRACT, tmp_path / "table.parquet")] == [0]
