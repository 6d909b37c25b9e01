"""Parts of a mart by month: what was computed of the same before is not computed again, and whatever differs is."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from pipelines.catalogue.contracts import Contract
from pipelines.quality.row_rules import Checked
from pipelines.refresh import month_parts, part_verdicts
from pipelines.refresh.month_parts import MadeParts, MonthPart, PartStore, PlannedPart, planned
from tests.unit.refresh.windows import CONTRACT, windows

BAD = -1.0  # no volatility is below zero
TODAY = dt.date(2026, 9, 1)


class Plan:
    """Months with rows to be made of them, which counts what was made."""

    def __init__(self, **usd_by_month: float) -> None:
        self.usd = usd_by_month
        self.made: list[str] = []

    def __iter__(self) -> Iterator[PlannedPart]:
        for name, usd in self.usd.items():
            yield PlannedPart(f"2026-0{name[1:]}", str(usd), lambda name=name, usd=usd: self._rows(name, usd))  # type: ignore[misc]

    def _rows(self, name: str, usd: float) -> Iterator[pl.LazyFrame]:
        self.made.append(name)
        yield windows(1, 3 if usd else 0, month=int(name[1:]), usd=usd)


def made(folder: Path, plan: Plan, code: str = "code", today: dt.date = TODAY) -> MadeParts:
    return PartStore(folder, CONTRACT, code, today).made(plan)


def test_a_month_that_rests_on_the_same_is_not_made_again(tmp_path: Path) -> None:
    first = made(tmp_path, Plan(m1=1.0, m2=2.0))
    again = Plan(m1=1.0, m2=2.5, m3=3.0)
    second = made(tmp_path, again)
    assert again.made == ["m2", "m3"]
    assert second.parts[0] == first.parts[0] and [part.name for part in second.parts] == ["2026-01", "2026-02", "2026-03"]
    assert [pl.read_parquet(part.file)["mean_usd_per_gpu_hour"][0] for part in second.parts] == [1.0, 2.5, 3.0]
    # The verdicts are those on all rows, kept ones among them, and what no refresh needs any more is gone.
    assert {result.row_count for result in second.results} == {9} and all(result.passed for result in second.results)
    assert {file.suffix for file in tmp_path.iterdir()} == {".parquet", ".json"} and len(list(tmp_path.iterdir())) == 6


def test_other_code_makes_all_again(tmp_path: Path) -> None:
    made(tmp_path, Plan(m1=1.0))
    again = Plan(m1=1.0)
    made(tmp_path, again, code="other code")
    assert again.made == ["m1"]


def test_a_rebuild_makes_and_judges_all_again(tmp_path: Path) -> None:
    first, again, later = made(tmp_path, Plan(m1=1.0)), Plan(m1=1.0), Plan(m1=1.0)
    assert PartStore(tmp_path, CONTRACT, "code", TODAY, anew=True).made(again) == first and again.made == ["m1"]
    assert made(tmp_path, later) == first and later.made == []


@pytest.mark.parametrize("damage", ["rows", "what is known of them", "both"])
def test_a_damaged_part_is_made_again(tmp_path: Path, damage: str) -> None:
    [part] = made(tmp_path, Plan(m1=1.0)).parts
    if damage != "what is known of them":
        part.file.write_bytes(part.file.read_bytes()[:-10])
    if damage != "rows":
        part.file.with_suffix(".json").write_text(json.dumps({"rows": 3})[:-3])
    again = Plan(m1=1.0)
    assert made(tmp_path, again).parts == [part] and again.made == ["m1"]
    assert pl.read_parquet(part.file).height == 3


def test_a_month_that_breaks_a_rule_is_not_kept(tmp_path: Path) -> None:
    found = made(tmp_path, Plan(m1=1.0, m2=BAD))
    assert found.blocks
    assert {(result.failing_count, result.row_count) for result in found.results if not result.passed} == {(3, 6)}
    again = Plan(m1=1.0, m2=BAD)
    assert made(tmp_path, again).blocks and again.made == ["m2"]


def test_a_month_without_rows_is_no_part_and_no_fault(tmp_path: Path) -> None:
    plan = Plan(m1=1.0, m2=0.0)
    found = made(tmp_path, plan)
    assert [part.name for part in found.parts] == ["2026-01"] and not found.blocks
    again = Plan(m1=1.0, m2=0.0)
    made(tmp_path, again)
    assert again.made == []


def test_a_mart_without_rows_is_judged_and_is_one_empty_file(tmp_path: Path) -> None:
    found = made(tmp_path, Plan())
    assert [(part.name, pl.read_parquet(part.file).schema) for part in found.parts] == [("", CONTRACT.polars_schema())]
    assert found.results and {result.row_count for result in found.results} == {0}


def test_a_key_that_stands_twice_blocks_only_its_own_month(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def twice(month: int) -> list[pl.LazyFrame]:
        return [windows(1, 2, month=month), windows(1, 2 if month == 2 else 0, month=month)]

    def plan() -> list[PlannedPart]:
        return [PlannedPart(f"2026-0{m}", "", lambda m=m: twice(m)) for m in (1, 2, 3)]  # type: ignore[misc]

    judged: list[int] = []
    check = part_verdicts.check_table
    monkeypatch.setattr(part_verdicts, "check_table", lambda contract, rows: (judged.append(rows.height), check(contract, rows))[1])
    found = PartStore(tmp_path, CONTRACT, "code", TODAY).made(plan())
    assert found.blocks
    # All together first, then each by itself, since something was found.
    assert judged == [8, 2, 4, 2]
    assert [month_parts._kept(part.name, part.file) is None for part in found.parts] == [False, True, False]


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Months whose rows were judged."""
    months: list[int] = []
    check = part_verdicts.check_rows

    def seen(contract: Contract, rows: pl.LazyFrame, *, may_quarantine: bool) -> Checked:
        months.append(rows.select(pl.col("on_date").dt.month().first()).collect().item())
        return check(contract, rows, may_quarantine=may_quarantine)

    monkeypatch.setattr(part_verdicts, "check_rows", seen)
    return months


def test_each_month_is_judged_again_every_week_and_not_all_on_one_day(tmp_path: Path, judged: list[int]) -> None:
    plan = Plan(**{f"m{month}": 1.0 for month in range(1, 10)})
    first = made(tmp_path, plan)
    of_first, of_days = list(judged), []
    for day in range(1, 29):
        judged.clear()
        assert made(tmp_path, plan, today=TODAY + dt.timedelta(day)) == first
        of_days.append(set(judged))
    assert plan.made == [f"m{month}" for month in range(1, 10)], "no month was computed again"
    for month in of_first:
        days = [0, *(day for day, months in enumerate(of_days, 1) if month in months)]
        assert {later - day for day, later in pairwise(days[1:])} == {7} and days[1] <= 7, days
    assert max(map(len, of_days)) < len(of_first)


def test_what_is_judged_once_more_on_one_day_is_not_judged_there_again(tmp_path: Path, judged: list[int]) -> None:
    plan = Plan(m1=1.0, m2=1.0)
    for day in (0, 0, 9, 9):
        made(tmp_path, plan, today=TODAY + dt.timedelta(day))
    assert sorted(judged) == [1, 1, 2, 2]


def test_a_check_on_a_day_to_come_was_none(tmp_path: Path, judged: list[int]) -> None:
    made(tmp_path, Plan(m1=1.0))
    made(tmp_path, Plan(m1=1.0), today=TODAY - dt.timedelta(1))
    assert judged == [1, 1]


def test_a_month_found_broken_when_it_is_judged_again_blocks_and_is_computed_again(tmp_path: Path) -> None:
    """As where what is known of a part was written by hand: its file is whole, its verdicts are not those on its rows."""
    folder = tmp_path / "mart"
    [bad], [good] = made(tmp_path / "bad", Plan(m1=BAD)).parts, made(folder, Plan(m1=1.0)).parts
    known = json.loads(good.file.with_suffix(".json").read_text())
    good.file.write_bytes(bad.file.read_bytes())
    good.file.with_suffix(".json").write_text(json.dumps({**known, "sha256": bad.sha256}))
    assert not made(folder, Plan(m1=1.0)).blocks, "what is known of a part is believed for some days"
    again, later = Plan(m1=1.0), Plan(m1=1.0)
    found = made(folder, again, today=TODAY + dt.timedelta(7))
    assert found.blocks and {result.failing_count for result in found.results if not result.passed} == {3} and again.made == []
    mended = made(folder, later, today=TODAY + dt.timedelta(7))
    assert not mended.blocks and later.made == ["m1"] and mended.parts == [good]


def frame(*usd: float) -> pl.DataFrame:
    return pl.DataFrame({"on_date": [dt.date(2026, 1, 1)] * len(usd), "usd": usd}, schema={"on_date": pl.Date, "usd": pl.Float64})


def doubled(rows: pl.LazyFrame, since: dt.date | None) -> pl.LazyFrame:
    return rows.select(pl.col("usd") * 2)


def test_a_part_rests_on_all_that_it_is_given() -> None:
    part = MonthPart("2026-01", doubled, {"rows": frame(1.0, 2.0), "since": None})
    assert part.rows().collect()["usd"].to_list() == [2.0, 4.0]
    same = MonthPart("2026-01", doubled, {"since": None, "rows": frame(0.0, 1.0, 2.0).filter(pl.col("usd") > 0)})
    assert part.rests_on() == same.rests_on()
    others = [
        MonthPart("2026-02", doubled, part.arguments),
        MonthPart("2026-01", frame, part.arguments),  # type: ignore[arg-type]
        MonthPart("2026-01", doubled, {**part.arguments, "rows": frame(1.0, 2.5)}),
        MonthPart("2026-01", doubled, {**part.arguments, "rows": frame(1.0)}),
        MonthPart("2026-01", doubled, {**part.arguments, "rows": frame()}),
        MonthPart("2026-01", doubled, {**part.arguments, "rows": frame(1.0, 2.0).rename({"usd": "eur"})}),
        MonthPart("2026-01", doubled, {**part.arguments, "rows": frame(1.0, 2.0).with_columns(pl.col("usd").cast(pl.Float32))}),
        MonthPart("2026-01", doubled, {**part.arguments, "since": dt.date(2026, 1, 1)}),
        MonthPart("2026-01", doubled, {"rows": frame(1.0, 2.0)}),
    ]
    assert len({part.rests_on(), *(other.rests_on() for other in others)}) == 1 + len(others)


def test_a_function_that_reads_what_it_is_not_given_is_refused() -> None:
    price = 3.0

    def closing_over(rows: pl.LazyFrame) -> pl.LazyFrame:
        return rows.with_columns(usd=price)

    with pytest.raises(TypeError, match="closing_over reads what it is not given"):
        MonthPart("2026-01", closing_over, {})


def test_spans_of_a_month_are_one_part() -> None:
    given = [("2026-01", doubled, {"rows": frame(1.0), "since": None}), ("2026-01", doubled, {"rows": frame(2.0), "since": None})]
    given += [("2026-02", doubled, {"rows": frame(3.0), "since": None})]
    found = list(planned(given))
    assert [part.name for part in found] == ["2026-01", "2026-02"]
    assert [[rows.collect()["usd"].to_list() for rows in part.rows()] for part in found] == [[[2.0], [4.0]], [[6.0]]]
    assert next(planned(given[:1])).rests_on != found[0].rests_on
