"""Queries of `sql/checks`: how they are read, and what they say."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

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
