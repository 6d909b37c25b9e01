"""The stable interface: every change of a view of schema `bi` since the last release is named in the changelog."""

from __future__ import annotations

import json
import re

import pytest

from pipelines.catalogue.contracts import ContractError
from pipelines.catalogue.published_sql import bi_views, interface, macros
from pipelines.platform.paths import SQL_FOLDER

from ...conftest import ROOT

Views = dict[str, dict[str, str]]


def differences(released: Views, now: Views) -> list[str]:
    """What a changelog must name: `bi.view` that came or went, `bi.view.column` that came, went or changed its type."""
    found = [f"bi.{view}" for view in released.keys() ^ now.keys()]
    for view in released.keys() & now.keys():
        columns = {*released[view].items()} ^ {*now[view].items()}
        found += [f"bi.{view}.{column}" for column, _ in columns]
    return sorted(set(found))


def unreleased(changelog: str) -> str:
    section = re.search(r"^## Unreleased$(.*?)(?=^## |\Z)", changelog, flags=re.MULTILINE | re.DOTALL)
    assert section is not None
    return section[1]


def unnamed(changes: list[str], said: str) -> list[str]:
    """Changes that the changelog does not name, by themselves or, for columns, as `bi.view.{one,another}`."""
    listed = {
        f"{view}.{column.strip()}" for view, columns in re.findall(r"(bi\.\w+)\.\{([^}]*)\}", said) for column in columns.split(",")
    } | set(re.findall(r"bi\.\w+(?:\.\w+)?", said))
    return [change for change in changes if change not in listed]


def test_every_change_since_the_release_is_in_the_changelog() -> None:
    released = json.loads((SQL_FOLDER / "bi" / "interface.json").read_text(encoding="utf-8"))["views"]
    said = unreleased((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert unnamed(differences(released, interface()), said) == [], "name each in CHANGELOG.md under Unreleased"


def test_a_change_is_found_and_asked_for() -> None:
    before: Views = {"a": {"x": "text", "y": "double"}, "b": {"x": "text"}}
    after: Views = {"a": {"x": "integer", "z": "double"}, "c": {"x": "text"}}
    changes = differences(before, after)
    assert changes == ["bi.a.x", "bi.a.y", "bi.a.z", "bi.b", "bi.c"]
    assert unnamed(changes, "- `bi.a.{x, y}` went; new view `bi.c`.") == ["bi.a.z", "bi.b"]


def test_a_client_of_an_older_line_reads_every_view() -> None:
    """A file keeps what its writer parsed: `if()` is a function of DuckDB 2.0 that 1.4 does not have; CASE is of all lines."""
    statements = {name: view.sql for name, view in bi_views().items()} | {macro.name: macro.sql for macro in macros()}
    assert [name for name, sql in statements.items() if re.search(r"\bif\s*\(", re.sub(r"--.*", "", sql), flags=re.IGNORECASE)] == []


def test_views_come_after_what_they_read() -> None:
    order = list(bi_views())
    for name, view in bi_views().items():
        assert all(order.index(read.removeprefix("bi.")) < order.index(name) for read in view.reads if read.startswith("bi."))


def test_a_view_of_the_record_is_not_stored(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """A blocked refresh publishes the figures of before with the record of now."""
    from pipelines.catalogue import published_sql

    (tmp_path / "bi").mkdir()
    (tmp_path / "bi" / "columns.yml").write_text('{y: {type: text, unit: none, description: "A column of a test."}}\n')
    (tmp_path / "bi" / "base.sql").write_text("-- A view.\nSELECT t.run_id AS y FROM ops.refreshes AS t\n")
    (tmp_path / "bi" / "v.sql").write_text("-- A view.\n-- stored: its rows.\nSELECT t.y FROM bi.base AS t\n")
    monkeypatch.setattr(published_sql, "SQL_FOLDER", tmp_path)
    with pytest.raises(ContractError, match=r"sql/bi/v\.sql: a stored view reads bi\.base, which reads schema ops"):
        published_sql._views(published_sql.catalogue())


def test_a_column_that_nobody_declared_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    from pipelines.catalogue import published_sql

    (tmp_path / "bi").mkdir()
    (tmp_path / "bi" / "columns.yml").write_text('{y: {type: text, unit: none, description: "A column of a test."}}\n')
    (tmp_path / "bi" / "v.sql").write_text("-- A view.\nSELECT t.x AS y, t.x AS nonsense FROM marts.t AS t\n")
    monkeypatch.setattr(published_sql, "SQL_FOLDER", tmp_path)
    with pytest.raises(ContractError, match=r"sql/bi/v\.sql: column 'nonsense' is in neither"):
        published_sql._views(published_sql.catalogue())
