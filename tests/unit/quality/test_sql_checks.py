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


@pytest.mark.parametrize(
    ("kwh", "output", "pue", "found"),
    [
        ((0.10, 0.29), (1.0, 9.0), (1.56, 2.3), []),
        ((0.10, 0.31), (1.0, 1.0), (1.56, 1.54), ["usd_per_kwh"]),
        ((0.31, 0.10), (1.0, 1.0), (1.56, 1.54), ["usd_per_kwh"]),
        ((0.10, 0.10), (1.0, 11.0), (1.56, 1.54), ["usd_per_million_output_tokens"]),
        ((0.10, 0.10), (11.0, 1.0), (1.56, 1.54), ["usd_per_million_output_tokens"]),
        ((0.10, 0.10), (1.0, 1.0), (1.56, 1.0), ["ratio"]),
        ((0.10, 0.10), (1.0, 1.0), (1.56, 2.4), ["ratio"]),
    ],
)
def test_inputs_are_held_against_their_own_past(
    kwh: tuple[float, float], output: tuple[float, float], pue: tuple[float, float], found: list[str]
) -> None:
    (check,) = [c for c in load_sql_checks(SQL_FOLDER / "checks") if c.name == "inputs_stay_near_their_past"]
    electricity, price = ", ".join(f"({n}, {v})" for n, v in enumerate(kwh)), ", ".join(f"({n}, {v})" for n, v in enumerate(output))
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA marts")
        connection.execute(
            "CREATE TABLE marts.electricity_price AS SELECT 'FR' AS area, 'non_household' AS consumer_class, p::DOUBLE AS usd_per_kwh,"
            f" DATE '2025-01-01' + n AS period_to_on, NULL::DATE AS source_on FROM (VALUES {electricity}) AS t(n, p)"
        )
        connection.execute(
            "CREATE TABLE marts.token_price AS SELECT 'seller' AS provider, 'llama' AS model_as_named, 's' AS source, 'm' AS model,"
            " DATE '2025-01-01' + n AS valid_from_on, NULL::DOUBLE AS usd_per_million_input_tokens, p AS usd_per_million_output_tokens,"
            f" NULL::DOUBLE AS usd_per_million_cached_input_tokens FROM (VALUES {price}) AS t(n, p)"
        )
        # What is not of the whole world is no survey to compare with.
        connection.execute(
            "CREATE TABLE marts.assumption_reading AS SELECT 'pue' AS assumption, s AS scope, b AS base, DATE '2024-12-31' AS period_to_on"
            f" FROM (VALUES ('world', {pue[0]}), ('new and large sites', 0.5)) AS t(s, b)"
        )
        connection.execute(f"CREATE TABLE marts.cost_assumption AS SELECT 'pue' AS assumption, {pue[1]} AS base")
        assert [figure for (figure,) in connection.execute(f"SELECT figure FROM ({check.sql})").fetchall()] == found
