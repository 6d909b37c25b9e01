"""Snapshots, ops record, lock, settings, set-up: small stores that must survive anything."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.ingest.snapshots import SnapshotError, SnapshotStore
from pipelines.platform.lock import RefreshLockedError, refresh_lock
from pipelines.platform.settings import SettingsError, load_settings
from pipelines.publication.ops import OpsRecorder, read_ops
from pipelines.sources.lib.source import Payload

AT = dt.datetime(2026, 11, 23, 6)


def payload(content: bytes) -> Payload:
    return Payload("part", "https://example.org/x", content, AT)


def test_equal_bytes_are_stored_once(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    for day in (22, 23):
        store.add("s", dt.date(2026, 11, day), "run", [payload(b"same")])
    assert len(list(tmp_path.rglob("*.gz"))) == 1
    assert len(store.fetches("s")) == 2 and len(store.fetches("s", until=dt.date(2026, 11, 22))) == 1
    assert store.content(store.fetches("s")[0].payloads[0]) == b"same"


def test_a_torn_line_of_the_index_is_passed_over(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    store.add("s", AT.date(), "run", [payload(b"one")])
    with (tmp_path / "index.jsonl").open("ab") as file:
        file.write(b'{"source": "s", "as_')
    store.add("s", AT.date(), "run", [payload(b"two")])
    assert len(store.fetches("s")) == 2


def test_changed_bytes_are_noticed(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    fetch = store.add("s", AT.date(), "run", [payload(b"one")])
    other = store.add("s", AT.date(), "run", [payload(b"two")])
    paths = {p.stem: p for p in tmp_path.rglob("*.gz")}
    paths[fetch.payloads[0].sha256].write_bytes(paths[other.payloads[0].sha256].read_bytes())
    with pytest.raises(SnapshotError, match="expected"):
        store.content(fetch.payloads[0])


def test_a_torn_line_of_the_record_is_passed_over(tmp_path: Path) -> None:
    recorder = OpsRecorder(tmp_path, "run")
    row = {"as_of_on": AT.date(), "started_at": AT, "finished_at": None, "outcome": "running", "detail": None, "software_version": "1"}
    recorder.append("refreshes", [row])
    with (tmp_path / "run.jsonl").open("ab") as file:
        file.write(b'{"table": "refreshes", "run_')
    [found] = read_ops(tmp_path, catalogue())["refreshes"].to_dicts()
    assert found["run_id"] == "run" and found["started_at"] == AT and found["finished_at"] is None


def test_the_lock_names_its_holder(tmp_path: Path) -> None:
    with refresh_lock(tmp_path), pytest.raises(RefreshLockedError, match="process"), refresh_lock(tmp_path):
        pass
    with refresh_lock(tmp_path):
        pass


def test_settings_of_environment_and_file(tmp_path: Path) -> None:
    path = tmp_path / "breakeven.toml"
    path.write_text('keep_versions = 3\n[sources.azure_retail]\ntimeout = 5\nbase_url = "https://proxy.example"\n')
    found = load_settings({"BREAKEVEN_SOURCE_AZURE_RETAIL_TIMEOUT": "7", "BREAKEVEN_DATA": "here"}, path)
    assert found.keep_versions == 3 and found.source("azure_retail").timeout == 7 and str(found.data) == "here"
    assert found.source("azure_retail").base_url == "https://proxy.example" and found.source("other").enabled


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"BREAKEVEN_KEEP_VERSIONS": "many"}, "BREAKEVEN_KEEP_VERSIONS"),
        ({"BREAKEVEN_SOURCE_X_SPEED": "1"}, "BASE_URL, TIMEOUT, ENABLED"),
        ({"BREAKEVEN_SOURCE_X_BASE_URL": "ftp://x"}, "base_url"),
    ],
)
def test_bad_settings_are_named(environment: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=said):
        load_settings(environment, tmp_path / "none.toml")
