"""A version copied beyond this machine: to a bucket on loopback and to a folder that a plain web server serves."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import requests

from pipelines.publication.remote import Bucket, Folder, Place, RemoteError, place_of, publish_to
from tests.support.cli import Cli
from tests.support.object_store import object_store


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with object_store(monkeypatch) as (_, address):
        yield address


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "site"
    folder.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield folder, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def small_version(folder: Path, name: str, files: int = 12) -> Path:
    """A version of a few small files with a true manifest."""
    import hashlib

    version = folder / name
    version.mkdir(parents=True)
    listed = {}
    for number in range(files):
        data = f"{name} {number}".encode() * 100
        path = version / ("bi" if number % 2 else "marts") / f"t{number}.parquet"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        listed[path.relative_to(version).as_posix()] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    keys = ("run_id", "created_at", "blocked_reason", "fingerprint", "sources", "tables")
    manifest = {**dict.fromkeys(keys), "version": name, "as_of": "2026-11-23", "blocked": False, "files": listed}
    (version / "manifest.json").write_text(json.dumps(manifest))
    return version


class Killed(BaseException):
    """What a kill would be: nothing after it runs."""


class Dying:
    """A place that is gone after so many writes."""

    def __init__(self, place: Place, writes: int) -> None:
        self.place, self.left = place, writes

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.place, name)
        if name not in ("put", "write", "remove"):
            return found

        def until_killed(*arguments: Any) -> Any:
            if self.left == 0:
                raise Killed
            self.left -= 1
            return found(*arguments)

        return until_killed


def as_readers_see_it(place: Any) -> dict[str, Any] | None:
    """The version that the pointer names, with every file of its manifest checked."""
    import hashlib

    def read(key: str) -> bytes | None:
        if isinstance(place, Folder):
            path = place.folder / key
            return path.read_bytes() if path.exists() else None
        try:
            data: bytes = place.client.get_object(Bucket=place.bucket, Key=place._full(key))["Body"].read()
        except place.client.exceptions.NoSuchKey:
            return None
        return data

    pointer = read("current.json")
    if pointer is None:
        return None
    current = json.loads(pointer)
    manifest = json.loads(read(current["manifest"]) or b"")
    for name, facts in manifest["files"].items():
        assert hashlib.sha256(read(f"versions/{current['version']}/{name}") or b"").hexdigest() == facts["sha256"], name
    found: dict[str, Any] = current
    return found


@pytest.mark.parametrize("kind", ["bucket", "folder"])
def test_a_kill_at_any_instant_leaves_a_whole_version(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if kind == "bucket":
        request.getfixturevalue("store")
    versions = [small_version(tmp_path / "made", f"2026112{day}T000000Z-a") for day in range(1, 4)]
    # Twelve files, the manifest, the page, the pointer, and what is pruned.
    for writes in (0, 1, 3, 6, 9, 11, 12, 13, 14, 15):
        place = Bucket("prices", f"try{writes}/deep") if kind == "bucket" else Folder(tmp_path / f"try{writes}")
        assert publish_to(versions[0], place, keep=1)["sent"] == 12
        with pytest.raises(Killed):
            publish_to(versions[1], Dying(place, writes), keep=1)
        seen = as_readers_see_it(place)
        assert seen is not None and seen["version"] == versions[1 if writes > 14 else 0].name
        resumed = publish_to(versions[1], place, keep=1)
        assert resumed["skipped"] >= min(writes, 12) and resumed["sent"] + resumed["skipped"] == 12
        assert as_readers_see_it(place)["version"] == versions[1].name  # type: ignore[index]
        publish_to(versions[2], place, keep=1)
        assert place.versions() == {versions[2].name: True}
        assert as_readers_see_it(place)["version"] == versions[2].name  # type: ignore[index]


@pytest.mark.parametrize("kind", ["bucket", "folder"])
def test_what_never_was_current_takes_no_place_of_what_was(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A kill between a version's last file and the pointer leaves it whole; readers were never led to it."""
    if kind == "bucket":
        request.getfixturevalue("store")
    place = Bucket("prices", "never/current") if kind == "bucket" else Folder(tmp_path / "place")
    led_to, whole, newest = (small_version(tmp_path / "made", f"2026112{day}T000000Z-a") for day in range(1, 4))
    publish_to(led_to, place, keep=2)
    with pytest.raises(Killed):
        publish_to(whole, Dying(place, 14), keep=2)
    assert place.versions() == {led_to.name: True, whole.name: True}
    with pytest.raises(Killed):
        publish_to(newest, Dying(place, 15), keep=2)  # the pointer is written, nothing is pruned
    assert as_readers_see_it(place)["version"] == newest.name  # type: ignore[index]
    publish_to(newest, place, keep=2)
    assert place.versions() == {led_to.name: True, newest.name: True}


def test_a_real_version_is_read_from_a_web_server(archive: Cli, site: tuple[Path, str]) -> None:
    folder, address = site
    done = archive("publish", "--to", str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    current = requests.get(f"{address}/current.json", timeout=10).json()
    parquet = requests.get(f"{address}/{current['parquet']}bi/own_or_rent.parquet", timeout=10).content
    ours = pl.read_parquet(archive.current / "bi" / "own_or_rent.parquet")
    assert pl.read_parquet(parquet).equals(ours)
    page = requests.get(f"{address}/{current['pages']}", timeout=10)
    assert page.status_code == 200 and "text/html" in page.headers["Content-Type"]
    database = folder / current["duckdb"]
    with duckdb.connect(str(database), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM bi.own_or_rent").fetchall() == [(ours.height,)]
    again = archive("publish", "--to", str(folder))
    assert " 0 files sent" in again.stdout


def test_the_descriptions_name_every_file_and_column(archive: Cli) -> None:
    import yaml

    package = json.loads((archive.current / "datapackage.json").read_text())
    # A mart by month is a resource of several files.
    named = [([resource["path"]] if isinstance(resource["path"], str) else resource["path"], resource) for resource in package["resources"]]
    listed = {path: resource for paths, resource in named for path in paths}
    there = {path.relative_to(archive.current).as_posix() for path in archive.current.rglob("*.parquet")}
    assert set(listed) == there
    for path, resource in listed.items():
        assert [field["name"] for field in resource["schema"]["fields"]] == pl.read_parquet_schema(archive.current / path).names()
        assert all(field["description"] for field in resource["schema"]["fields"])
    contracts = sorted((archive.current / "contracts").glob("*.odcs.yaml"))
    assert len(contracts) >= 18
    for path in contracts:
        contract = yaml.safe_load(path.read_text())
        assert contract["kind"] == "DataContract" and contract["schema"][0]["properties"]


def test_what_is_wrong_is_said_without_a_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = small_version(tmp_path, "20261121T000000Z-a")
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(RemoteError, match=r"publish_to .*file"):
        publish_to(version, place_of(str(tmp_path / "file")), keep=2)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "do-not-show-me")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(RemoteError, match="publish_to s3://nowhere") as found:
        publish_to(version, place_of("s3://nowhere/x"), keep=2)
    assert "do-not-show-me" not in str(found.value)
