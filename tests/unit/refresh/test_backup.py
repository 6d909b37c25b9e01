"""A backup holds all that cannot be made again, is read back, and is put into an empty folder only."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from pipelines.cli.main import main
from pipelines.ingest.snapshots import SnapshotStore
from pipelines.publication.versions import PublishedFolder
from pipelines.sources.lib.source import Payload
from tests.support.tables import AT
from tests.unit.monitoring.test_state import publish, recorded


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    store = SnapshotStore(folder / "snapshots")
    for day in (1, 2):
        at = AT + dt.timedelta(days=day)
        store.add("somewhere", at.date(), f"run-{day}", [Payload("list", "https://example.org/", f"day {day}".encode(), at)])
    store.state()
    publish(folder, "one")
    publish(folder, "two")
    recorded(folder, "two", 1, "published")
    (folder / "corrections").mkdir()
    (folder / "corrections" / "mine.csv").write_text("a person's")
    for left_out in ("dagster", "history"):
        (folder / left_out).mkdir()
        (folder / left_out / "large").write_text("x")
    (folder / "build.duckdb").write_text("x")
    monkeypatch.setenv("BREAKEVEN_DATA", str(folder))
    return folder


def test_there_and_back(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "all.tar.gz"
    assert main(["backup", str(file)]) == 0
    monkeypatch.setenv("BREAKEVEN_DATA", str(tmp_path / "other"))
    assert main(["restore", str(file)]) == 0
    other = tmp_path / "other"
    store = SnapshotStore(other / "snapshots")
    assert [store.content(fetch.payloads[0]) for fetch in store.fetches()] == [b"day 1", b"day 2"] and store.losses() == []
    assert (other / "corrections" / "mine.csv").read_text() == "a person's"
    current = PublishedFolder(other / "published").current
    assert current is not None and current.name.endswith("-two") and (other / "published" / "breakeven.duckdb").read_bytes() == b"figures"
    assert sorted(p.name for p in other.iterdir()) == ["corrections", "ops", "published", "refresh.lock", "snapshots"]
    assert len(list((other / "published" / "versions").iterdir())) == 1
    # A second time it would write over what is there.
    assert main(["restore", str(file)]) == 2 and "is not empty" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["cut", *range(1, 20), "other"])
def test_a_damaged_backup_changes_nothing(damage: str | int, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "all.tar.gz"
    assert main(["backup", str(file)]) == 0
    content = bytearray(file.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif isinstance(damage, int):
        content[len(content) * damage // 20] ^= 0x01
    else:
        content = bytearray(b"no backup at all")
    file.write_bytes(content)
    monkeypatch.setenv("BREAKEVEN_DATA", str(tmp_path / "other"))
    if main(["restore", str(file)]) == 0:
        # A bit that no byte depends on, such as the rest of a block.
        assert isinstance(damage, int) and (tmp_path / "other" / "corrections" / "mine.csv").read_text() == "a person's"
        assert SnapshotStore(tmp_path / "other" / "snapshots").losses() == []
        return
    assert [p.name for p in (tmp_path / "other").iterdir()] == ["refresh.lock"]


def test_what_cannot_be_meant_is_said(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["restore", str(tmp_path / "nothing")]) == 2
    assert main(["backup", str(tmp_path / "no folder" / "x")]) == 2
    shutil.rmtree(data / "snapshots")
    assert main(["backup", str(tmp_path / "x")]) == 2
    assert "nothing to back up" in capsys.readouterr().err and not (tmp_path / "x").exists()
