"""What stands after a crash: the lock and the link are believed, a claim in the record only as far as they bear it out."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import duckdb
import pytest

from pipelines.monitoring.state import read_state
from pipelines.platform.lock import is_held, refresh_lock
from pipelines.platform.settings import Settings
from pipelines.publication.manifest import DamagedVersionError, VersionFacts, changed_files, read_manifest, write_manifest
from pipelines.publication.ops import OpsRecorder
from pipelines.publication.versions import PublishedFolder
from tests.support.tables import AT

NOW = AT + dt.timedelta(hours=1)


def recorded(data: Path, run: str, number: int, outcome: str, at: dt.datetime = AT) -> None:
    row = {"as_of_on": AT.date(), "started_at": at, "finished_at": None, "detail": None, "software_version": "1"}
    recorder = OpsRecorder(data / "ops", run)
    recorder.append("refreshes", [{**row, "outcome": "running", "number": number}])
    if outcome != "running":
        recorder.append("refreshes", [{**row, "outcome": outcome, "finished_at": at}])


def publish(data: Path, run: str, content: bytes = b"figures") -> Path:
    """A version of one file, with the manifest that stands for it."""
    published = PublishedFolder(data / "published")
    made = published.start(f"20261123T060000Z-{run}")
    (made / "breakeven.duckdb").write_bytes(content)
    import hashlib

    facts = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    keys = ("version", "as_of", "created_at", "blocked_reason", "fingerprint", "sources", "tables")
    manifest = {**dict.fromkeys(keys, ""), "run_id": run, "blocked": False, "files": {"breakeven.duckdb": facts}}
    (made / "manifest.json").write_text(json.dumps(manifest))
    return published.make_current(made, keep=2)


def test_a_dead_run_is_interrupted_and_a_live_one_runs(tmp_path: Path) -> None:
    publish(tmp_path, "one")
    recorded(tmp_path, "one", 1, "published")
    recorded(tmp_path, "two", 2, "running")
    with refresh_lock(tmp_path):
        assert is_held(tmp_path)
        state = read_state(Settings(data=tmp_path), NOW)
        assert state.last is not None and state.last["outcome"] == "running" and not state.is_failed
    assert not is_held(tmp_path)
    state = read_state(Settings(data=tmp_path), NOW)
    assert state.last is not None and state.last["outcome"] == "interrupted" and "process" in state.last["detail"]
    assert state.is_failed and state.last_good is not None and state.last_good["run_id"] == "one"


def test_published_is_what_the_link_shows(tmp_path: Path) -> None:
    publish(tmp_path, "one")
    recorded(tmp_path, "one", 1, "published")
    recorded(tmp_path, "two", 2, "published")
    state = read_state(Settings(data=tmp_path), NOW)
    assert state.last is not None and state.last["outcome"] == "interrupted"
    # Killed after the swap and before it could say so.
    publish(tmp_path, "three")
    recorded(tmp_path, "three", 3, "running")
    state = read_state(Settings(data=tmp_path), NOW)
    assert state.last is not None and state.last["outcome"] == "published" and not state.is_failed


@pytest.mark.parametrize(("hours", "failed"), [(1, False), (25, False), (27, True), (-3, True)])
def test_a_refresh_may_not_be_older_than_26_hours_nor_of_the_future(tmp_path: Path, hours: int, failed: bool) -> None:
    publish(tmp_path, "one")
    recorded(tmp_path, "one", 1, "published")
    assert read_state(Settings(data=tmp_path), AT + dt.timedelta(hours=hours)).is_failed is failed


def test_a_run_of_2099_is_not_the_last_for_ever(tmp_path: Path) -> None:
    publish(tmp_path, "two")
    recorded(tmp_path, "one", 1, "failed", AT.replace(year=2099))
    recorded(tmp_path, "two", 2, "published")
    assert not read_state(Settings(data=tmp_path), NOW).is_failed


def test_nothing_yet_is_said_not_raised(tmp_path: Path) -> None:
    state = read_state(Settings(data=tmp_path / "nowhere"), NOW)
    assert state.last is None and state.manifest is None and state.is_failed


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    version = publish(tmp_path, "one")
    recorded(tmp_path, "one", 1, "published")
    file = version / "breakeven.duckdb"
    assert oct(file.stat().st_mode)[-3:] == "444" and oct(version.stat().st_mode)[-3:] == "755"
    file.chmod(0o644)
    file.write_bytes(b"FIGURES")
    [problem] = read_state(Settings(data=tmp_path), NOW).problems
    assert "breakeven.duckdb was changed" in problem and "--rebuild" in problem
    file.unlink()
    assert changed_files(version, read_manifest(version)) == ["breakeven.duckdb is missing"]


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"version": "1"}', b"\x00\xff"])
def test_a_damaged_manifest_is_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    manifest = publish(tmp_path, "one") / "manifest.json"
    recorded(tmp_path, "one", 1, "published")
    manifest.chmod(0o644)
    if content is None:
        manifest.unlink()
    else:
        manifest.write_bytes(content)
    state = read_state(Settings(data=tmp_path), NOW)
    assert state.manifest is None and "manifest.json" in state.problems[0] and "--rebuild" in state.problems[0]
    assert PublishedFolder(tmp_path / "published").whole_manifest() is None


def test_an_edited_manifest_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "version" / "marts").mkdir(parents=True)
    with duckdb.connect(str(tmp_path / "version" / "breakeven.duckdb")) as connection:
        connection.execute("CREATE SCHEMA marts; CREATE SCHEMA bi")
    now = NOW.replace(tzinfo=None)
    write_manifest(tmp_path / "version", "breakeven.duckdb", VersionFacts("one", "one", now.date(), now, "f", "1", "v"), [])
    file = tmp_path / "version" / "manifest.json"
    assert read_manifest(file.parent)["run_id"] == "one"
    said = file.read_text()
    file.write_text(said.replace(f'"as_of": "{now.date()}"', '"as_of": "2031-01-01"'))
    with pytest.raises(DamagedVersionError, match=r"manifest\.json: was changed after it was published; .*--rebuild"):
        read_manifest(file.parent)
    # Another layout says the same.
    file.write_text(json.dumps(json.loads(said)))
    assert read_manifest(file.parent)["run_id"] == "one"


def test_what_was_published_and_is_gone_is_a_problem(tmp_path: Path) -> None:
    publish(tmp_path, "one")
    recorded(tmp_path, "one", 1, "published")
    assert read_state(Settings(data=tmp_path), NOW).problems == []
    (tmp_path / "published" / "current").unlink()
    state = read_state(Settings(data=tmp_path), NOW)
    assert state.is_failed and state.manifest is None
    [problem] = state.problems
    assert "is gone" in problem and "--rebuild" in problem


def test_stray_files_and_leftovers_among_versions(tmp_path: Path) -> None:
    first = publish(tmp_path, "one")
    (tmp_path / "published" / "versions" / ".DS_Store").write_bytes(b"x")
    (tmp_path / "published" / "versions" / ".nfs0001").write_bytes(b"x")
    (tmp_path / "published" / "versions" / "notes.txt").write_bytes(b"x")
    (tmp_path / "published" / "versions" / ".20261123T050000Z-dead").mkdir()
    for run in ("two", "three"):
        publish(tmp_path, run)
    names = sorted(p.name for p in (tmp_path / "published" / "versions").iterdir())
    assert names == [".DS_Store", ".nfs0001", "20261123T060000Z-three", "20261123T060000Z-two", "notes.txt"]
    assert not first.exists()


def test_a_folder_in_place_of_the_link_is_named(tmp_path: Path) -> None:
    (tmp_path / "published" / "current").mkdir(parents=True)
    with pytest.raises(DamagedVersionError, match="is a folder, expected a link"):
        publish(tmp_path, "one")
