"""A day of all services that need no key, from recorded bodies through the real fetch; then the same day with each fault of a network.

A fault befalls every second source, then the others: who is spared must give the rows of the good day, whatever happens beside him. What
each source made of each fault is printed as a table by `python -m tests.faults network`.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import resource
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jmespath

from pipelines.catalogue.contracts import catalogue
from pipelines.ingest import fetch as fetching
from pipelines.ingest.parse import read_source
from pipelines.ingest.registry import SourceModule, discover
from pipelines.ingest.scaffold import stored_answers
from pipelines.ingest.snapshots import SnapshotStore
from pipelines.platform.clock import utc_now
from pipelines.platform.settings import Settings, SourceSettings
from pipelines.sources.lib.manifest import manifests
from tests.faults.cases import _drips, _hangs, _impatient, _resets, _says, _server, case

Answer = Callable[[BaseHTTPRequestHandler], None]
Body = Callable[[bytes], bytes]
# What each source made of each fault, for the table.
OUTCOMES: dict[str, Mapping[str, str]] = {}
# Of the bodies of a good day more is fetched than of a test: one day in all threads.
_LONGEST_SECONDS = 90


@dataclass(frozen=True)
class Fault:
    """`answer` in place of the service's own, or its own changed by `body`. `leaves` says whether rows may come of it."""

    answer: Answer | None = None
    body: Body | None = None
    leaves: bool = False


@cache
def services() -> Mapping[str, SourceModule]:
    """All services without a key."""
    return {name: m for name, m in discover(catalogue()).items() if not m.source.is_bundled and not m.source.credentials}


def recorded(name: str, path: str) -> bytes:
    """The body with which a service would answer a path: its stored answer, out of the envelope in which it was stored."""
    stored = {file.name: file.read_bytes() for file in stored_answers(name)}
    manifest = next((m for m in manifests() if m.name == name), None)
    if manifest is not None and manifest.is_enveloped:
        return _declared(manifest.document, list(stored.values()), path)
    content = next(iter(stored.values()))
    if name == "gpuhunt":
        document = json.loads(content)
        day = f"{utc_now():%Y%m%d}-1".encode()
        return day if path.endswith("/version") else _zipped(f"{path.split('/v3/')[1].split('/', maxsplit=1)[0]}.csv", document["csv"])
    if name == "ecb_fx":
        return content if content.startswith(b"PK") else _zipped("eurofxref-hist.csv", content.decode())
    if name == "skypilot_catalog":
        if path.startswith("/repos/"):
            return json.dumps([{"sha": "0" * 40, "commit": {"committer": {"date": f"{utc_now():%Y-%m-%dT%H:%M:%SZ}"}}}]).encode()
        return str(json.loads(content)["vms_csv"]).encode()
    if name == "us_ai_infra":
        return content.replace(b"2026-08-21", f"{utc_now():%Y-%m-%d}".encode())
    if name == "aws_savings_plans":
        return content.replace(b'{"plan": ', b'{"description": ')
    if name == "energy_charts":
        return str(json.loads(content)["answer"]).encode()
    kind = "reservation" if "Reservation" in path else "consumption_2" if "page=2" in path else ""
    return next((body for file, body in stored.items() if kind and kind in file), content)


def _declared(document: Mapping[str, Any], stored: list[bytes], path: str) -> bytes:
    envelopes = {json.loads(line)["request"]: (json.loads(line), body) for line, _, body in (s.partition(b"\n") for s in stored)}
    line, body = next(iter(envelopes.values()))
    for name, lookup in document.get("lookups", {}).items():
        if path.split("?", maxsplit=1)[0].endswith(lookup["path"]):
            return json.dumps(line["lookups"].get(name)).encode()
    for request in document["requests"]:
        pattern = re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", re.escape(request["path"])) + "$"
        if re.search(pattern, path.split("?", maxsplit=1)[0]) and request["name"] in envelopes:
            return envelopes[request["name"]][1]
    return body


def _zipped(name: str, text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


@dataclass(frozen=True)
class Day:
    """Rows and status by source."""

    rows: Mapping[str, int]
    status: Mapping[str, str]
    seconds: float


def day(work: Path, fault: Fault | None = None, struck: frozenset[str] = frozenset()) -> Day:
    """All services side by side, those that are `struck` with the fault; then each parsed as a refresh would."""
    modules, tables = services(), catalogue()

    def answer_of(name: str) -> Answer:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
            body = recorded(name, unquote(handler.path))
            if fault is None or name not in struck:
                _says(200, body)(handler)
            elif fault.answer is not None:
                fault.answer(handler)
            else:
                assert fault.body is not None
                _says(200, fault.body(body))(handler)

        return answer

    with ExitStack() as open_servers, _impatient():
        # A host of its own for each: what is known of one host is shared by all who ask it.
        hosts = {name: f"127.0.1.{number}" for number, name in enumerate(sorted(modules), start=1)}
        urls = {name: open_servers.enter_context(_server(answer_of(name), host)) for name, host in hosts.items()}
        settings = Settings(sources={n: SourceSettings(base_url=urls[n], timeout=1.5) for n in modules}, fetch_threads=16)
        store, began = SnapshotStore(work / "snapshots"), time.monotonic()
        found = fetching.fetch_all(
            modules, store, settings, {}, utc_now().date(), "run", offline=False, only_source=None, report=lambda _: None
        )
        seconds = time.monotonic() - began
    assert seconds < _LONGEST_SECONDS, f"it took {seconds:.0f} s"
    status = {outcome.source: outcome.status for outcome in found}
    rows = dict.fromkeys(modules, 0)
    for name, module in modules.items():
        if status[name] in ("ok", "partial"):
            rows[name] = read_source(module, tables.tables[module.table], tables, store, utc_now().date()).frame.height
    return Day(rows, status, seconds)


@cache
def _good_rows() -> Mapping[str, int]:
    with tempfile.TemporaryDirectory(prefix="breakeven-day-") as folder:
        return day(Path(folder)).rows


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@case("network day: as recorded, every service")
def _as_recorded(work: Path) -> int:
    found = day(work)
    silent = sorted(name for name, rows in found.rows.items() if not rows)
    assert not silent, f"no rows of {', '.join(silent)}: {[found.status[name] for name in silent]}"
    OUTCOMES["as recorded"] = {name: f"{rows}" for name, rows in found.rows.items()} | {
        " ": f"{found.seconds:.0f} s, {_peak_mib():.0f} MiB"
    }
    return len(found.rows)


def _register(name: str, fault: Fault) -> None:
    @case(f"network day: {name}, half of the services")
    def run(work: Path) -> int:
        names, good, seconds = sorted(services()), _good_rows(), 0.0
        made: dict[str, str] = {}
        for number in (0, 1):
            struck = frozenset(names[number::2])
            found = day(work / str(number), fault, struck)
            seconds += found.seconds
            spared = {n: found.rows[n] for n in names if n not in struck}
            assert spared == {n: good[n] for n in spared}, f"another source lost rows: {spared}"
            for struck_name in struck:
                rows = found.rows[struck_name]
                assert fault.leaves or rows == 0, f"{struck_name} took it for an answer: {rows} rows"
                assert rows <= good[struck_name], f"{struck_name} has {rows} rows of {good[struck_name]}"
                # Fetched, and refused when it was read.
                is_refused = found.status[struck_name] in ("ok", "partial") and not rows
                made[struck_name] = "refused" if is_refused else f"{found.status[struck_name]} {rows or ''}".strip()
        OUTCOMES[name] = made | {" ": f"{seconds:.0f} s, {_peak_mib():.0f} MiB"}
        return len(names)


def _half(body: bytes) -> bytes:
    try:
        document = json.loads(body)
    except ValueError:
        lines = body.splitlines(keepends=True)
        return b"".join(lines[: (len(lines) + 1) // 2])
    longest = max(_lists(document), key=len, default=[])
    del longest[(len(longest) + 1) // 2 :]
    return json.dumps(document).encode()


def _lists(node: Any) -> Iterator[list[Any]]:
    if isinstance(node, list):
        yield node
    for value in node if isinstance(node, list) else node.values() if isinstance(node, dict) else ():
        yield from _lists(value)


def _words_for_numbers(body: bytes) -> bytes:
    def changed(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: changed(value) for key, value in node.items()}
        if isinstance(node, list):
            return [changed(value) for value in node]
        return "dear" if isinstance(node, int | float) and not isinstance(node, bool) else node

    try:
        return json.dumps(changed(json.loads(body))).encode()
    except ValueError:
        return re.sub(rb"\$?[0-9]+\.[0-9]+", b"dear", body)


def _renamed(body: bytes) -> bytes:
    if body.lstrip()[:1] == b"<":
        body = re.sub(rb'([a-z-]+)="([a-z])', rb'\1_renamed="renamed-\2', body)
    if body.lstrip()[:1] in (b"{", b"[", b"<"):
        return re.sub(rb'"([A-Za-z_@][A-Za-z0-9_@, -]*)(\\?")(\s*[:,\]])', rb'"\1_renamed\2\3', body)
    first, _, rest = body.partition(b"\n")
    return first.replace(b",", b"_renamed,") + b"_renamed\n" + rest


def _looped(body: bytes) -> bytes:
    """The page says that another follows, for ever."""
    try:
        document = json.loads(body)
    except ValueError:
        return body
    if isinstance(document, dict):
        for manifest in manifests():
            following = manifest.document.get("paging", {}).get("next")
            if following and "." not in following and following in document and jmespath.search(following, document) is None:
                document[following] = "again"
        if "NextPageLink" in document:
            document["NextPageLink"] = "/api/retail/prices?page=2"
    return json.dumps(document).encode()


def _endless(handler: BaseHTTPRequestHandler) -> None:
    _says(200, Content_Length=str(5 << 30))(handler)
    for _ in range(5 << 10):
        handler.wfile.write(b" " * (1 << 20))


def _other_money(body: bytes) -> bytes:
    return re.sub(rb"\b(USD|EUR|usd|eur)\b", b"XTS", body).replace(b"$", "¤".encode())


FAULTS = {
    "429 with Retry-After": Fault(_says(429, Retry_After="3600")),
    "429 without Retry-After": Fault(_says(429)),
    "500": Fault(_says(500, b"sorry")),
    "hang": Fault(_hangs),
    "slow drip": Fault(_drips),
    "reset": Fault(_resets),
    "gzip cut short": Fault(_says(200, gzip.compress(b'{"a": [' + b"1, " * 50_000)[:150], Content_Encoding="gzip")),
    "HTML": Fault(_says(200, b"<!doctype html><html><body>Sign in</body></html>", Content_Type="text/html")),
    "empty": Fault(_says(200)),
    "half the rows": Fault(body=_half, leaves=True),
    "page that follows itself": Fault(body=_looped, leaves=True),
    "5 GB body": Fault(_endless),
    "renamed fields": Fault(body=_renamed),
    "words for numbers": Fault(body=_words_for_numbers, leaves=True),
    "other currency": Fault(body=_other_money, leaves=True),
    "redirect elsewhere": Fault(_says(302, Location="http://127.0.0.1:9/elsewhere")),
}
for _name, _fault in FAULTS.items():
    _register(_name, _fault)


def table() -> str:
    """What each source made of each fault: its status and the rows that it gave, one line per source and one column per fault."""
    if not OUTCOMES:
        return ""
    names = [*sorted(services()), " "]
    head = ["source", *OUTCOMES]
    lines = [[name, *(outcomes.get(name, "") for outcomes in OUTCOMES.values())] for name in names]
    widths = [max(len(line[column]) for line in (head, *lines)) for column in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in (head, *lines))
