"""Queries of `sql/checks`: how they are read, and what they say."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pytest

from pipelines.catalogue.contracts import ContractError
from pipelines.platform.paths import SQL_FOLDER
from pipelines.quality.sql_checks import load_sql_checks, run_sql_check
from pipelines.refresh.warehouse import open_warehouse

AS_OF = dt.date(2026, 11, 23)


def written(folder: Path, text: str) -> Path:
    (folder / "a_check.sql").write_text(text)
    return folder


def test_the_checks_of_the_project_are_read() -> None:
    checks = {check.name: check for check in load_sql_checks(SQL_FOLDER / "checks")}
    assert checks["price_intervals_do_not_overlap"].severity == "critical"
    assert checks["commitment_is_not_dearer_for_longer"].severity == "warning"
    assert all("severity" not in check.reason and len(check.reason) > 20 for check in checks.values())


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("SELECT 1", ValueError, "begins with no comment"),
        ("-- severity: grave\n-- because\nSELECT 1", ValueError, "'grave'"),
        ("-- because\nDELETE FROM marts.x", ContractError, "expected one SELECT"),
        ("-- because\nSELECT * FROM bare", ContractError, "without its schema"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=r"a_check\.sql") as raised:
        load_sql_checks(written(tmp_path, text))
    assert said in str(raised.value)


@pytest.mark.parametrize(("limit", "passed", "count"), [(2, False, 2), (9, True, 0)])
def test_a_verdict_counts_and_shows_the_rows(tmp_path: Path, limit: int, passed: bool, count: int) -> None:
    (check,) = load_sql_checks(written(tmp_path, f"-- Nothing is above.\nSELECT n FROM range(1, 5) AS t(n) WHERE n > {limit}"))
    with open_warehouse(tmp_path / "data") as warehouse:
        result = run_sql_check(check, warehouse.select, AS_OF)
    assert (result.passed, result.failing_count, result.blocks) == (passed, count, not passed)
    assert ('[{"n": 3}, {"n": 4}]' in result.detail) is not passed


# Each input with two figures, one after the other.
PAST: dict[str, tuple[float, float]] = {
    "kwh": (0.10, 0.29),
    "output": (1.0, 9.0),
    "batch": (1.0, 1.0),
    "pue": (1.56, 2.3),
    "server": (100.0, 240.0),
    "card": (100.0, 24.0),
    "rate": (10.0, 49.0),
}


@pytest.mark.parametrize(
    ("past", "found"),
    [
        ({}, []),
        ({"kwh": (0.10, 0.31)}, ["usd_per_kwh"]),
        ({"kwh": (0.31, 0.10)}, ["usd_per_kwh"]),
        ({"output": (1.0, 11.0)}, ["usd_per_million_output_tokens"]),
        ({"output": (11.0, 1.0)}, ["usd_per_million_output_tokens"]),
        ({"batch": (1.0, 11.0)}, ["usd_per_million_batch_output_tokens"]),
        ({"pue": (1.56, 1.0)}, ["ratio"]),
        ({"pue": (1.56, 2.4)}, ["ratio"]),
        ({"server": (100.0, 260.0)}, ["base_usd"]),
        ({"card": (100.0, 19.0)}, ["base_usd"]),
        ({"rate": (10.0, 51.0)}, ["output_tokens_per_second_per_gpu"]),
        ({"rate": (51.0, 10.0)}, ["output_tokens_per_second_per_gpu"]),
    ],
)
def test_inputs_are_held_against_their_own_past(past: dict[str, tuple[float, float]], found: list[str]) -> None:
    (check,) = [c for c in load_sql_checks(SQL_FOLDER / "checks") if c.name == "inputs_stay_near_their_past"]
    both = {**PAST, **past}
    values = {name: f"(VALUES (0, {before}::DOUBLE), (1, {now}::DOUBLE))" for name, (before, now) in both.items()}
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA marts")
        connection.execute(
            "CREATE TABLE marts.electricity_price AS SELECT 'FR' AS area, 'non_household' AS consumer_class, p AS usd_per_kwh,"
            f" DATE '2025-01-01' + n AS period_to_on, NULL::DATE AS source_on FROM {values['kwh']} AS t(n, p)"
        )
        connection.execute(
            "CREATE TABLE marts.token_price AS SELECT 'seller' AS provider, 'llama' AS model_as_named, 's' AS source, 'm' AS model,"
            " DATE '2025-01-01' + n AS valid_from_on, NULL::DOUBLE AS usd_per_million_input_tokens, p AS usd_per_million_output_tokens,"
            " NULL::DOUBLE AS usd_per_million_cached_input_tokens, NULL::DOUBLE AS usd_per_million_batch_input_tokens,"
            f" b AS usd_per_million_batch_output_tokens FROM {values['output']} AS t(n, p) JOIN {values['batch']} AS u(n, b) USING (n)"
        )
        connection.execute(
            "CREATE TABLE marts.hardware_price AS SELECT k AS hardware, k AS hardware_kind, DATE '2025-01-01' + n AS price_on,"
            f" p AS base_usd FROM (SELECT 'server' AS k, * FROM {values['server']} AS t(n, p)"
            f" UNION ALL SELECT 'card', * FROM {values['card']} AS u(n, p))"
        )
        # Of several readings of a day the best counts; another configuration is nobody's past.
        connection.execute(
            "CREATE TABLE marts.throughput AS SELECT 'llama' AS model, 'fp8' AS precision, 'h100' AS gpu, 8 AS gpu_count,"
            " 'vllm' AS engine, FALSE AS is_disaggregated, 1024 AS input_tokens, 1024 AS output_tokens,"
            " c AS concurrency, NULL::VARCHAR AS scenario,"
            " DATE '2025-01-01' + n AS measured_on, r * f AS output_tokens_per_second_per_gpu"
            f" FROM {values['rate']} AS t(n, r), (VALUES (64, 1.0), (64, 0.01), (1, 0.01)) AS u(c, f) WHERE c = 64 OR n = 1"
        )
        # What is not of the whole world is no survey to compare with.
        survey, assumed = both["pue"]
        connection.execute(
            "CREATE TABLE marts.assumption_reading AS SELECT 'pue' AS assumption, s AS scope, b AS base, DATE '2024-12-31' AS period_to_on"
            f" FROM (VALUES ('world', {survey}), ('new and large sites', 0.5)) AS t(s, b)"
        )
        connection.execute(f"CREATE TABLE marts.cost_assumption AS SELECT 'pue' AS assumption, {assumed} AS base")
        assert [figure for (figure,) in connection.execute(f"SELECT figure FROM ({check.sql})").fetchall()] == found
