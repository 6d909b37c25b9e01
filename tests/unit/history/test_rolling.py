"""Rolling statistics against exact fractions, at window edges, over gaps, for several series, whole and for one day."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.history.rolling import SECONDS_PER_DAY, rolling_statistics, statistics_on
from tests.support.examples import examples

FIRST = 20_454 * SECONDS_PER_DAY
LAST_DAY = 20_454 + 130
WINDOWS = (7, 30, 90)
Held = tuple[str, int, int, int]  # series, from, to (seconds after FIRST), units

pieces = st.lists(
    st.tuples(
        st.sampled_from(["s", "t", "u"]),
        st.integers(0, 100 * SECONDS_PER_DAY),
        st.integers(1, 30 * SECONDS_PER_DAY),
        st.integers(1, 6 * 10**9),
    ),
    min_size=1,
    max_size=10,
)


def not_overlapping(rows: list[tuple[str, int, int, int]]) -> list[Held]:
    """Intervals (series, from, to, units) cut where the next of the series begins."""
    ordered = sorted({(series, start): (series, start, length, units) for series, start, length, units in rows}.values())
    following = [*ordered[1:], ("", 0, 0, 0)]
    return [
        (series, start, min(start + length, after[1]) if after[0] == series else start + length, units)
        for (series, start, length, units), after in zip(ordered, following, strict=True)
    ]


def frame(held: list[Held]) -> pl.LazyFrame:
    rows = [(s, FIRST + a, FIRST + b, u, (FIRST + a) // SECONDS_PER_DAY) for s, a, b, u in held]
    return pl.LazyFrame(
        rows, schema={"series_id": pl.String, **dict.fromkeys(("from_s", "to_s", "units", "observed_day"), pl.Int64)}, orient="row"
    )


def exact(held: list[Held], series: str, day: int, days: int) -> dict[str, float | int] | None:
    end, start = (day + 1) * SECONDS_PER_DAY - FIRST, (day + 1 - days) * SECONDS_PER_DAY - FIRST
    own = [(a, b, u) for s, a, b, u in held if s == series and a < end]
    covered = [(min(b, end) - max(a, start), u) for a, b, u in own if min(b, end) > max(a, start)]
    seconds = sum(s for s, _ in covered)
    if not seconds:
        return None
    mean = Fraction(sum(s * u for s, u in covered), seconds)
    square = Fraction(sum(s * u * u for s, u in covered), seconds)
    changes = sum(1 for before, now in itertools.pairwise(own) if before[2] != now[2] and now[0] >= start)
    return {
        "mean_units": float(mean),
        "volatility_units": math.sqrt(square - mean * mean),
        "min_units": min(u for _, u in covered),
        "max_units": max(u for _, u in covered),
        "last_units": own[-1][2],
        "covered_day": (FIRST + min(own[-1][1], end) - 1) // SECONDS_PER_DAY,
        "seconds": seconds,
        "changes": changes,
    }


@examples(60)
@given(pieces)
@example([("s", 4 * 3600, SECONDS_PER_DAY, 10**8), ("t", 0, SECONDS_PER_DAY, 10**8)])
@example([("s", SECONDS_PER_DAY - 1, 1, 6 * 10**9), ("s", SECONDS_PER_DAY, 7 * SECONDS_PER_DAY, 1)])
def test_every_statistic_is_exact(rows: list[tuple[str, int, int, int]]) -> None:
    held = not_overlapping(rows)
    found = rolling_statistics(frame(held), LAST_DAY).collect().to_dicts()
    expected = {
        (series, day, days): value
        for series in {s for s, *_ in held}
        for day in range(FIRST // SECONDS_PER_DAY, LAST_DAY + 1)
        for days in WINDOWS
        if (value := exact(held, series, day, days)) is not None
    }
    assert {(r["series_id"], r["day"], r["window_days"]) for r in found} == expected.keys()
    for row in found:
        for name, value in expected[row["series_id"], row["day"], row["window_days"]].items():
            assert row[name] == pytest.approx(value, rel=1e-9, abs=1e-9), (name, row)


@examples(30)
@given(pieces, st.integers(0, 130))
def test_one_day_alone_is_the_same_as_in_the_whole(rows: list[tuple[str, int, int, int]], after: int) -> None:
    day = FIRST // SECONDS_PER_DAY + after
    held = frame(not_overlapping(rows))
    whole = rolling_statistics(held, LAST_DAY).filter(pl.col("day") == day).sort("series_id", "window_days").collect()
    assert statistics_on(held, day).sort("series_id", "window_days").collect().select(whole.columns).equals(whole)


def test_of_intervals_ninety_days_apart_the_later_is_still_a_change() -> None:
    """A price that comes back after a gap at another figure has changed, also where the one before has left every window."""
    held = [("s", 0, SECONDS_PER_DAY, 5), ("s", 120 * SECONDS_PER_DAY, 121 * SECONDS_PER_DAY, 7)]
    last = statistics_on(frame(held), FIRST // SECONDS_PER_DAY + 120).collect()
    assert last.get_column("changes").to_list() == [1, 1, 1]
