"""Stored responses: equal bytes once, torn lines passed over, changed bytes noticed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from pipelines.ingest.snapshots import SnapshotError, SnapshotStore
from pipelines.sources.lib.source import Payload
from tests.support.tables import AT


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
