"""Fetching: all sources of a run side by side, each outcome recorded, none able to stop the others.

Belongs here: the thread pool, the shared breaker, the status of each fetch. Does not belong here: parsing and checking what was
fetched (`raw`).
"""

from __future__ import annotations

import difflib
import hashlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from pipelines.catalogue.contracts import RAW_LINEAGE, Contract
from pipelines.ingest.recorded_answers import missing_and_new
from pipelines.ingest.registry import SourceModule
from pipelines.ingest.snapshots import Fetch, SnapshotStore
from pipelines.platform.clock import utc_now
from pipelines.platform.secrets import holds_secret, redacted, secrets_of
from pipelines.platform.settings import Settings
from pipelines.platform.text import fit_to_show
from pipelines.sources.lib.errors import OfflineError, SourceError
from pipelines.sources.lib.http import Breaker, HttpClient
from pipelines.sources.lib.source import FetchContext, Payload, Source

log = logging.getLogger("breakeven")

# Without one answer from anywhere within this time there is no network: nothing more is waited for.
_NO_ANSWER_SECONDS = 15.0
# Services may not hold up a run for longer, all together: five minutes with what is left to do.
_SOURCE_WALL_CLOCK_SECONDS = 290.0
_LONGEST_DETAIL = 1_000


@dataclass(frozen=True)
class FetchOutcome:
    """How one source's fetch went. `status` is ok, partial, failed, offline, skipped_no_credential, disabled or not_tried."""

    source: str
    status: str
    detail: str | None = None
    fetch_seconds: float | None = None
    payload_count: int | None = None
    byte_count: int | None = None


def fetch_all(
    modules: Mapping[str, SourceModule],
    store: SnapshotStore,
    settings: Settings,
    environment: Mapping[str, str],
    as_of: date,
    run_id: str,
    *,
    offline: bool,
    only_source: str | None,
    report: Callable[[FetchOutcome], None],
) -> list[FetchOutcome]:
    """Fetch every enabled source into the store. `report` hears each outcome as it happens; a source fault is never raised."""
    for name in sorted(settings.sources.keys() - modules.keys()):
        log.warning("the settings name a source that is none: %s%s", name, _meant(name, modules))
    addresses = (s.base_url for s in settings.sources.values() if s.base_url is not None)
    breaker = Breaker(offline=offline, named=(host for a in addresses if (host := urlsplit(a).hostname)))
    over = threading.Event()
    secrets = secrets_of(environment)
    tasks: list[SourceModule] = []
    outcomes: dict[str, FetchOutcome] = {}

    def done(outcome: FetchOutcome) -> None:
        outcomes[outcome.source] = outcome
        report(outcome)

    for module in modules.values():
        skipped = _not_tried(module, settings, environment, only_source)
        if skipped is not None:
            done(skipped)
        else:
            tasks.append(module)

    def one(module: SourceModule) -> FetchOutcome:
        return _fetch_one(module, store, settings, environment, as_of, run_id, breaker, secrets, over)

    for module in [m for m in tasks if m.source.is_bundled]:
        done(one(module))
    for outcome in _side_by_side([m for m in tasks if not m.source.is_bundled], one, breaker, settings.fetch_threads):
        done(outcome)
    # What a thread still waits for belongs to no run any more: the build has begun.
    over.set()
    return [outcomes[name] for name in modules]


def _meant(name: str, modules: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, modules, n=1)
    return f"; write {near[0]}" if near else ""


def _not_tried(module: SourceModule, settings: Settings, environment: Mapping[str, str], only_source: str | None) -> FetchOutcome | None:
    if not settings.source(module.name).enabled:
        return FetchOutcome(module.name, "disabled", "switched off in the settings")
    if only_source is not None and module.name != only_source and not module.source.is_bundled:
        return FetchOutcome(module.name, "not_tried", f"this run fetches {only_source} only")
    missing = [v for v in module.source.credentials if not environment.get(v)]
    if missing:
        return FetchOutcome(module.name, "skipped_no_credential", f"set {' and '.join(missing)} to use it")
    return None


def _side_by_side(
    modules: Sequence[SourceModule], one: Callable[[SourceModule], FetchOutcome], breaker: Breaker, threads: int
) -> list[FetchOutcome]:
    # Own daemon threads: those of concurrent.futures are joined at exit, and one that hangs in a name lookup would hold the process.
    waiting: queue.SimpleQueue[SourceModule] = queue.SimpleQueue()
    finished: queue.SimpleQueue[FetchOutcome] = queue.SimpleQueue()
    for module in modules:
        waiting.put(module)

    def work() -> None:
        while True:
            try:
                module = waiting.get_nowait()
            except queue.Empty:
                return
            finished.put(one(module))

    for number in range(min(threads, len(modules))):
        threading.Thread(target=work, name=f"fetch-{number}", daemon=True).start()
    started = time.monotonic()
    pending = {m.name for m in modules}
    outcomes = []
    while pending:
        waited = time.monotonic() - started
        if not breaker.has_answered and waited > _NO_ANSWER_SECONDS:
            breaker.give_up()
            outcomes += [FetchOutcome(name, "offline", "no answer from any address", waited) for name in sorted(pending)]
            break
        if waited > _SOURCE_WALL_CLOCK_SECONDS:
            detail = f"not finished after {_SOURCE_WALL_CLOCK_SECONDS:.0f} s"
            outcomes += [FetchOutcome(name, "failed", detail, waited) for name in sorted(pending)]
            break
        try:
            outcome = finished.get(timeout=0.2)
        except queue.Empty:
            continue
        pending.discard(outcome.source)
        outcomes.append(outcome)
    return outcomes


def _fetch_one(
    module: SourceModule,
    store: SnapshotStore,
    settings: Settings,
    environment: Mapping[str, str],
    as_of: date,
    run_id: str,
    breaker: Breaker,
    secrets: Sequence[str],
    over: threading.Event,
) -> FetchOutcome:
    source = module.source
    started = time.monotonic()
    problems: list[str] = []

    def outcome(status: str, detail: str | None, payloads: Sequence[Payload] = ()) -> FetchOutcome:
        return FetchOutcome(
            module.name,
            status,
            _shown(detail, secrets),
            time.monotonic() - started,
            len(payloads),
            sum(len(p.content) for p in payloads),
        )

    earlier = store.fetches(module.name)
    context = _context(module, settings, environment, as_of, breaker, problems.append, _last_whole(earlier))
    try:
        payloads = list(module.fetch(context))
        if not payloads:
            return outcome("failed", "; ".join(problems) or "the source gave nothing at all")
        if source.is_bundled:
            _store_shipped(module, payloads, earlier, store, run_id)
            return outcome("ok", None, payloads)
        if any(holds_secret(payload.content, secrets) for payload in payloads):
            raise SourceError("an answer repeats a credential of ours; it is not stored")
        if over.is_set():
            raise SourceError("answered after the run had gone on without it")
        store.add(module.name, as_of, run_id, payloads, [_shown(p, secrets) or "" for p in problems])
    except OfflineError as error:
        return outcome("offline", str(error))
    except Exception as error:  # noqa: BLE001  (a fault of one source is its status, never an exception of the step)
        return outcome("failed", f"{type(error).__name__}: {error}")
    return outcome("partial" if problems else "ok", "; ".join(problems) or None, payloads)


def _store_shipped(module: SourceModule, payloads: Sequence[Payload], earlier: Sequence[Fetch], store: SnapshotStore, run_id: str) -> None:
    assert module.source.published_on is not None
    held = {p.sha256 for p in earlier[-1].payloads} if earlier else set()
    if held == {_sha256(p) for p in payloads}:
        store.mend(payloads)
    else:
        store.add(module.name, module.source.published_on, run_id, payloads)


def _context(
    module: SourceModule,
    settings: Settings,
    environment: Mapping[str, str],
    as_of: date,
    breaker: Breaker,
    problem: Callable[[str], None],
    since: datetime | None,
) -> FetchContext:
    source, own = module.source, settings.source(module.name)
    timeout = own.timeout or source.timeout_seconds
    return FetchContext(
        source_name=module.name,
        base_url=(own.base_url or source.base_url or "").rstrip("/"),
        timeout_seconds=timeout,
        as_of=as_of,
        http=HttpClient(
            breaker=breaker,
            timeout_seconds=timeout,
            max_bytes=source.max_payload_bytes,
            hosts=source.hosts,
            pause_seconds=source.pause_seconds,
        ),
        problem=problem,
        since=since,
        credentials=_credentials(source, environment),
    )


def _credentials(source: Source, environment: Mapping[str, str]) -> dict[str, str]:
    return {v: environment[v] for v in (*source.credentials, *source.optional_credentials) if environment.get(v)}


def _last_whole(fetches: Sequence[Fetch]) -> datetime | None:
    return max((f.fetched_at for f in fetches if f.status == "ok"), default=None)


def _shown(text: str | None, secrets: Sequence[str]) -> str | None:
    return fit_to_show(redacted(text, secrets), _LONGEST_DETAIL) if text else text


def _sha256(payload: Payload) -> str:
    return hashlib.sha256(payload.content).hexdigest()


def probe(module: SourceModule, contract: Contract, settings: Settings, environment: Mapping[str, str]) -> dict[str, Any]:
    """Fetch the first payload of a source without storing it, and say what came, whether it can be read, and how its fields differ."""
    missing = [v for v in module.source.credentials if not environment.get(v)]
    if missing:
        return {"source": module.name, "status": "skipped_no_credential", "detail": f"set {' and '.join(missing)} to use it"}
    problems: list[str] = []
    context = _context(module, settings, environment, utc_now().date(), Breaker(), problems.append, None)
    secrets = secrets_of(environment)
    said: dict[str, Any] = {"source": module.name, "status": "failed"}
    try:
        payload = next(iter(module.fetch(context)), None)
        if payload is None:
            return {"source": module.name, "status": "failed", "detail": "; ".join(problems) or "the source gave nothing at all"}
        if holds_secret(payload.content, secrets):
            raise SourceError("an answer repeats a credential of ours")
        missing_fields, new_fields = missing_and_new(module.name, [payload.content])
        said |= {"url": payload.url, "bytes": len(payload.content), "missing_fields": missing_fields, "new_fields": new_fields}
        frame = module.parse(payload.content)
        expected = [c for c in contract.column_names if c not in (*RAW_LINEAGE, *(["source"] if module.shares_table else []))]
        return {
            **said,
            "status": "ok" if frame.columns == expected else "failed",
            "rows": frame.height,
            "missing_columns": [c for c in expected if c not in frame.columns],
            "unknown_columns": [c for c in frame.columns if c not in expected],
            "detail": _shown("; ".join(problems), secrets) or None,
        }
    except OfflineError as error:
        return {"source": module.name, "status": "offline", "detail": _shown(str(error), secrets)}
    except Exception as error:  # noqa: BLE001  (a probe reports what is wrong with a source, whatever it is)
        return {**said, "detail": _shown(f"{type(error).__name__}: {error}", secrets)}


def fetch_without_storing(module: SourceModule, settings: Settings, environment: Mapping[str, str]) -> tuple[list[Payload], list[str]]:
    """Everything that a source answers now, and what went wrong with parts of it. Raises SourceError, without secrets."""
    missing = [v for v in module.source.credentials if not environment.get(v)]
    if missing:
        raise SourceError(f"set {' and '.join(missing)} to use it")
    problems: list[str] = []
    context = _context(module, settings, environment, utc_now().date(), Breaker(), problems.append, None)
    secrets = list(context.credentials.values())
    try:
        payloads = list(module.fetch(context))
    except SourceError as error:
        raise SourceError(_shown(str(error), secrets) or "") from None
    if any(holds_secret(payload.content, secrets) for payload in payloads):
        raise SourceError("an answer repeats a credential of ours; it is not kept")
    return payloads, [_shown(problem, secrets) or "" for problem in problems]
