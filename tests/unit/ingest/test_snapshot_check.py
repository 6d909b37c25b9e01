"""What is lost from the store is noticed and named, costs no more than itself, and is said until it is mended or accepted."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from pipelines.ingest.snapshots import SnapshotError, SnapshotStore
from pipelines.sources.lib.source import Payload

DAYS = [dt.date(2026, 1, 5), dt.date(2026, 1, 20), dt.date(2026, 2, 3), dt.date(2026, 3, 1)]


def payload(day: dt.date) -> Payload:
    return Payload("list", "https://prices.example/", f"prices of {day}".encode(), dt.datetime.combine(day, dt.time(5)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store = SnapshotStore(tmp_path / "snapshots")
    for day in DAYS:
        store.add("somewhere", day, f"run-{day}", [payload(day)])
    assert store.losses(store.state()) == []
    return tmp_path / "snapshots"


def lines(folder: Path) -> list[bytes]:
    return (folder / "index.jsonl").read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize("number", range(len(DAYS)))
def test_a_lost_line_is_named_wherever_it_stood(folder: Path, number: int) -> None:
    kept = lines(folder)
    del kept[number]
    (folder / "index.jsonl").write_bytes(b"".join(kept))
    [said] = SnapshotStore(folder).losses()
    assert f"lost 1 fetch: somewhere {DAYS[number]}" in said and "--accept" in said
    assert len(SnapshotStore(folder).fetches()) == 3


@pytest.mark.parametrize(
    "damage", [b"{}\n", b"[]\n", b"null\n", b"\x00\xff\xfe\n", b'{"source": 1}\n', b'{"source": "s", "as_of": "soon"}\n']
)
def test_an_unreadable_line_costs_that_line(folder: Path, damage: bytes) -> None:
    kept = lines(folder)
    kept[1] = damage
    (folder / "index.jsonl").write_bytes(b"".join(kept))
    store = SnapshotStore(folder)
    assert [fetch.as_of for fetch in store.fetches()] == [DAYS[0], *DAYS[2:]]
    [said] = store.losses()
    assert f"somewhere {DAYS[1]}" in said


def test_an_older_index_is_taken_in_and_what_it_lacks_is_said(folder: Path) -> None:
    (folder / "index.jsonl").write_bytes(b"".join(lines(folder)[:2]))
    store = SnapshotStore(folder)
    store.add("somewhere", dt.date(2026, 3, 2), "new", [payload(dt.date(2026, 3, 2))])
    assert [fetch.as_of for fetch in store.fetches()] == [*DAYS[:2], dt.date(2026, 3, 2)]
    assert "lost 2 fetches" in store.losses()[0]


def test_a_lost_index_is_said_and_nothing_is_removed(folder: Path) -> None:
    (folder / "index.jsonl").unlink()
    store = SnapshotStore(folder)
    assert "lost 4 fetches" in store.losses()[0] and "and 1 more" in store.losses()[0]
    with pytest.raises(SnapshotError, match="nothing was packed or removed"):
        store.compact(dt.date(2027, 1, 1))
    assert len(list(folder.glob("objects/*/*.gz"))) == 4


def test_a_lost_folder_is_noticed_by_what_was_recorded_elsewhere(folder: Path) -> None:
    recorded = SnapshotStore(folder).state()
    shutil.rmtree(folder)
    store = SnapshotStore(folder)
    store.add("somewhere", DAYS[0], "new", [payload(DAYS[0])])
    [said] = store.losses(recorded)
    assert "4 fetches then, 1 now" in said
    store.accept_losses(recorded)
    assert store.losses(recorded) == []


def test_a_lost_response_is_named_until_it_is_accepted_or_back(folder: Path) -> None:
    store = SnapshotStore(folder)
    lost = folder / "objects" / (sha := store.fetches()[1].payloads[0].sha256)[:2] / f"{sha}.gz"
    content = lost.read_bytes()
    lost.unlink()
    assert f"lost 1 response: somewhere {DAYS[1]} list" in store.losses()[0]
    lost.write_bytes(content)
    assert store.losses() == []
    lost.unlink()
    store.accept_losses()
    assert SnapshotStore(folder).losses() == []


@pytest.mark.parametrize("damage", ["pack", "list", "torn list"])
def test_a_lost_pack_is_named_and_no_other_suffers(folder: Path, damage: str) -> None:
    SnapshotStore(folder).compact(dt.date(2026, 2, 15))
    pack, listing = folder / "packs" / "2026-01-0.xz", folder / "packs" / "2026-01-0.json"
    if damage == "torn list":
        listing.write_text('{"')
    else:
        (pack if damage == "pack" else listing).unlink()
    store = SnapshotStore(folder)
    assert any("lost 2 responses" in said for said in store.losses())
    assert store.content(store.fetches()[2].payloads[0]) == f"prices of {DAYS[2]}".encode()
    with pytest.raises(SnapshotError):
        store.content(store.fetches()[0].payloads[0])


def test_a_pack_whose_list_was_lost_is_not_written_over(folder: Path) -> None:
    SnapshotStore(folder).compact(dt.date(2026, 1, 10))
    pack = folder / "packs" / "2026-01-0.xz"
    before = pack.read_bytes()
    pack.with_suffix(".json").unlink()
    SnapshotStore(folder).accept_losses()
    SnapshotStore(folder).compact(dt.date(2027, 1, 1))
    assert pack.read_bytes() == before and (folder / "packs" / "2026-01-1.xz").exists()


def test_what_can_be_had_again_is_stored_again(folder: Path) -> None:
    store = SnapshotStore(folder)
    sha = store.fetches()[0].payloads[0].sha256
    path = folder / "objects" / sha[:2] / f"{sha}.gz"
    for damage in (b"", b"not gzip", path.read_bytes()[:-9]):
        path.write_bytes(damage)
        store.mend([payload(DAYS[0])])
        assert store.content(store.fetches()[0].payloads[0]) == payload(DAYS[0]).content


def test_a_store_of_an_earlier_version_is_noted_at_the_first_look(folder: Path) -> None:
    (folder / "index.check").unlink()
    store = SnapshotStore(folder)
    assert store.losses() == [] and store.state().startswith("4 ")
    assert len((folder / "index.check").read_text().splitlines()) == 4
