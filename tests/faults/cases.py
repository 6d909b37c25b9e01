"""Every fault as a case: harm a data folder, look whether what must hold still holds. `python -m tests.faults` prints them as a table."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pipelines.catalogue.contracts import catalogue
from pipelines.ingest import fetch as fetching
from pipelines.ingest.parse import read_source
from pipelines.ingest.registry import discover
from pipelines.ingest.snapshots import SnapshotError, SnapshotStore
from pipelines.monitoring.state import read_state
from pipelines.platform.clock import utc_now
from pipelines.platform.lock import RefreshLockedError, refresh_lock
from pipelines.platform.settings import Settings, SourceSettings
from pipelines.publication.ops import condense, runs, unreadable_lines
from pipelines.publication.versions import PublishedFolder
from pipelines.refresh.backup import write_backup
from pipelines.sources.lib import http
from tests.faults.kills import as_nobody, contents, killed_before_step, with_file_limit
from tests.faults.stores import AT, OPERATIONS, add, assert_next_completes, assert_sound, filled, publish, record

Case = Callable[[Path], int]
CASES: dict[str, Case] = {}
_DISK_BYTES = (0, 100, 1_000, 10_000, 50_000, 150_000)


def case(name: str) -> Callable[[Case], Case]:
    def register(function: Case) -> Case:
        CASES[name] = function
        return function

    return register


def _copy(whole: Path, number: int) -> Path:
    data = whole.parent / f"{number}" / "data"
    shutil.copytree(whole, data, symlinks=True)
    shutil.copyfile(whole.parent / "whole.tar.gz", data.parent / "whole.tar.gz")
    return data


def _whole(work: Path) -> Path:
    data = filled(work / "whole" / "data")
    write_backup(data, data.parent / "whole.tar.gz")
    return data


def _killed(name: str) -> Case:
    def run(work: Path) -> int:
        whole, number = _whole(work), 0
        while True:
            data = _copy(whole, number)
            died = killed_before_step(number, lambda data=data: OPERATIONS[name](data))
            assert_sound(data)
            if not died:
                return number
            assert_next_completes(data, name)
            shutil.rmtree(data.parent)
            number += 1

    return run


def _disk_full(name: str) -> Case:
    def run(work: Path) -> int:
        whole, stopped = _whole(work), 0
        for limit in _DISK_BYTES:
            data = _copy(whole, limit)
            stopped += with_file_limit(limit, lambda data=data: OPERATIONS[name](data))
            assert_sound(data)
            assert_next_completes(data, name)
        assert stopped, "no limit stopped it: the case shows nothing"
        return len(_DISK_BYTES)

    return run


for _name in OPERATIONS:
    CASES[f"kill before every step: {_name}"] = _killed(_name)
for _name in ("store an answer", "publish a version", "back up"):
    CASES[f"disk full at six sizes: {_name}"] = _disk_full(_name)


@case("folder that may only be read")
def _read_only(work: Path) -> int:
    data = _whole(work)
    for path in [data, *data.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    for path in [work, work / "whole", *work.parents]:
        if path.stat().st_uid == os.getuid() and str(path).startswith(tempfile.gettempdir()):
            path.chmod(path.stat().st_mode | 0o055)
    tried = 0
    for name, operation in OPERATIONS.items():
        if name not in ("back up", "restore"):
            assert as_nobody(lambda operation=operation: operation(data)), f"{name} did not fail"
            tried += 1
    assert not as_nobody(lambda: read_state(Settings(data=data), AT)), "status must work on what may only be read"
    assert_sound(data)
    return tried


@case("two refreshes at once")
def _two(work: Path) -> int:
    with refresh_lock(work):
        try:
            with refresh_lock(work):
                raise AssertionError("both hold the lock")
        except RefreshLockedError as error:
            assert str(os.getpid()) in str(error)
    with refresh_lock(work):
        return 1


@case("reader that holds the file over six versions")
def _reader(work: Path) -> int:
    data = _whole(work)
    with (data / "published" / "breakeven.duckdb").open("rb") as file:
        for number in range(2, 8):
            publish(data, number)
        assert file.read().startswith(b"figures 1 ")
    assert (data / "published" / "breakeven.duckdb").read_bytes().startswith(b"figures 7 ")
    assert len(PublishedFolder(data / "published").all_versions()) == 2
    return 6


@case("clock a day back, and a run of 2099")
def _clock(work: Path) -> int:
    data = _whole(work)
    for number, stamp in enumerate(("20991231T235959Z", "20260104T060000Z", "20260106T060000Z"), 2):
        current = publish(data, number, stamp)
        assert PublishedFolder(data / "published").current == current.resolve()
    state = read_state(Settings(data=data), AT)
    assert state.last is not None and state.last["run_id"] == "run-5"
    return 3


@case("the hours in which summer time begins and ends")
def _summer_time(work: Path) -> int:
    before, data = os.environ.get("TZ"), _whole(work)
    try:
        for zone in ("Europe/Paris", "America/New_York", "Australia/Lord_Howe"):
            os.environ["TZ"] = zone
            time.tzset()
            # Each pair is an hour apart in time, and the same or the wrong way round on a clock that is set back.
            for number, stamp in enumerate(("20260329T003000Z", "20260329T013000Z", "20261025T003000Z", "20261025T013000Z"), 10):
                current = publish(data, number, stamp)
                assert PublishedFolder(data / "published").current == current.resolve()
            assert len(PublishedFolder(data / "published").all_versions()) == 2
            state = read_state(Settings(data=data), AT)
            assert state.last is not None and state.last["run_id"] == "run-5"
    finally:
        os.environ.pop("TZ", None)
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()
    return 12


@case("odd paths")
def _paths(work: Path) -> int:
    names = ["feature%2Fgpu", "what?", "a [b] *c", "it's", 'say "x"', "l'été \N{SNOWMAN}", "#1", "a;b & c", " lead", "-dash", "{a,b}"]
    for name in names:
        data = filled(work / name / "data")
        assert_sound(data)
        assert_next_completes(data, "publish a version")
    assert sorted(p.name for p in work.iterdir()) == sorted(names)
    return len(names)


@case("odd umask, TZ and LANG")
def _surroundings(work: Path) -> int:
    before, tried = dict(os.environ), 0
    old = os.umask(0)
    try:
        for umask in (0o000, 0o077, 0o777):
            for zone, lang in (("Pacific/Kiritimati", "tr_TR.UTF-8"), ("America/St_Johns", "C"), ("nonsense", "nonsense")):
                os.umask(umask if umask != 0o777 or os.getuid() == 0 else 0o077)
                os.environ.update(TZ=zone, LANG=lang, LC_ALL=lang)
                time.tzset()
                data = filled(work / f"{tried}" / "data")
                assert_sound(data)
                current = PublishedFolder(data / "published").current
                assert current is not None and {oct(p.stat().st_mode & 0o777) for p in current.rglob("*") if p.is_file()} == {"0o444"}
                tried += 1
    finally:
        os.umask(old)
        os.environ.clear()
        os.environ.update(before)
        time.tzset()
    return tried


@case("stray files in every folder of ours")
def _stray(work: Path) -> int:
    data = _whole(work)
    folders = [data, *(p for p in data.rglob("*") if p.is_dir() and not p.is_symlink() and "versions/2" not in str(p))]
    for folder in folders:
        for name in (".DS_Store", ".nfs000001", "Thumbs.db", "._x.jsonl", "._2026-01-0.json", "notes.txt"):
            (folder / name).write_bytes(b"\x00\xff stray")
    assert_sound(data)
    for name in OPERATIONS:
        assert_next_completes(data, name) if name != "restore" else None
    assert unreadable_lines(data / "ops", catalogue()) == []
    return len(folders)


@case("corrupt: each byte region of index, record, manifest, lists")
def _corrupt(work: Path) -> int:
    whole, tried = _whole(work), 0
    SnapshotStore(whole / "snapshots").compact(AT.date().replace(day=8))
    files = ["snapshots/index.jsonl", "snapshots/index.check", "snapshots/packs/2026-01-0.json", "ops/run-3.jsonl", "alerts.json"]
    manifest = PublishedFolder(whole / "published").current
    assert manifest is not None
    files.append(str((manifest / "manifest.json").relative_to(whole)))
    for name in files:
        for damage in (b"", b"\x00" * 64, b"{]\n", b"\xff\xfe", b"null\n"):
            for place in (0.0, 0.5, 1.0):
                data = _copy(whole, tried)
                path = data / name
                path.touch()
                path.chmod(0o644)
                content = path.read_bytes()
                at = int(len(content) * place)
                path.write_bytes(content[:at] + damage + (content[at + len(damage) :] if damage else b""))
                # Nothing may raise: it is said, and all else is used.
                state = read_state(Settings(data=data), AT)
                assert len(state.problems) + len(state.losses) < 20
                assert len(SnapshotStore(data / "snapshots").fetches()) >= (0 if damage == b"" else 4)
                assert len(runs(data / "ops")) >= 5
                publish(data, 5)
                add(data, 91)
                record(data, 91)
                shutil.rmtree(data.parent)
                tried += 1
    return tried


@case("corrupt: answers, in files and in packs")
def _corrupt_answers(work: Path) -> int:
    whole, tried = _whole(work), 0
    for is_packed in (False, True):
        if is_packed:
            SnapshotStore(whole / "snapshots").compact(AT.date() + timedelta(days=90))
        for path in sorted(p for p in (whole / "snapshots").rglob("*") if p.suffix in (".gz", ".pack")):
            for damage in (b"", b"\x00" * 64):
                data = _copy(whole, tried)
                victim = data / path.relative_to(whole)
                victim.chmod(0o644)
                half = victim.stat().st_size // 2
                victim.write_bytes(victim.read_bytes()[:half] + damage)
                store, unread = SnapshotStore(data / "snapshots"), 0
                payloads = [payload for fetch in store.fetches() for payload in fetch.payloads]
                for payload in payloads:
                    try:
                        assert hashlib.sha256(store.content(payload)).hexdigest() == payload.sha256, "other bytes were taken for the answer"
                    except SnapshotError as error:
                        assert payload.name in str(error) and len(str(error)) < 500
                        unread += 1
                assert unread > 0 and (is_packed or unread == 1), f"{unread} of {len(payloads)} cannot be read"
                add(data, 91)
                shutil.rmtree(data.parent)
                tried += 1
    return tried


@case("sixty days: record and versions as large as after five weeks")
def _sixty_days(work: Path) -> int:
    data, sizes = work / "data", []
    for day in range(60):
        at = AT + timedelta(days=day)
        add(data, day)
        record(data, day)
        condense(data / "ops", at - timedelta(days=30))
        publish(data, day, f"{at:%Y%m%dT%H%M%SZ}")
        if day % 30 == 29:
            SnapshotStore(data / "snapshots").compact((at - timedelta(days=20)).date())
        sizes.append({part: sum(len(content) for content in contents(data / part).values()) for part in ("ops", "published", "snapshots")})
    # Of a run of long ago how it ended is kept, in one line.
    assert sizes[59]["ops"] - sizes[34]["ops"] < 25 * 300, [size["ops"] for size in sizes]
    assert sizes[59]["published"] <= 1.1 * sizes[34]["published"], [size["published"] for size in sizes]
    # Answers are never removed; packed, they take what they are worth.
    assert sizes[59]["snapshots"] < 60 * sizes[0]["snapshots"]
    assert [run["number"] for run in runs(data / "ops")] == list(range(60)) and SnapshotStore(data / "snapshots").losses() == []
    return 60


@case("corrupt link")
def _links(work: Path) -> int:
    whole, tried = _whole(work), 0
    for target in ("nowhere", "/", ".", "versions", "current"):
        data = _copy(whole, tried)
        link = data / "published" / "current"
        link.unlink()
        link.symlink_to(target)
        try:
            read_state(Settings(data=data), AT)
        except RuntimeError:  # a link to itself, on Python before 3.13
            assert target == "current"
        publish(data, 2)
        assert_sound(data)
        tried += 1
    return tried


def _network(name: str, answer: Callable[[BaseHTTPRequestHandler], None]) -> None:
    """Every service at once against a server that answers so: each has its status in time, none stops the others or the parser."""

    def run(work: Path) -> int:
        tables = catalogue()
        modules = {name: m for name, m in discover(tables).items() if not m.source.is_bundled and not m.source.credentials}
        with _server(answer) as url, _impatient():
            settings = Settings(sources={n: SourceSettings(base_url=url, timeout=1.0) for n in modules}, fetch_threads=16)
            store, began = SnapshotStore(work / "snapshots"), time.monotonic()
            found = fetching.fetch_all(
                modules, store, settings, {}, utc_now().date(), "run", offline=False, only_source=None, report=lambda _: None
            )
            assert time.monotonic() - began < 60, "it waited too long"
        assert len(found) == len(modules)
        for outcome in found:
            assert outcome.status in ("ok", "partial", "failed", "offline"), outcome
            assert len(outcome.detail or "") < 1_200
            if outcome.status in ("ok", "partial"):
                module = modules[outcome.source]
                table = read_source(module, tables.tables[module.table], tables, store, utc_now().date())
                assert table.rejections or table.frame.is_empty(), f"{outcome.source} took it for an answer"
        return len(found)

    CASES[f"network: {name}, every service"] = run


@contextmanager
def _server(answer: Callable[[BaseHTTPRequestHandler], None], host: str = "127.0.0.1") -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                answer(self)
            except OSError:
                self.close_connection = True

        do_POST = do_GET

        def log_message(self, *_: object) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads, request_queue_size = True, 128

        def handle_error(self, *_: object) -> None: ...

    server = Server((host, 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://{host}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _impatient() -> Iterator[None]:
    """The same waits, shorter."""
    kept = http._backoff_seconds, http._LONGEST_WAIT_SECONDS, fetching._SOURCE_WALL_CLOCK_SECONDS
    http._backoff_seconds, http._LONGEST_WAIT_SECONDS, fetching._SOURCE_WALL_CLOCK_SECONDS = (lambda _: 0.01), 0.01, 30.0
    try:
        yield
    finally:
        http._backoff_seconds, http._LONGEST_WAIT_SECONDS, fetching._SOURCE_WALL_CLOCK_SECONDS = kept


def _says(status: int, content: bytes = b"", **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **{k.replace("_", "-"): v for k, v in headers.items()}}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def _hangs(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(5)


def _drips(handler: BaseHTTPRequestHandler) -> None:
    _says(200, Content_Length="1000000")(handler)
    for _ in range(50):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.1)


def _resets(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    handler.connection.close()


_network("429 with Retry-After: 99999", _says(429, Retry_After="99999"))
_network("500", _says(500, b"sorry"))
_network("503 for ever", _says(503, b"sorry", Retry_After="Wed, 21 Oct 2099 07:28:00 GMT"))
_network("hang", _hangs)
_network("drip in the body", _drips)
_network("reset", _resets)
_network("gzip cut short", _says(200, gzip.compress(b"x" * 100_000)[:200], Content_Encoding="gzip"))
_network("HTML", _says(200, b"<!doctype html><html><body>Sign in</body></html>", Content_Type="text/html"))
_network("empty", _says(200))
_network("JSON of another shape", _says(200, json.dumps({"error": ["no", {"a": 1}]}).encode()))
_network("redirect to cloud metadata", _says(302, Location="http://169.254.169.254/latest/meta-data/"))
_network("redirect to itself for ever", _says(302, Location="/again"))
_network("header of 200 kB", _says(200, b"{}", X_Large="x" * 60_000, ETag="y" * 60_000))
