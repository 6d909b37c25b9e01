"""The dashboard for Superset asks only for what the published views have, at a place to be filled in and read-only.

That Superset takes it and draws its rows is tried by `scripts/try_bi_tools.py`, in an environment of Superset's own.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
import yaml

from tests.support.paths import ROOT

FOLDER = ROOT / "deploy" / "superset"
DATASETS = {d["uuid"]: d for d in (yaml.safe_load(path.read_text(encoding="utf-8")) for path in (FOLDER / "datasets").rglob("*.yaml"))}


def columns(published: duckdb.DuckDBPyConnection, view: str) -> set[str]:
    found = published.execute("SELECT column_name FROM duckdb_columns() WHERE schema_name = 'bi' AND table_name = ?", [view])
    return {name for (name,) in found.fetchall()}


@pytest.mark.parametrize("path", sorted((FOLDER / "charts").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_chart_asks_for_columns_of_its_view(path: Path, published: duckdb.DuckDBPyConnection) -> None:
    chart = yaml.safe_load(path.read_text(encoding="utf-8"))
    asked, view = chart["params"], DATASETS[chart["dataset_uuid"]]["table_name"]
    names = [*(asked.get("all_columns") or [asked["x_axis"]]), *(rule["subject"] for rule in asked["adhoc_filters"])]
    names += [metric["column"]["column_name"] for metric in asked.get("metrics", [])]
    assert set(names) <= columns(published, view)
    wanted = [(rule["subject"], rule["comparator"]) for rule in asked["adhoc_filters"]]
    where = " AND ".join(f"{subject} = ?" for subject, _ in wanted) or "true"
    rows = published.execute(f"SELECT count(*) FROM bi.{view} WHERE {where}", [value for _, value in wanted]).fetchone()
    assert rows and rows[0] > 0


def test_the_warehouse_is_opened_read_only() -> None:
    database = yaml.safe_load((FOLDER / "databases" / "breakeven.yaml").read_text(encoding="utf-8"))
    assert database["sqlalchemy_uri"] == "duckdb:////path/to/data/published/breakeven.duckdb?access_mode=read_only"
    assert not database["allow_dml"]
