"""The store of raw responses: immutable, content-addressed bytes and an append-only index of fetches; old bytes in packs.

Belongs here: writing and reading `data/snapshots`. Does not belong here: fetching, parsing, deciding which fetch is good.

A fetch becomes visible by one appended line, after all of its bytes are on disk: a kill at any instant leaves at most bytes that
nothing refers to.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import threading
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipelines.ingest.snapshot_check import CheckList, IndexLine, key_of
from pipelines.ingest.snapshot_packs import Compacted, PackError, PackStore, compact
from pipelines.platform.errors import ExplainedError
from pipelines.sources.lib.source import Payload


class SnapshotError(ExplainedError):
    """Stored bytes are missing or are not what the index says; the message names the file."""


@dataclass(frozen=True)
class StoredPayload:
    """One response in the store: how it was got, and the hash that finds its bytes."""

    name: str
    url: str
    status: int
    etag: str | None
    fetched_at: datetime
    sha256: str
    byte_count: int


@dataclass(frozen=True)
class Fetch:
    """One fetch of one source: `status` is ok or partial, `problems` say which parts failed."""

    source: str
    as_of: date
    run_id: str
    fetched_at: datetime
    status: str
    problems: tuple[str, ...]
    payloads: tuple[StoredPayload, ...]

    @property
    def content_key(self) -> str:
        """Equal for fetches that hold the same bytes for the same day."""
        return "|".join([self.source, self.as_of.isoformat(), *sorted(f"{p.name}={p.sha256}" for p in self.payloads)])


class SnapshotStore:
    """`data/snapshots`: `objects/<2 hex>/<sha256>.gz` and `index.jsonl`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._index = folder / "index.jsonl"
        self._lock = threading.Lock()
        self._packs = PackStore(folder / "packs")
        self._check = CheckList(folder)
        # The index only grows: read again from where it ended.
        self._read_bytes = 0
        self._read_lines: list[IndexLine] = []
        self._read_fetches: list[Fetch] = []

    def add(self, source: str, as_of: date, run_id: str, payloads: Sequence[Payload], problems: Iterable[str] = ()) -> Fetch:
        """Store the payloads of a fetch, then its line in the index."""
        problems = tuple(problems)
        stored = tuple(self._store(payload) for payload in payloads)
        fetch = Fetch(source, as_of, run_id, max(p.fetched_at for p in payloads), "partial" if problems else "ok", problems, stored)
        line = json.dumps(asdict(fetch), default=lambda value: value.isoformat()) + "\n"
        with self._lock:
            self._index.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._index, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                size = os.fstat(descriptor).st_size
                if size and os.pread(descriptor, 1, size - 1) != b"\n":
                    line = "\n" + line  # a kill tore the last line: leave it alone and start a new one
                os.write(descriptor, line.encode())
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            self._read_on()
            self._check.take_in(self._read_lines)
        return fetch

    def fetches(self, source: str | None = None, until: date | None = None) -> list[Fetch]:
        """Fetches in the order in which they were made, of one source or of all, for days up to `until`."""
        with self._lock:
            self._read_on()
            found = list(self._read_fetches)
        return [f for f in found if (source is None or f.source == source) and (until is None or f.as_of <= until)]

    def losses(self, recorded: str | None = None) -> list[str]:
        """What was in the store once and is not any more, or cannot be read: a sentence each, none where all is there.

        `recorded`: what `state` gave at some earlier time, if anything kept it.
        """
        with self._lock:
            self._read_on()
            return self._check.losses(self._read_lines, self._missing(), self._unreadable(), recorded)

    def accept_losses(self, recorded: str | None = None) -> None:
        """Say no more of what is gone now."""
        with self._lock:
            self._read_on()
            self._check.accept(self._read_lines, self._missing(), self._unreadable(), recorded)

    def state(self) -> str:
        """What the index came to so far, to be recorded elsewhere and given to `losses`."""
        with self._lock:
            self._read_on()
            self._check.take_in(self._read_lines)
            return self._check.state()

    def mend(self, payloads: Iterable[Payload]) -> None:
        """Store bytes again that can be had again, where they are gone or not what they were."""
        for payload in payloads:
            self._store(payload)

    def _read_on(self) -> None:
        if not self._index.is_file():
            return
        with self._index.open("rb") as file:
            file.seek(self._read_bytes)
            for line in file:
                if not line.endswith(b"\n"):
                    break  # torn off by a kill, or being written
                self._read_bytes += len(line)
                if not line.strip():
                    continue
                number = len(self._read_lines) + 1
                try:
                    fetch = _fetch(json.loads(line))
                except (ValueError, KeyError, TypeError, AttributeError):
                    self._read_lines.append(IndexLine(number, key_of(line), "", ""))
                    continue  # torn off, and its fetch never became visible; or damaged: `losses` says which it was
                self._read_lines.append(IndexLine(number, key_of(line), fetch.source, fetch.as_of.isoformat()))
                self._read_fetches.append(fetch)

    def _missing(self) -> dict[str, str]:
        held = {path.name.removesuffix(".gz") for path in (self.folder / "objects").glob("*/*.gz")} | self._packs.hashes()
        return {
            payload.sha256: f"{fetch.source} {fetch.as_of} {payload.name}"
            for fetch in self._read_fetches
            for payload in fetch.payloads
            if payload.sha256 not in held
        }

    def _unreadable(self) -> list[str]:
        # A line torn off by a kill is whole in no list; what was noted and is gone is said by the check list.
        return self._packs.broken()

    def content(self, payload: StoredPayload) -> bytes:
        """Bytes of a stored payload, checked against their hash. Raises SnapshotError."""
        path = self._object_path(payload.sha256)
        try:
            packed = None if path.exists() else self._packs.content(payload.sha256)
            content = gzip.decompress(path.read_bytes()) if packed is None else packed
        except PackError as error:
            raise SnapshotError(f"snapshot {payload.name}: {error}") from error
        except (OSError, EOFError, zlib.error) as error:
            raise SnapshotError(f"snapshot {path.name} of {payload.name}: not readable: {error}") from error
        found = hashlib.sha256(content).hexdigest()
        if found != payload.sha256:
            raise SnapshotError(f"snapshot {path.name} of {payload.name}: holds bytes with sha256 {found}, expected {payload.sha256}")
        return content

    def compact(self, before: date) -> Compacted:
        """Pack responses of days before `before` and remove files that no fetch refers to. Call under the refresh lock.

        Raises SnapshotError where something was lost: what seems to belong to nothing then may be all that is left of it.
        """
        if lost := self.losses():
            raise SnapshotError(f"nothing was packed or removed: {'; '.join(lost)}")
        return compact(self.folder, ((fetch.as_of, payload.sha256) for fetch in self.fetches() for payload in fetch.payloads), before)

    def _object_path(self, sha256: str) -> Path:
        return self.folder / "objects" / sha256[:2] / f"{sha256}.gz"

    def _store(self, payload: Payload) -> StoredPayload:
        sha256 = hashlib.sha256(payload.content).hexdigest()
        path = self._object_path(sha256)
        if not self._is_sound(sha256):
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.tmp")
            with temporary.open("wb") as file:
                file.write(gzip.compress(payload.content, 6, mtime=0))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        return StoredPayload(payload.name, payload.url, payload.status, payload.etag, payload.fetched_at, sha256, len(payload.content))

    def _is_sound(self, sha256: str) -> bool:
        try:
            path = self._object_path(sha256)
            content = gzip.decompress(path.read_bytes()) if path.exists() else self._packs.content(sha256)
        except (OSError, EOFError, zlib.error, PackError):
            return False
        return content is not None and hashlib.sha256(content).hexdigest() == sha256


def _fetch(row: dict[str, Any]) -> Fetch:
    return Fetch(
        source=row["source"],
        as_of=date.fromisoformat(row["as_of"]),
        run_id=row["run_id"],
        fetched_at=datetime.fromisoformat(row["fetched_at"]),
        status=row["status"],
        problems=tuple(row["problems"]),
        payloads=tuple(StoredPayload(**{**p, "fetched_at": datetime.fromisoformat(p["fetched_at"])}) for p in row["payloads"]),
    )
