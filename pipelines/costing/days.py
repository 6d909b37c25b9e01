"""Long tables by day, computed some days at a time so that none is ever held whole.

Belongs here: which days, and the rows of some. Does not belong here: what is computed of them (`dbt_like_models`), how parts are
written (`pipelines.refresh.parts`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
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


def spans(rows: pl.LazyFrame, last: date, rows_at_once: int = ROWS_AT_ONCE, *, across_months: bool = False) -> Iterator[Days]:
    """All days from the first `on_date` to `last`: as many at a time as have at most so many rows, at least one; those of one month,
    unless `across_months`.

    Without rows the day `last` alone.
    """
    counts = dict(rows.group_by("on_date").len().collect().rows())
    first = day = min(counts, default=last)
    waiting = 0
    while day <= last:
        count = counts.get(day, 0)
        if day > first and (waiting + count > rows_at_once or (day.day == 1 and not across_months)):
            yield Days(first, day - timedelta(days=1))
            first, waiting = day, 0
        waiting += count
        day += timedelta(days=1)
    yield Days(first, last)


def in_turns(days: Days, count: int) -> Iterator[Days]:
    """Days one after the other, so many at a time."""
    first = days.first
    while first <= days.last:
        last = min(first + timedelta(days=count - 1), days.last)
        yield Days(first, last)
        first = last + timedelta(days=1)


def first_day(rows: pl.LazyFrame) -> date | None:
    """The least `on_date`, None where there are no rows."""
    found: date | None = rows.select(pl.col("on_date").min()).collect().item()
    return found


def as_given(rows: pl.LazyFrame) -> pl.LazyFrame:
    """For a part whose rows are computed already."""
    return rows


def by_month(spans_of_rows: Iterable[pl.DataFrame]) -> Iterator[tuple[str, pl.DataFrame]]:
    """Rows in the order of their `on_date`, some days after the other, as each month's together with its name."""
    month, waiting = "", list[pl.DataFrame]()
    for rows in spans_of_rows:
        for (name,), own in rows.group_by(pl.col("on_date").dt.strftime("%Y-%m"), maintain_order=True):
            if waiting and name != month:
                yield month, pl.concat(waiting)
                waiting = []
            month = str(name)
            waiting.append(own)
    if waiting:
        yield month, pl.concat(waiting)
