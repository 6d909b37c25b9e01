"""Spans of a long table by day: every day once, never more rows at a time than asked where a day has fewer."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipelines.costing.days import Days, first_day, spans

LAST = dt.date(2026, 11, 27)


def rows(*days: dt.date) -> pl.LazyFrame:
    return pl.LazyFrame({"on_date": days}, schema={"on_date": pl.Date})


@given(st.lists(st.dates(dt.date(2024, 1, 1), LAST), max_size=60), st.integers(1, 40))
def test_every_day_stands_in_one_part(days: list[dt.date], rows_at_once: int) -> None:
    parts = list(spans(rows(*days), LAST, rows_at_once))
    assert (parts[0].first, parts[-1].last) == (min(days, default=LAST), LAST)
    for before, after in pairwise(parts):
        assert after.first == before.last + dt.timedelta(days=1)
    for part in parts:
        assert f"{part.last:%Y-%m}" == part.month
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


def test_without_rows_there_is_the_last_day() -> None:
    assert list(spans(rows(), LAST)) == [Days(LAST, LAST)]
    assert first_day(rows()) is None
    assert first_day(rows(LAST, dt.date(2026, 1, 1))) == dt.date(2026, 1, 1)


def test_days_since_a_later_day_are_none() -> None:
    later = Days(dt.date(2026, 1, 1), dt.date(2026, 1, 31)).since(dt.date(2026, 3, 1))
    assert later.of(rows(dt.date(2026, 1, 15), dt.date(2026, 3, 1))).collect().is_empty()
