"""`breakeven refresh`: ingest, build, check and publish, in this process."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from typing import TYPE_CHECKING

from pipelines.cli import summary
from pipelines.cli.exits import DEGRADED, FAILED, GOOD, UsageError, day, require_source
from pipelines.cli.problems import with_remedy
from pipelines.cli.progress import ProgressLine
from pipelines.ingest.snapshots import SnapshotStore
from pipelines.monitoring.state import NOT_WELL
from pipelines.platform.clock import utc_now
from pipelines.platform.settings import Settings
from pipelines.publication import reader
from pipelines.publication.run_outcomes import recorded_snapshots

if TYPE_CHECKING:
    from pipelines.cli.commands import Commands


def add(commands: Commands) -> None:
    """Add the parser."""
    parser = commands.add_parser("refresh", help="ingest, build, check and publish")
    parser.add_argument("--as-of", type=day, metavar="DATE", help="day to compute for (YYYY-MM-DD); default: today, UTC")
    parser.add_argument("--offline", action="store_true", help="fetch nothing from the network")
    parser.add_argument("--rebuild", action="store_true", help="build and publish even where nothing changed")
    parser.add_argument("--source", metavar="NAME", help="fetch this source only; the others stay as they are")
    parser.add_argument("--json", action="store_true", help="print the closing summary as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Refresh and print the closing summary."""
    if options.source is not None:
        require_source(options.source)
    if options.as_of is not None and options.as_of > utc_now().date():
        raise UsageError(f"--as-of {options.as_of} is in the future; expected a day up to today, {utc_now():%Y-%m-%d} (UTC)")
    shown = ProgressLine(sys.stderr) if sys.stderr.isatty() else logging.StreamHandler(sys.stderr)
    logging.basicConfig(handlers=[shown], format="%(message)s", level=logging.WARNING)
    # Where a table failed is for those who ask for it.
    logging.getLogger("breakeven").setLevel(logging.DEBUG if os.environ.get("BREAKEVEN_TRACEBACK") else logging.INFO)
    # Dagster warns of each check that a skipped build did not run; what matters is in its event log, and in ours. It sets the level of
    # its own root anew with each run, and leaves those below as they are.
    logging.getLogger("dagster._core").setLevel(logging.ERROR)
    started = time.monotonic()
    from pipelines.cli.job import run_refresh  # noqa: PLC0415  (the other commands do without)
    from pipelines.monitoring.watch import after_refresh  # noqa: PLC0415

    outcome = run_refresh(settings, options.as_of, offline=options.offline, rebuild=options.rebuild, only_source=options.source)
    after_refresh(settings, os.environ, utc_now())
    shown.close()
    if outcome.failure is not None:
        report = {
            "outcome": outcome.failure.outcome,
            "reason": with_remedy(outcome.failure.reason),
            "published": str(outcome.failure.version) if outcome.failure.version else None,
        }
        text = f"The refresh {outcome.failure.outcome}: {with_remedy(outcome.failure.reason)}\n" + (
            f"The last good figures stay published, with the record of this, in {outcome.failure.version}"
            if outcome.failure.version
            else "Nothing has been published yet."
        )
        print(json.dumps(report, indent=1) if options.json else text)
        return FAILED
    excused = "offline" if options.offline else None
    degraded = [s for s in outcome.sources if s["status"] in NOT_WELL and s["status"] != excused]
    with reader.published(settings) as connection:
        facts = summary.closing(connection, settings, outcome.sources, is_unchanged=outcome.is_unchanged)
    facts["seconds"] = round(time.monotonic() - started, 1)
    facts["lost_snapshots"] = SnapshotStore(settings.folders.snapshots).losses(recorded_snapshots(settings))
    facts["exit_code"] = DEGRADED if degraded or facts["lost_snapshots"] or facts["kept_marts"] else GOOD
    print(json.dumps(facts, indent=1, default=str) if options.json else summary.as_text(facts))
    return int(facts["exit_code"])
