"""Tables written a part at a time: the file is that of the whole, and nothing is lost between parts."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipelines.catalogue.contracts import ContractError
from pipelines.refresh.parts import write_parts
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
