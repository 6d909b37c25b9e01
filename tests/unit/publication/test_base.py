"""Which published file a new one is made from, and that nobody sees it change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.platform import files
from pipelines.publication import base
from pipelines.publication.marts import held_by, hold
from pipelines.publication.parts import WHOLE, Part, sha256_of
from pipelines.publication.versions import DUCKDB_FILE
from tests.unit.publication.test_marts import rows_of

GPU = catalogue().tables["gpu"]


def part(folder: Path, number: int, name: str = WHOLE) -> Part:
    file = folder / f"{name}{number}.parquet"
    rows_of(GPU, name, number).write_parquet(file)
    return Part(name, file, number, sha256_of(file))


def version(folder: Path, parts: dict[str, list[Part]], software: str = "this", updates: int = 0) -> Path:
    folder.mkdir()
    with duckdb.connect(str(folder / DUCKDB_FILE)) as connection:
        for _ in range(updates + 1):
            hold(connection, [GPU], parts, software)
    file = folder / DUCKDB_FILE
    file.chmod(0o444)
    keys = ("version", "run_id", "as_of", "created_at", "blocked", "blocked_reason", "fingerprint", "sources", "tables")
    facts = {DUCKDB_FILE: {"bytes": file.stat().st_size, "sha256": sha256_of(file)}}
    (folder / "manifest.json").write_text(json.dumps({**dict.fromkeys(keys, ""), "files": facts}))
    return folder


@pytest.fixture
def parts(tmp_path: Path) -> dict[str, list[Part]]:
    return {"gpu": [part(tmp_path, 4, "2026-09"), part(tmp_path, 4, "2026-10"), part(tmp_path, 1, "2026-11")]}


@pytest.fixture(params=[True, False], ids=["shares blocks", "copies"])
def clones(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[bool]:
    """A file system that lets files share blocks, and one that does not, whatever this one does."""

    def cloned(file: Path, name: Path) -> bool:
        name.write_bytes(file.read_bytes())
        return True

    monkeypatch.setattr(base, "clone", cloned if request.param else lambda *_: False)
    yield request.param


def test_the_current_file_is_built_on_and_stays(tmp_path: Path, parts: dict[str, list[Part]], clones: bool) -> None:
    current, target = version(tmp_path / "current", parts), tmp_path / "new.duckdb"
    before = sha256_of(current / DUCKDB_FILE)
    assert base.lay(target, current, None, parts, "this")
    with duckdb.connect(str(target)) as connection:
        connection.execute("DROP TABLE stored.gpu CASCADE")
    assert sha256_of(current / DUCKDB_FILE) == before


def test_a_file_that_is_shown_no_more_is_taken(tmp_path: Path, parts: dict[str, list[Part]], clones: bool) -> None:
    current, spare, target = version(tmp_path / "current", parts), version(tmp_path / "spare", parts), tmp_path / "new.duckdb"
    assert base.lay(target, current, spare, parts, "this")
    # Where a clone costs nothing the newest file is the one to begin with.
    assert (spare / DUCKDB_FILE).exists() == clones
    with duckdb.connect(str(target)) as connection:
        assert held_by(connection) is not None


@pytest.mark.usefixtures("clones")
def test_a_file_that_somebody_reads_is_left_alone(tmp_path: Path, parts: dict[str, list[Part]]) -> None:
    current, spare, target = version(tmp_path / "current", parts), version(tmp_path / "spare", parts), tmp_path / "new.duckdb"
    with (spare / DUCKDB_FILE).open("rb"):
        assert base.lay(target, current, spare, parts, "this")
    assert (spare / DUCKDB_FILE).exists()
    target.unlink()
    (tmp_path / "other name").hardlink_to(spare / DUCKDB_FILE)
    assert base.lay(target, current, spare, parts, "this")
    assert (spare / DUCKDB_FILE).exists()


@pytest.mark.usefixtures("clones")
@pytest.mark.parametrize("fault", ["software", "updates", "changed", "no manifest", "no record", "no database", "most is new"])
def test_what_cannot_be_trusted_is_not_built_on(tmp_path: Path, parts: dict[str, list[Part]], fault: str) -> None:
    current = version(
        tmp_path / "current",
        parts,
        software="another" if fault == "software" else "this",
        updates=base.MOST_UPDATES if fault == "updates" else base.MOST_UPDATES - 1,
    )
    file, wanted = current / DUCKDB_FILE, parts
    file.chmod(0o644)
    if fault == "changed":
        with duckdb.connect(str(file)) as connection:
            connection.execute("DELETE FROM stored.gpu")
    elif fault == "no manifest":
        (current / "manifest.json").unlink()
    elif fault == "no record":
        with duckdb.connect(str(file)) as connection:
            connection.execute('DROP TABLE stored."_record"')
        manifest = json.loads((current / "manifest.json").read_text())
        manifest["files"][DUCKDB_FILE] = {"bytes": file.stat().st_size, "sha256": sha256_of(file)}
        (current / "manifest.json").write_text(json.dumps(manifest))
    elif fault == "no database":
        file.write_bytes(b"no database")
    elif fault == "most is new":
        wanted = {"gpu": [part(tmp_path, 2, "2026-09"), part(tmp_path, 3, "2026-10"), *parts["gpu"][2:]]}
    assert not base.lay(tmp_path / "new.duckdb", current, current, wanted, "this")
    assert not (tmp_path / "new.duckdb").exists() and file.exists()


def test_only_a_file_that_nobody_has_is_ours_alone(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x")
    assert files.is_ours_alone(file)
    with file.open("rb"):
        assert not files.is_ours_alone(file)
    assert files.is_ours_alone(file)


def test_a_clone_is_as_the_file_or_there_is_none(tmp_path: Path) -> None:
    file, name = tmp_path / "file", tmp_path / "clone"
    file.write_bytes(b"x" * 10_000)
    assert files.clone(file, name) == name.exists()
    assert not name.exists() or name.read_bytes() == file.read_bytes()
