"""Publishing beyond this machine, killed: the store ends the process while it sends, and readers follow the pointer all the while."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.publication.remote import Bucket, Folder, publish_to
from tests.faults.kills import killed_before_step
from tests.integration.test_publish_to import as_readers_see_it, small_version
from tests.support.object_store import object_store
from tests.support.paths import ROOT

PUBLISH = """
import sys
from pathlib import Path
from pipelines.publication.remote import place_of, publish_to
publish_to(Path(sys.argv[1]), place_of(sys.argv[2]), keep=2)
"""
INSTANTS = 10


class KillingStore:
    """A bucket on loopback that ends the process whose change of it is the Nth, when the request begins to arrive."""

    def __init__(self, app: Callable[..., Any]) -> None:
        self.app, self.changes, self.at, self.process = app, 0, -1, 0

    def __call__(self, environment: dict[str, Any], start_response: Any) -> Any:
        if environment["REQUEST_METHOD"] in ("PUT", "POST", "DELETE"):
            if self.changes == self.at:
                os.kill(self.process, signal.SIGKILL)
            self.changes += 1
        return self.app(environment, start_response)

    def publish(self, version: Path, at: int = -1) -> int:
        """Publish in a process of its own that is killed at its change number `at`; give how it ended."""
        child = subprocess.Popen([sys.executable, "-c", PUBLISH, str(version), "s3://prices/deep/prefix"], cwd=ROOT)
        self.process, self.changes, self.at = child.pid, 0, at
        return child.wait(120)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[KillingStore]:
    with object_store(monkeypatch) as (server, _):
        killing = KillingStore(server._server.app)
        server._server.app = killing
        yield killing


class Reader:
    """Follows the pointer again and again, and reads every file that it leads to."""

    def __init__(self, place: Bucket) -> None:
        self.place, self.is_done, self.seen, self.fault = place, threading.Event(), list[str](), ""
        self.thread = threading.Thread(target=self.read, daemon=True)

    def read(self) -> None:
        while not self.is_done.wait(0.05):
            try:
                if current := as_readers_see_it(self.place):
                    self.seen.append(current["version"])
            except (AssertionError, ValueError) as error:
                self.fault = f"{type(error).__name__}: {error}"
                return

    def __enter__(self) -> Reader:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_done.set()
        self.thread.join()


def version_with_a_large_file(folder: Path, number: int) -> Path:
    """Its largest file is sent in several parts."""
    version = small_version(folder, f"202611{number:02}T000000Z-a", files=6)
    data = random.Random(number).randbytes(18_000_000)
    (version / "breakeven.duckdb").write_bytes(data)
    manifest = json.loads((version / "manifest.json").read_text())
    manifest["files"]["breakeven.duckdb"] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (version / "manifest.json").write_text(json.dumps(manifest))
    return version


def test_readers_of_a_bucket_never_see_half_a_version(store: KillingStore, tmp_path: Path) -> None:
    version = version_with_a_large_file(tmp_path, 1)
    assert store.publish(version) == 0
    place = Bucket("prices", "deep/prefix")
    last = store.changes - 1
    assert last > INSTANTS, "parts of a large file, small files, manifest, page and pointer"
    whole = [version.name]
    with Reader(place) as reader:
        for number in range(INSTANTS):
            version = version_with_a_large_file(tmp_path, number + 2)
            at = round(number * last / (INSTANTS - 1))
            assert store.publish(version, at) == -signal.SIGKILL, at
            current = as_readers_see_it(place)
            assert current is not None and current["version"] in (whole[-1], version.name), at
            whole += [version.name] * (current["version"] == version.name)
            # Every other version is taken up again; the others are left for a newer one.
            if number % 2 or number == INSTANTS - 1:
                assert store.publish(version) == 0
                assert as_readers_see_it(place)["version"] == version.name  # type: ignore[index]
                whole += [version.name] * (whole[-1] != version.name)
                there = {key.split("/")[3] for key in keys(place) if key.startswith("deep/prefix/versions/")}
                assert there == set(whole[-2:]), "what a kill left behind goes with the next version, and takes no older one's place"
    assert reader.fault == "" and len(set(reader.seen)) > INSTANTS / 3
    assert place.client.list_multipart_uploads(Bucket="prices").get("Uploads", []) == []


def keys(place: Bucket) -> list[str]:
    pages = place.client.get_paginator("list_objects_v2").paginate(Bucket=place.bucket)
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


def test_a_folder_killed_at_every_step_is_tidied_by_the_next_version(tmp_path: Path) -> None:
    versions = [small_version(tmp_path / "made", f"2026112{day}T000000Z-a", files=2) for day in range(1, 4)]
    steps = 0
    for step in range(200):
        place = Folder(tmp_path / f"try{step}")
        publish_to(versions[0], place, keep=2)
        was_killed = killed_before_step(step, lambda there=place: publish_to(versions[1], there, keep=2))  # type: ignore[misc]
        current = as_readers_see_it(place)
        assert current is not None and (was_killed or current["version"] == versions[1].name)
        publish_to(versions[2], place, keep=2)
        assert as_readers_see_it(place)["version"] == versions[2].name  # type: ignore[index]
        there = {path.name for path in (place.folder / "versions").iterdir()}
        assert there == {current["version"], versions[2].name}, step
        if not was_killed:
            steps = step
            break
    assert steps > 15
