"""Observations become intervals, and their means are exact."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.catalogue.contracts import catalogue
from pipelines.history.intervals import as_assertions, best_source, held_by_source, merge_equal_neighbours
from pipelines.history.rolling import in_usd, intervals_in_units, rolling_statistics
from tests.support.examples import examples

DAY = dt.datetime(2026, 1, 1)
AS_OF = dt.date(2026, 6, 1)


def at(days: float) -> dt.datetime:
    return DAY + dt.timedelta(days=days)


def points(*rows: tuple[str, str, float, float, str, int], precedence: dict[str, int] | None = None) -> pl.LazyFrame:
    """Rows of (source, semantics, first seen day, last confirmed day, USD per hour, limit in days) of one series."""
    money = pl.Decimal(18, 8)
    return pl.LazyFrame(
        [
            {
                "series_id": "0" * 16,
                "source": source,
                "semantics": semantics,
                "first_seen_at": at(first),
                "last_confirmed_at": at(last),
                "known_from": at(first),
                "precedence": (precedence or {}).get(source, 100),
                "staleness_limit_days": limit,
                "native_amount": usd,
                "usd_per_hour": usd,
                "usd_per_gpu_hour": usd,
                "source_detail": "",
                "source_url": None,
                "licence": "",
                "snapshot_sha256": "0" * 64,
            }
            for source, semantics, first, last, usd, limit in rows
        ],
        schema_overrides={
            "source_url": pl.String,
            "first_seen_at": pl.Datetime("us"),
            "last_confirmed_at": pl.Datetime("us"),
            "known_from": pl.Datetime("us"),
            "staleness_limit_days": pl.Int64,
        },
    ).with_columns(pl.col("native_amount", "usd_per_hour", "usd_per_gpu_hour").cast(money))


def intervals(frame: pl.LazyFrame) -> list[tuple[float, float, str]]:
    found = merge_equal_neighbours(best_source(held_by_source(as_assertions(frame)))).collect()
    return [
        ((r["valid_from"] - DAY) / dt.timedelta(days=1), (r["valid_to"] - DAY) / dt.timedelta(days=1), str(r["usd_per_hour"].normalize()))
        for r in found.to_dicts()
    ]


def test_a_reading_reaches_no_further_than_its_limit() -> None:
    assert intervals(points(("a", "reading", 0, 0, "2", 2), ("a", "reading", 10, 10, "2", 2))) == [(0, 2, "2"), (10, 12, "2")]


def test_equal_readings_become_one_interval() -> None:
    assert intervals(points(("a", "reading", 0, 0, "2", 2), ("a", "reading", 1, 1, "2", 2), ("a", "reading", 2, 2, "3", 2))) == [
        (0, 2, "2"),
        (2, 4, "3"),
    ]


def test_a_change_holds_until_the_next_and_then_to_its_confirmation() -> None:
    assert intervals(points(("a", "change", 0, 5, "2", 10), ("a", "change", 60, 70, "3", 10))) == [(0, 60, "2"), (60, 80, "3")]


def test_the_better_source_speaks_where_both_do() -> None:
    frame = points(("a", "change", 0, 20, "2", 10), ("b", "reading", 5, 5, "3", 4), precedence={"a": 500, "b": 100})
    assert intervals(frame) == [(0, 5, "2"), (5, 9, "3"), (9, 30, "2")]


@examples(40)
@given(st.lists(st.tuples(st.integers(0, 100 * 86_400), st.integers(1, 6 * 10**9)), min_size=1, max_size=12, unique_by=lambda x: x[0]))
def test_means_are_exact(changes: list[tuple[int, int]]) -> None:
    changes = sorted(changes)
    edges = [*(s for s, _ in changes), 120 * 86_400]
    rows = [
        {
            "series_id": "0" * 16,
            "valid_from": DAY + dt.timedelta(seconds=a),
            "valid_to": DAY + dt.timedelta(seconds=b),
            "observed_at": DAY + dt.timedelta(seconds=a),
            "units": units,
        }
        for (a, units), b in zip(changes, edges[1:], strict=True)
    ]
    frame = pl.LazyFrame(
        rows,
        schema_overrides={
            "units": pl.Int64,
            "valid_from": pl.Datetime("us"),
            "valid_to": pl.Datetime("us"),
            "observed_at": pl.Datetime("us"),
        },
    )
    priced = frame.with_columns(
        usd_per_gpu_hour=(pl.col("units").cast(pl.String).str.zfill(9)).str.replace(r"(\d{8})$", ".$1").cast(pl.Decimal(18, 8))
    )
    found = in_usd(rolling_statistics(intervals_in_units(priced, AS_OF), (AS_OF - dt.date(1970, 1, 1)).days))
    catalogue().tables["gpu_price_rolling"].conform(found)
    for row in found.collect().sort("on_date", "window_days").to_dicts()[::17]:
        end = int((dt.datetime.combine(row["on_date"], dt.time()) - DAY).total_seconds()) + 86_400
        start = end - row["window_days"] * 86_400
        pieces = [(min(b, end) - max(a, start), units) for (a, units), b in zip(changes, edges[1:], strict=True)]
        covered = sum(s for s, _ in pieces if s > 0)
        exact = Fraction(sum(s * u for s, u in pieces if s > 0), covered) / 10**8
        assert row["mean_usd_per_gpu_hour"] == pytest.approx(float(exact), rel=1e-9)
        assert row["covered_share"] == pytest.approx(covered / (row["window_days"] * 86_400), rel=1e-12)
        assert row["min_usd_per_gpu_hour"] == pytest.approx(min(u for s, u in pieces if s > 0) / 10**8)
        assert row["max_usd_per_gpu_hour"] == pytest.approx(max(u for s, u in pieces if s > 0) / 10**8)
