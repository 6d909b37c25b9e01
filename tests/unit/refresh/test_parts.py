"""Tables written a part at a time: the file is that of the whole, a verdict on any part stops it, nothing is lost between parts."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from pipelines.catalogue.contracts import ContractError, catalogue
from pipelines.quality.results import RuleResult
from pipelines.refresh import parts
from pipelines.refresh.parts import write_parts

CONTRACT = catalogue().tables["gpu_price_rolling"]


def windows(day: int, count: int) -> pl.LazyFrame:
    figures = {c: pl.lit(float(day)) for c in CONTRACT.column_names if c.endswith("_usd_per_gpu_hour")}
    made = pl.LazyFrame({"series_id": [f"{day:04}{number:012}" for number in range(count)]}, schema={"series_id": pl.String}).with_columns(
        on_date=pl.lit(dt.date(2026, 1, day)),
        window_days=pl.lit(7, dtype=pl.Int64),
        last_covered_on=pl.lit(dt.date(2026, 1, day)),
        last_observed_on=pl.lit(dt.date(2026, 1, day)),
        covered_share=pl.lit(1.0),
        change_count=pl.lit(0, dtype=pl.Int64),
        **figures,
    )
    return made.select(CONTRACT.column_names)


def judged(passed: bool, frame: pl.DataFrame) -> list[RuleResult]:
    return [RuleResult("rule", "row", "critical", passed, 0 if passed else 1, frame.height, "why")]


def test_parts_make_the_file_of_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = pl.concat([windows(1, 30), windows(2, 50), windows(3, 20)])
    write_parts(CONTRACT, [whole], tmp_path / "whole.parquet")
    monkeypatch.setattr(parts, "_ROWS_CHECKED_AT_ONCE", 60)
    seen: list[int] = []

    def check(frame: pl.DataFrame) -> list[RuleResult]:
        seen.append(frame.height)
        return judged(True, frame)

    # Each part in any order of its own, empty ones among them.
    given = [windows(1, 0), windows(1, 30).reverse(), windows(2, 50), windows(2, 0), windows(3, 20)]
    written = write_parts(CONTRACT, given, tmp_path / "parts.parquet", check)
    assert (tmp_path / "parts.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert (written.rows, seen) == (100, [30, 50, 20])
    assert [(r.row_count, r.passed) for r in written.results] == [(100, True)]


def test_a_verdict_on_one_part_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_ROWS_CHECKED_AT_ONCE", 1)
    file = tmp_path / "table.parquet"
    write_parts(CONTRACT, [windows(1, 1)], file)
    before = file.read_bytes()
    written = write_parts(CONTRACT, [windows(1, 2), windows(2, 3)], file, lambda frame: judged(frame.height == 2, frame))
    assert written.blocks
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_a_table_without_rows_is_judged_too(tmp_path: Path) -> None:
    written = write_parts(CONTRACT, [windows(1, 0)], tmp_path / "t.parquet", lambda frame: judged(False, frame))
    assert (written.rows, written.blocks, [r.row_count for r in written.results]) == (0, True, [0])


def test_a_part_that_is_not_as_the_contract_says_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="covered_share"):
        write_parts(CONTRACT, [windows(1, 1), windows(2, 1).drop("covered_share")], tmp_path / "t.parquet")
    assert not (tmp_path / "t.parquet").exists()
