"""Packing snapshots loses nothing: every fetch reads as before, orphans go, a broken pack is named, so is a kill survived."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import pytest

from pipelines.ingest.snapshots import SnapshotError, SnapshotStore
from pipelines.sources.lib.source import Payload

DAYS = [dt.date(2026, 1, 5), dt.date(2026, 1, 20), dt.date(2026, 2, 3), dt.date(2026, 3, 1)]

# What gzip cannot make smaller by itself, as a list of prices that moves a little from day to day.
MOSTLY_THE_SAME = random.Random(1).randbytes(40_000)


def filled(folder: Path) -> SnapshotStore:
    store = SnapshotStore(folder)
    for number, day in enumerate(DAYS):
        at = dt.datetime.combine(day, dt.time(5))
        contents = (b"the same every day", MOSTLY_THE_SAME + str(number).encode())
        payloads = [Payload(f"p{i}", "https://prices.example/", content, at) for i, content in enumerate(contents)]
        store.add("somewhere", day, f"run-{number}", payloads)
    return store


def contents(folder: Path) -> list[bytes]:
    store = SnapshotStore(folder)
    return [store.content(payload) for fetch in store.fetches() for payload in fetch.payloads]


def test_every_response_reads_as_before(tmp_path: Path) -> None:
    store, before = filled(tmp_path), contents(tmp_path)
    index = (tmp_path / "index.jsonl").read_bytes()
    done = store.compact(dt.date(2026, 2, 15))
    # What was said again on the last day is of that day.
    assert (done.packed, done.removed) == (3, 0)
    assert done.bytes_after < done.bytes_before
    assert sorted(p.name for p in (tmp_path / "packs").glob("*.xz")) == ["2026-01-0.xz", "2026-02-0.xz"]
    assert contents(tmp_path) == before
    assert (tmp_path / "index.jsonl").read_bytes() == index
    assert SnapshotStore(tmp_path).compact(dt.date(2026, 2, 15)).packed == 0


def test_a_later_compaction_adds_a_pack(tmp_path: Path) -> None:
    store, before = filled(tmp_path), contents(tmp_path)
    store.compact(dt.date(2026, 1, 10))
    assert store.compact(dt.date(2027, 1, 1)).packed == 4
    assert contents(tmp_path) == before
    assert not list((tmp_path / "objects").glob("*/*"))


def test_what_is_packed_is_not_stored_again(tmp_path: Path) -> None:
    store = filled(tmp_path)
    store.compact(dt.date(2027, 1, 1))
    store.add("somewhere", dt.date(2027, 1, 2), "again", [Payload("p0", "", b"the same every day", dt.datetime(2027, 1, 2))])
    assert not list((tmp_path / "objects").glob("*/*.gz"))
    assert contents(tmp_path)[-1] == b"the same every day"


def test_what_nothing_refers_to_goes(tmp_path: Path) -> None:
    store, before = filled(tmp_path), contents(tmp_path)
    for name in ("0" * 64 + ".gz", "torn.tmp"):
        (tmp_path / "objects" / "00").mkdir(exist_ok=True)
        (tmp_path / "objects" / "00" / name).write_bytes(b"left by a kill")
    assert store.compact(dt.date(2000, 1, 1)).removed == 2
    assert contents(tmp_path) == before


def test_a_pack_without_its_list_is_not_there(tmp_path: Path) -> None:
    """As a kill between the pack and its list leaves it: the responses still have files of their own."""
    before = filled(tmp_path) and contents(tmp_path)
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs" / "2026-01-0.xz").write_bytes(b"half")
    assert contents(tmp_path) == before
    assert SnapshotStore(tmp_path).compact(dt.date(2027, 1, 1)).packed == 5
    assert contents(tmp_path) == before


def test_a_broken_pack_is_named(tmp_path: Path) -> None:
    filled(tmp_path).compact(dt.date(2026, 2, 1))
    (tmp_path / "packs" / "2026-01-0.xz").write_bytes(b"broken")
    with pytest.raises(SnapshotError, match=r"p1: 2026-01-0\.xz: not readable"):
        contents(tmp_path)
