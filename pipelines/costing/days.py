"""Long tables by day, computed some days at a time so that none is ever held whole.

Belongs here: which days, and the rows of some. Does not belong here: what is computed of them (`dbt_like_models`), how parts are
written (`pipelines.refresh.parts`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars as pl

# What a long table yields of each month or less: the month as `2026-11`, a function of a module, and all that it is given; frames are given
# to it as lazy ones. Equal arguments make equal rows, so that what was computed of them once need not be again.
MonthParts = Iterator[tuple[str, Callable[..., pl.LazyFrame], Mapping[str, pl.DataFrame | date | None]]]

# Of the table that decides how long the computed one is: as many rows of it as are joined in a moment.
ROWS_AT_ONCE = 30_000


@dataclass(frozen=True)
class Days:
    """The days from `first` to `last`, both included; none where `first` is later."""

    first: date
    last: date

    def of(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """The rows of these days, by their `on_date`."""
        return rows.filter(pl.col("on_date").is_between(self.first, self.last))

    @property
    def month(self) -> str:
        """The month of days that lie in one, as `2026-11`."""
        return f"{self.first:%Y-%m}"

    def since(self, day: date) -> Days:
        """Those that are not before a day."""
        return replace(self, first=max(self.first, day))


def spans(rows: pl.LazyFrame, last: date, rows_at_once: int = ROWS_AT_ONCE) -> Iterator[Days]:
    """All days from the first `on_date` to `last`: as many of one month at a time as have at most so many rows, at least one.

    Without rows the day `last` alone.
    """
    counts = dict(rows.group_by("on_date").len().collect().rows())
    first = day = min(counts, default=last)
    waiting = 0
    while day <= last:
        count = counts.get(day, 0)
        if day > first and (waiting + count > rows_at_once or day.day == 1):
            yield Days(first, day - timedelta(days=1))
            first, waiting = day, 0
        waiting += count
        day += timedelta(days=1)
    yield Days(first, last)


def first_day(rows: pl.LazyFrame) -> date | None:
    """The least `on_date`, None where there are no rows."""
    found: date | None = rows.select(pl.col("on_date").min()).collect().item()
    return found


def as_given(rows: pl.LazyFrame) -> pl.LazyFrame:
    """For a part whose rows are computed already."""
    return rows
