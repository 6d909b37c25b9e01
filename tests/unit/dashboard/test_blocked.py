"""The pages of a refresh that was blocked, where the views of the version are of older software: those of before stay."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelines.dashboard import build


def test_pages_of_before_stay_where_none_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    previous, version = tmp_path / "previous", tmp_path / "version"
    for page in (build.FILE, f"{build.FOLDER}/index.html", f"{build.FOLDER}/data/index.js"):
        (previous / page).parent.mkdir(parents=True, exist_ok=True)
        (previous / page).write_text(page)

    def fails(version: Path, *_: object) -> Path:
        (version / build.FOLDER).mkdir(parents=True)
        raise duckdb.BinderException("a column that the views of before did not have")

    monkeypatch.setattr(build, "write", fails)
    build.write_blocked(version, previous, [], tmp_path / "kept")
    found = {str(file.relative_to(version)): file.read_text() for file in version.rglob("*") if file.is_file()}
    assert found == {page: page for page in found} and len(found) == 3
