"""A run waits for its sources no longer than it may, takes nothing from who is late, and stores no credential."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from pipelines.ingest import fetch
from pipelines.ingest.registry import SourceModule
from pipelines.ingest.snapshots import SnapshotStore
from pipelines.platform.settings import Settings, SourceSettings
from pipelines.sources.lib.source import FetchContext, Payload, Source
from tests.support.tables import AT

SECRET = "THE-SECRET-OF-THE-OPERATOR"


def module(name: str, answer: Iterable[bytes] | None, late: threading.Event | None = None) -> SourceModule:
    def fetched(context: FetchContext) -> Iterable[Payload]:
        context.http.breaker.answered()
        if late is not None:
            late.wait(20)
        if answer is None:
            raise RuntimeError(f"https://example.org/?key={SECRET} said \x1b[31mno" + "x" * 10_000_000)
        return [Payload("list", "https://example.org/", content, AT) for content in answer]

    source = Source("t", "h", "l", "reading", base_url="https://example.org")
    return SourceModule(name=name, source=source, fetch=fetched, parse=lambda _: pl.DataFrame(), normalise=None, table=name)


def run(modules: list[SourceModule], store: SnapshotStore, settings: Settings | None = None) -> dict[str, fetch.FetchOutcome]:
    found = fetch.fetch_all(
        {m.name: m for m in modules},
        store,
        settings or Settings(),
        {"X_API_KEY": SECRET},
        AT.date(),
        "run",
        offline=False,
        only_source=None,
        report=lambda _: None,
    )
    return {outcome.source: outcome for outcome in found}


def test_a_setting_for_no_source_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(sources={"a_lst": SourceSettings(timeout=3), "another": SourceSettings(timeout=3)})
    with caplog.at_level("WARNING", "breakeven"):
        run([module("a_list", [b"1"]), module("another", [b"2"])], SnapshotStore(tmp_path), settings)
    assert [record.getMessage() for record in caplog.records] == ["the settings name a source that is none: a_lst; write a_list"]


def test_who_hangs_is_left_behind_and_adds_nothing_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "_SOURCE_WALL_CLOCK_SECONDS", 1.0)
    late, store = threading.Event(), SnapshotStore(tmp_path)
    began = time.monotonic()
    found = run([module("good", [b"prices"]), module("hangs", [b"late prices"], late)], store)
    assert time.monotonic() - began < 10
    assert found["good"].status == "ok" and found["hangs"].status == "failed" and "not finished" in str(found["hangs"].detail)
    late.set()
    for thread in [t for t in threading.enumerate() if t.name.startswith("fetch-")]:
        thread.join(10)
    assert [f.source for f in store.fetches()] == ["good"]


def test_five_minutes_are_the_bound() -> None:
    assert fetch._SOURCE_WALL_CLOCK_SECONDS < 300


def test_an_error_is_cut_clean_and_without_credentials(tmp_path: Path) -> None:
    outcome = run([module("fails", None)], SnapshotStore(tmp_path))["fails"]
    said = str(outcome.detail)
    assert outcome.status == "failed" and len(said) < 1_100 and SECRET not in said and "***" in said and "\x1b" not in said


def test_an_answer_that_repeats_a_credential_is_not_stored(tmp_path: Path) -> None:
    outcome = run([module("echo", [b"you sent " + SECRET.encode()])], SnapshotStore(tmp_path))["echo"]
    assert outcome.status == "failed" and "repeats a credential" in str(outcome.detail)
    assert not any(SECRET.encode() in p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())


def test_a_source_with_an_address_of_its_own_is_tried_where_no_other_is_reached(tmp_path: Path) -> None:
    def mirrored(context: FetchContext) -> Iterable[Payload]:
        for host in ("a.invalid", "b.invalid", "c.invalid", "mirror.example"):
            context.http.breaker.unreachable(host)
        context.http.breaker.before("mirror.example")
        return [Payload("list", "https://mirror.example/", b"prices", AT)]

    settings = Settings(sources={"mirrored": SourceSettings(base_url="https://mirror.example/gpu")})
    found = run([replace(module("mirrored", []), fetch=mirrored)], SnapshotStore(tmp_path), settings)
    assert found["mirrored"].status == "ok", found["mirrored"].detail
