"""The command line `breakeven`: refresh, status, sources, query, decide, dashboard, replay, compact.

Belongs here: arguments, exit codes, what is printed. Does not belong here: the work itself. Exit codes: 0 good; 1 failed or blocked;
2 usage; 3 published, but an enabled source that was tried is stale, partial, failed or offline.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import os
import sys
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import duckdb

from pipelines.catalogue.contracts import ContractError, catalogue
from pipelines.cli import summary
from pipelines.ingest.registry import discover
from pipelines.ingest.snapshot_packs import PackError
from pipelines.platform.clock import utc_now
from pipelines.platform.lock import RefreshLockedError, refresh_lock
from pipelines.platform.settings import Settings, SettingsError, load_settings
from pipelines.publication import reader
from pipelines.sources.lib.errors import SourceError

GOOD, FAILED, USAGE, DEGRADED = 0, 1, 2, 3
DEGRADED_STATUSES = ("stale", "partial", "failed", "offline")


class UsageError(Exception):
    """What was asked for cannot be meant; the message says what was expected."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings(os.environ)
        return int(options.run(options, settings))
    except (SettingsError, UsageError) as error:
        print(f"breakeven: {error}", file=sys.stderr)
        return USAGE
    except (reader.NotPublishedError, RefreshLockedError, ContractError, SourceError, PackError, duckdb.Error) as error:
        print(f"breakeven: {error}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123  (the reader of our output went away; nothing more to say)
        return GOOD


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="breakeven", description="Own or rent the GPUs that serve an open-weight model: the warehouse that answers it."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    refresh = commands.add_parser("refresh", help="ingest, build, check and publish")
    refresh.add_argument("--as-of", type=_day, metavar="DATE", help="day to compute for (YYYY-MM-DD); default: today, UTC")
    refresh.add_argument("--offline", action="store_true", help="fetch nothing from the network")
    refresh.add_argument("--rebuild", action="store_true", help="build and publish even where nothing changed")
    refresh.add_argument("--source", metavar="NAME", help="fetch this source only; the others stay as they are")
    refresh.add_argument("--json", action="store_true", help="print the closing summary as JSON")
    refresh.set_defaults(run=_refresh)

    status = commands.add_parser("status", help="how the last refresh went, and how old the figures are")
    status.add_argument("--json", action="store_true")
    status.set_defaults(run=_status)

    sources = commands.add_parser("sources", help="all sources with their licence and state; --probe tries one")
    sources.add_argument("--probe", metavar="NAME", help="fetch one source without storing it, and say what was read")
    sources.add_argument("--json", action="store_true")
    sources.set_defaults(run=_sources)

    query = commands.add_parser("query", help="run SQL on the published warehouse (read-only)")
    query.add_argument("sql", metavar="SQL", help="a statement, or - to read it from standard input")
    query.add_argument("--json", action="store_true")
    query.set_defaults(run=_query)

    decide = commands.add_parser("decide", help="own, rent or buy tokens, for a workload described in YAML")
    decide.add_argument("workload", type=Path, metavar="WORKLOAD.yaml", help="see docs/workloads for examples")
    shown_as = decide.add_mutually_exclusive_group()
    shown_as.add_argument("--json", action="store_true", help="print the answer as JSON")
    shown_as.add_argument("--html", action="store_true", help="print the answer as one page")
    decide.set_defaults(run=_decide)

    replay = commands.add_parser(
        "replay", help="feed stored snapshots to the price history day by day, as refreshes of those days would have"
    )
    replay.add_argument("folder", type=Path, metavar="DIR", help="a folder of snapshots, such as data/snapshots")
    replay.add_argument("--at-once", action="store_true", help="take everything in as one refresh of the last day; the tables are the same")
    replay.add_argument("--json", action="store_true", help="print the closing summary as JSON")
    replay.set_defaults(run=_replay)

    compacting = commands.add_parser("compact", help="pack the snapshots of earlier months; nothing that cannot be had again is removed")
    compacting.add_argument("--keep-days", type=int, default=60, metavar="N", help="leave the last N days as they are (default 60)")
    compacting.add_argument("--json", action="store_true")
    compacting.set_defaults(run=_compact)

    dashboard = commands.add_parser("dashboard", help="where the dashboard is; --open shows it in the browser")
    dashboard.add_argument("--open", action="store_true")
    dashboard.set_defaults(run=_dashboard)
    return parser


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day; expected YYYY-MM-DD") from None


def _refresh(options: argparse.Namespace, settings: Settings) -> int:
    if options.source is not None:
        _known_source(options.source)
    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.WARNING)
    logging.getLogger("breakeven").setLevel(logging.INFO)
    # Dagster warns of each check that a skipped build did not run; what matters is in its event log, and in ours.
    logging.getLogger("dagster").setLevel(logging.ERROR)
    with refresh_lock(settings.data):
        pass  # said at once and plainly, not as the failure of a run
    started = time.monotonic()
    from pipelines.cli.job import run_refresh  # noqa: PLC0415  (Dagster takes a second to import; the other commands do without)

    outcome = run_refresh(settings, options.as_of, offline=options.offline, rebuild=options.rebuild, only_source=options.source)
    if outcome.failure is not None:
        report = {
            "outcome": outcome.failure.outcome,
            "reason": outcome.failure.reason,
            "published": str(outcome.failure.version) if outcome.failure.version else None,
        }
        text = f"The refresh {outcome.failure.outcome}: {outcome.failure.reason}\n" + (
            f"The last good figures stay published, with the record of this, in {outcome.failure.version}"
            if outcome.failure.version
            else "Nothing has been published yet."
        )
        print(json.dumps(report, indent=1) if options.json else text)
        return FAILED
    excused = "offline" if options.offline else None
    degraded = [s for s in outcome.sources if s["status"] in DEGRADED_STATUSES and s["status"] != excused]
    with reader.published(settings) as connection:
        facts = summary.closing(connection, settings, outcome.sources, is_unchanged=outcome.is_unchanged)
    facts["seconds"] = round(time.monotonic() - started, 1)
    facts["exit_code"] = DEGRADED if degraded else GOOD
    print(json.dumps(facts, indent=1, default=str) if options.json else summary.as_text(facts))
    return DEGRADED if degraded else GOOD


def _status(options: argparse.Namespace, settings: Settings) -> int:
    facts = summary.status(settings)
    print(json.dumps(facts, indent=1, default=str) if options.json else summary.status_text(facts))
    return FAILED if facts["last_refresh"] and facts["last_refresh"]["outcome"] in ("blocked", "failed") else GOOD


def _sources(options: argparse.Namespace, settings: Settings) -> int:
    if options.probe is not None:
        _known_source(options.probe)
        from pipelines.ingest.fetch import probe  # noqa: PLC0415  (only a probe needs the network stack)

        found = probe(discover(catalogue())[options.probe], catalogue().tables[options.probe], settings, os.environ)
        print(json.dumps(found, indent=1, default=str) if options.json else "\n".join(f"{k}: {v}" for k, v in found.items()))
        return GOOD if found["status"] == "ok" else FAILED
    listed = [
        {
            "source": name,
            "kind": "ships with the project" if module.source.is_bundled else "service",
            "enabled": settings.source(name).enabled,
            "credentials": " ".join(module.source.credentials) or None,
            "credentials_set": all(os.environ.get(v) for v in module.source.credentials) if module.source.credentials else None,
            "licence": module.source.licence,
            "title": module.source.title,
        }
        for name, module in discover(catalogue()).items()
    ]
    print(json.dumps(listed, indent=1) if options.json else reader.as_text(listed))
    return GOOD


def _known_source(name: str) -> None:
    names = discover(catalogue())
    if name not in names:
        raise UsageError(f"unknown source {name!r}; expected one of {', '.join(names)}")


def _query(options: argparse.Namespace, settings: Settings) -> int:
    sql = sys.stdin.read() if options.sql == "-" else options.sql
    with reader.published(settings) as connection:
        found = reader.rows(connection, sql)
    print(json.dumps(found, indent=1, default=str) if options.json else reader.as_text(found))
    return GOOD


def _decide(options: argparse.Namespace, settings: Settings) -> int:
    from pipelines import decision  # noqa: PLC0415  (only this command needs it)

    try:
        workload, load = decision.load_workload(options.workload)
        with reader.published(settings) as connection:
            found = decision.decide(workload, load, decision.read_market(connection, workload))
    except decision.WorkloadError as error:
        raise UsageError(str(error)) from error
    if options.json:
        print(json.dumps(decision.as_dict(found), indent=1, default=str))
    else:
        print(decision.as_html(found) if options.html else decision.as_text(found))
    return GOOD if found.best else FAILED


def _replay(options: argparse.Namespace, settings: Settings) -> int:
    from pipelines.history import intake, run  # noqa: PLC0415  (only this command needs them)

    try:
        with refresh_lock(settings.data):
            done = run.run_replay(options.folder, settings, at_once=options.at_once, report=lambda line: print(line, file=sys.stderr))
    except run.NothingToReplayError as error:
        raise UsageError(str(error)) from error
    except intake.StepRefusedError as error:
        print(f"breakeven: {options.folder}: the replay stops before {error}", file=sys.stderr)
        return FAILED
    print(json.dumps(done, indent=1, default=str) if options.json else "\n".join(f"{k}: {v}" for k, v in done.items()))
    return GOOD


def _compact(options: argparse.Namespace, settings: Settings) -> int:
    from pipelines.ingest.snapshots import SnapshotStore  # noqa: PLC0415  (only this command needs it)

    if options.keep_days < 0:
        raise UsageError(f"--keep-days is {options.keep_days}, expected 0 or more")
    with refresh_lock(settings.data):
        done = SnapshotStore(settings.data / "snapshots").compact(utc_now().date() - timedelta(days=options.keep_days))
    facts = dataclasses.asdict(done)
    print(json.dumps(facts, indent=1) if options.json else "\n".join(f"{k}: {v}" for k, v in facts.items()))
    return GOOD


def _dashboard(options: argparse.Namespace, settings: Settings) -> int:
    page: Path = settings.data / "published" / "current" / "dashboard.html"
    if not page.exists():
        raise reader.NotPublishedError(f"nothing is published in {settings.data} yet; run `breakeven refresh` first")
    print(page)
    if options.open:
        import webbrowser  # noqa: PLC0415

        webbrowser.open(page.resolve().as_uri())
    return GOOD


if __name__ == "__main__":
    sys.exit(main())
