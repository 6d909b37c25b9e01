"""Spans of a long table by day: every day once, never more rows at a time than asked where a day has fewer."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipelines.costing.days import Days, by_month, first_day, in_turns, spans

LAST = dt.date(2026, 11, 27)


def rows(*days: dt.date) -> pl.LazyFrame:
    return pl.LazyFrame({"on_date": days}, schema={"on_date": pl.Date})


@given(st.lists(st.dates(dt.date(2024, 1, 1), LAST), max_size=60), st.integers(1, 40), st.booleans())
def test_every_day_stands_in_one_part(days: list[dt.date], rows_at_once: int, across_months: bool) -> None:
    parts = list(spans(rows(*days), LAST, rows_at_once, across_months=across_months))
    assert (parts[0].first, parts[-1].last) == (min(days, default=LAST), LAST)
    for before, after in pairwise(parts):
        assert after.first == before.last + dt.timedelta(days=1)
    for part in parts:
        assert across_months or f"{part.last:%Y-%m}" == part.month
        found = part.of(rows(*days)).collect().get_column("on_date")
        assert found.len() <= rows_at_once or found.n_unique() == 1


def test_a_part_is_as_long_as_it_may_be_within_a_month() -> None:
    days = [dt.date(2026, 9, 10), *(dt.date(2026, 10, day) for day in (1, 4, 8, 20))]
    assert [(p.first, p.last) for p in spans(rows(*days), dt.date(2026, 11, 2), 3)] == [
        (dt.date(2026, 9, 10), dt.date(2026, 9, 30)),
        (dt.date(2026, 10, 1), dt.date(2026, 10, 19)),
        (dt.date(2026, 10, 20), dt.date(2026, 10, 31)),
        (dt.date(2026, 11, 1), dt.date(2026, 11, 2)),
    ]


def test_a_part_across_months_ends_where_it_has_its_rows() -> None:
    days = [dt.date(2026, 8, 10), *(dt.date(2026, 10, day) for day in (1, 4, 8, 20))]
    assert [(p.first, p.last) for p in spans(rows(*days), dt.date(2026, 11, 2), 3, across_months=True)] == [
        (dt.date(2026, 8, 10), dt.date(2026, 10, 7)),
        (dt.date(2026, 10, 8), dt.date(2026, 11, 2)),
    ]


@given(st.lists(st.dates(dt.date(2026, 1, 1), dt.date(2026, 6, 30)), max_size=30), st.integers(1, 60))
def test_each_month_comes_whole_however_its_days_came(days: list[dt.date], days_at_once: int) -> None:
    everything = rows(*sorted(days)).collect()
    some_days = (turn.of(everything.lazy()).collect() for turn in in_turns(Days(dt.date(2026, 1, 1), dt.date(2026, 6, 30)), days_at_once))
    months = list(by_month(some_days))
    assert [name for name, _ in months] == sorted({f"{day:%Y-%m}" for day in days})
    assert [day for _, own in months for day in own.get_column("on_date")] == sorted(days)


def test_the_last_turn_has_the_days_that_are_left() -> None:
    turns = list(in_turns(Days(dt.date(2026, 1, 30), dt.date(2026, 2, 5)), 3))
    assert [(t.first.day, t.last.day) for t in turns] == [(30, 1), (2, 4), (5, 5)]
    assert list(in_turns(Days(dt.date(2026, 1, 2), dt.date(2026, 1, 1)), 3)) == []


def test_without_rows_there_is_the_last_day() -> None:
    assert list(spans(rows(), LAST)) == [Days(LAST, LAST)]
    assert first_day(rows()) is None
    assert first_day(rows(LAST, dt.date(2026, 1, 1))) == dt.date(2026, 1, 1)


def test_days_since_a_later_day_are_none() -> None:
    later = Days(dt.date(2026, 1, 1), dt.date(2026, 1, 31)).since(dt.date(2026, 3, 1))
    assert later.of(rows(dt.date(2026, 1, 15), dt.date(2026, 3, 1))).collect().is_empty()
