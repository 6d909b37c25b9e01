"""What stands out in a price history: each kind of finding, and the near miss that is none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import duckdb
import pytest

from pipelines.platform.paths import MODELS_FOLDER

AS_OF = dt.date(2026, 11, 23)
Change = tuple[str, int, float]


def found(changes: Iterable[Change], ended: int | None = None, gpu: str | None = "h100-sxm-80") -> list[tuple[Any, ...]]:
    """Kind, days ago, series and ratio of each finding. A change is (series, days ago, price); each series ends `ended` days ago."""
    rows = sorted(changes, key=lambda change: (change[0], -change[1]))
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA marts")
        connection.execute(
            "CREATE TABLE marts.price_history (provider VARCHAR, source VARCHAR, gpu VARCHAR, series_id VARCHAR, instance_type VARCHAR,"
            " purchase_option VARCHAR, valid_from TIMESTAMP, valid_to TIMESTAMP, observed_at TIMESTAMP, usd_per_hour DOUBLE,"
            " native_amount VARCHAR)"
        )
        for number, (series, days, price) in enumerate(rows):
            is_last = number + 1 == len(rows) or rows[number + 1][0] != series
            until = (None if ended is None else AS_OF - dt.timedelta(ended)) if is_last else AS_OF - dt.timedelta(rows[number + 1][1])
            values = ["aws", "s", gpu, series, "p5.48xlarge", "on_demand", AS_OF - dt.timedelta(days), until, AS_OF, price, str(price)]
            connection.execute(f"INSERT INTO marts.price_history VALUES ({', '.join('?' * len(values))})", values)
        connection.execute(f"SET VARIABLE as_of = DATE '{AS_OF}'")
        sql = (MODELS_FOLDER / "marts" / "price_anomaly.sql").read_text()
        return connection.execute(
            f"SELECT anomaly_kind, date_diff('day', on_date, DATE '{AS_OF}'), series_count, round(price_ratio, 2) FROM ({sql})"
        ).fetchall()


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ([("a", 100, 10.0), ("a", 5, 16.0)], [("jump", 5, 1, 1.6)]),
        ([("a", 100, 10.0), ("a", 5, 6.0)], [("jump", 5, 1, 0.6)]),
        ([("a", 100, 10.0), ("a", 5, 14.9)], []),
        ([("a", 200, 10.0), ("a", 95, 16.0)], []),
        # A series that moves by a tenth each week is known to.
        ([*(("a", 150 - 7 * n, 10.0 if n % 2 else 11.0) for n in range(10)), ("a", 5, 16.0)], []),
        ([*(("a", 150 - 7 * n, 10.0 if n % 2 else 11.0) for n in range(10)), ("a", 5, 30.0)], [("jump", 5, 1, 3.0)]),
    ],
)
def test_a_jump_is_beyond_half_and_beyond_the_series_own_past(changes: list[Change], finding: list[Any]) -> None:
    assert found(changes) == finding


@pytest.mark.parametrize(("count", "by", "is_found"), [(10, 1.1, True), (9, 1.1, False), (10, 1.01, False)])
def test_one_factor_for_ten_series_on_one_day_is_a_shift(count: int, by: float, is_found: bool) -> None:
    changes = [change for n in range(count) for change in ((f"s{n}", 100, 10.0 + n), (f"s{n}", 5, (10.0 + n) * by))]
    assert found(changes) == ([("shift", 5, count, by)] if is_found else [])


def test_series_that_move_by_factors_of_their_own_are_no_shift() -> None:
    assert found(change for n in range(12) for change in ((f"s{n}", 100, 10.0), (f"s{n}", 5, 10.5 + n / 4))) == []


@pytest.mark.parametrize(("ended", "is_found"), [(3, True), (95, False), (None, False)])
def test_a_price_that_no_source_shows_any_more_is_said(ended: int | None, is_found: bool) -> None:
    assert found([("a", 100, 10.0), ("b", 100, 20.0)], ended=ended) == ([("ended", 3, 2, None)] if is_found else [])


def test_a_machine_that_nobody_mapped_is_said() -> None:
    assert found([("a", 10, 10.0)], gpu=None) == [("unmapped", 10, 1, None)]


@pytest.mark.parametrize(("count", "days", "is_found"), [(10, 180, True), (9, 180, False), (10, 179, False)])
def test_ten_prices_without_a_move_in_half_a_year_are_said(count: int, days: int, is_found: bool) -> None:
    assert found((f"s{n}", days, 10.0 + n) for n in range(count)) == ([("never_moves", 0, count, None)] if is_found else [])
