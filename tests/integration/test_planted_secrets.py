"""A whole refresh with a credential planted for every source, at services that say it back: it is to be found nowhere afterwards."""

from __future__ import annotations

import html
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

import duckdb

from pipelines.catalogue.contracts import catalogue
from pipelines.ingest.registry import discover
from pipelines.ingest.snapshots import SnapshotStore
from pipelines.platform.secrets import holds_secret
from tests.support.cli import SMALL_MARKET, Cli

FETCHED = [module for module in discover(catalogue()).values() if not module.source.is_bundled]
NAMES = sorted({name for m in FETCHED for name in (*m.source.credentials, *m.source.optional_credentials)})
# Signs that an address, a header, JSON and HTML each write in their own way; the beginning is the same in all of them.
PLANTED = {name: f'PLANTED{number}-+/="&<{"x" * 20}' for number, name in enumerate(NAMES)}


class Echo(BaseHTTPRequestHandler):
    """Says back all that it was sent: as an answer, as a refusal, as the place to go to, as the reason in the status line."""

    number, asked = count(), list[str]()

    def do_POST(self) -> None:
        said = f"{self.path}\n{self.headers}\n{self.rfile.read(int(self.headers.get('Content-Length') or 0)).decode('latin-1')}"
        Echo.asked.append(said)
        line = " ".join(html.escape(said).split())
        status = (200, 403, 302, 400)[next(Echo.number) % 4]
        body = said.encode("latin-1")
        self.send_response(status, line if status == 400 else None)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", line[:2000])
        if status == 302:
            self.send_header("Location", f"https://elsewhere.example/?said={line}")
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, *_: object) -> None: ...


def _holds(content: bytes) -> bool:
    return b"PLANTED" in content or holds_secret(content, PLANTED.values())


def test_no_credential_is_found_after_a_run(tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    cli = Cli(tmp_path / "data", {**SMALL_MARKET, **{f"BREAKEVEN_SOURCE_{m.name.upper()}_BASE_URL": address for m in FETCHED}})
    try:
        done = cli("refresh", environment=PLANTED)
    finally:
        server.shutdown()
        server.server_close()
    assert done.returncode == 3, done.stdout[-2000:] + done.stderr[-2000:]
    assert sum(_holds(said.encode("latin-1")) for said in Echo.asked) >= len(NAMES), "the services were not given what is looked for"

    for command in (("status",), ("sources",), ("quarantine", "list")):
        told = cli(*command, environment=PLANTED)
        assert not _holds((told.stdout + told.stderr).encode()), command
    assert not _holds((done.stdout + done.stderr).encode())
    assert [path for path in cli.data.rglob("*") if path.is_file() and _holds(path.read_bytes())] == []
    # What lies packed on the disk is read as its readers read it.
    store = SnapshotStore(cli.data / "snapshots")
    assert not any(_holds(store.content(payload)) for fetch in store.fetches() for payload in fetch.payloads)
    with duckdb.connect(str(cli.current / "breakeven.duckdb"), read_only=True) as connection:
        tables = connection.execute("SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE schema_name = 'ops'").fetchall()
        assert tables
        for (table,) in tables:
            assert not _holds(str(connection.execute(f"FROM {table}").fetchall()).encode()), table
