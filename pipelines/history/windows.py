"""The windows of a growing history: computed for the days that a batch touches, in place of the rows that were there.

Belongs here: which days of which series have to be computed again, and writing them. Does not belong here: the arithmetic (`rolling`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta

import polars as pl

from pipelines.history.bitemporal import ended_by
from pipelines.history.rolling import WINDOWS_DAYS, in_usd, intervals_in_units, rolling_statistics, statistics_on
from pipelines.history.storage import HistoryFile

WINDOW_MONTH = "window_month"
_EPOCH = date(1970, 1, 1)
_REACH_DAYS = max(WINDOWS_DAYS)
# Above so many days of series, the windows of one partition of the series are computed at a time.
_DAYS_AT_ONCE = 400_000


def update_windows(file: HistoryFile, changed: Sequence[pl.DataFrame], as_of: date, before: date | None) -> None:
    """Compute the windows that end on a touched day.

    `changed`: frames of `series_id`, `from_day` (`StateDelta.changed`); `before`: the day up to which windows are there already.
    """
    touched = _touched(file, changed, as_of, before)
    days = touched.select((_day(as_of) + 1 - pl.col("from_day")).sum()).item() or 0
    for some in by_partition(touched, touched.height if days <= _DAYS_AT_ONCE else 0):
        _update(file, some, as_of, before)


def by_partition(rows: pl.DataFrame, rows_at_once: int) -> Iterator[pl.DataFrame]:
    """Rows in parts of whole series, by the first digit of their ids, where there are more than `rows_at_once`."""
    first_digit = pl.col("series_id").str.slice(0, 1)
    parts = [rows] if rows.height <= rows_at_once else [rows.filter(first_digit == digit) for digit in "0123456789abcdef"]
    return (part for part in parts if part.height)


def _touched(file: HistoryFile, changed: Sequence[pl.DataFrame], as_of: date, before: date | None) -> pl.DataFrame:
    """Series with `from_day`, the first day to compute: changed ones, and those whose prices still reach into a window."""
    next_day = _next_day(before)
    reach = datetime.combine(_EPOCH + timedelta(days=max(next_day - _REACH_DAYS, 0)), time())
    still = file.intervals.all_last().filter(pl.col("valid_to") > reach)
    return (
        pl.concat([*changed, still.select("series_id", from_day=pl.lit(next_day, dtype=pl.Int64))])
        .group_by("series_id")
        .agg(pl.col("from_day").min())
        .filter(pl.col("from_day") <= _day(as_of))
    )


def _update(file: HistoryFile, touched: pl.DataFrame, as_of: date, before: date | None) -> None:
    last_day = _day(as_of)
    # A window that ends on the first such day begins this much earlier; the interval before tells whether its first price is a change.
    # Series go by number here: hundreds of thousands of texts take longer to sort than to compute with.
    from_at = (pl.col("from_day").clip(_REACH_DAYS) - _REACH_DAYS).cast(pl.Int32).cast(pl.Date).cast(pl.Datetime("us"))
    numbered = touched.sort("series_id").with_row_index("series").with_columns(from_at=from_at)
    columns = ["series_id", "valid_from", "valid_to", "usd_per_gpu_hour", "observed_at"]
    rows = (
        pl.concat([file.intervals.all_last().select(columns), file.intervals.reaching(numbered, ", ".join(columns))])
        .join(numbered.select("series_id", "series", "from_day"), on="series_id")
        .with_columns(series_id="series")
    )

    def units_of(chosen: pl.DataFrame) -> pl.LazyFrame:
        return intervals_in_units(ended_by(chosen.lazy(), as_of), as_of)

    several = rows.filter(pl.col("from_day") < last_day)
    first = numbered.lazy().select(series_id="series", from_day="from_day", __id="series_id")
    rolled = [statistics_on(units_of(rows.filter(pl.col("from_day") == last_day)), last_day)]
    if not several.is_empty():
        rolled.append(rolling_statistics(units_of(several), last_day))
    found = (
        in_usd(pl.concat(rolled).join(first, on="series_id").filter(pl.col("day") >= pl.col("from_day")).with_columns(series_id="__id"))
        .sort("on_date", "series_id", "window_days")
        .collect()
    )
    _note_months(file, touched, found)
    if file.exists("price_window") and touched.filter(pl.col("from_day") < _next_day(before)).height:
        first_day = _EPOCH + timedelta(days=touched.select(pl.col("from_day").min()).item())
        file.execute(
            "DELETE FROM history.price_window AS w USING incoming AS i"
            f" WHERE w.on_date >= DATE '{first_day}' AND w.series_id = i.series_id AND w.on_date >= i.on_date",
            incoming=touched.select("series_id", on_date=_on("from_day")),
        )
    file.insert("price_window", found)


def _note_months(file: HistoryFile, touched: pl.DataFrame, found: pl.DataFrame) -> None:
    """Chain what is written of each month, and for which series, to what was written of it before."""
    known = dict(file.small_table(WINDOW_MONTH).rows())
    again = touched.sort("series_id").with_columns(month_on=_on("from_day").dt.truncate("1mo"))
    written = found.with_columns(month_on=pl.col("on_date").dt.truncate("1mo")).partition_by("month_on", as_dict=True, include_key=False)
    first = again.select(pl.col("month_on").min()).item()
    for (month,) in written:
        known.setdefault(month, "")
    for month in [month for month in known if first is not None and month >= first]:
        series = again.filter(pl.col("month_on") <= month).drop("month_on")
        own = written.get((month,), found.clear())
        content = [frame.hash_rows().to_numpy().tobytes() if frame.height else b"" for frame in (series, own)]
        known[month] = hashlib.sha256(b"\n".join([known[month].encode(), *content])).hexdigest()
    file.replace(WINDOW_MONTH, pl.DataFrame(sorted(known.items()), schema=file.contracts[WINDOW_MONTH].polars_schema(), orient="row"))


def _on(day: str) -> pl.Expr:
    return pl.col(day).cast(pl.Int32).cast(pl.Date)


def _day(day: date) -> int:
    return (day - _EPOCH).days


def _next_day(before: date | None) -> int:
    return _day(before) + 1 if before is not None else 0
