"""`breakeven compact`: packs the snapshots of earlier months."""

from __future__ import annotations

import argparse
import dataclasses
import json
from datetime import timedelta
from typing import TYPE_CHECKING

from pipelines.cli.exits import GOOD, UsageError
from pipelines.platform.clock import utc_now
from pipelines.platform.lock import refresh_lock
from pipelines.platform.settings import Settings

if TYPE_CHECKING:
    from pipelines.cli.commands import Commands


def add(commands: Commands) -> None:
    """Add the parser."""
    parser = commands.add_parser("compact", help="pack the snapshots of earlier months; nothing that cannot be had again is removed")
    parser.add_argument("--keep-days", type=int, default=60, metavar="N", help="leave the last N days as they are (default 60)")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Pack, and print what was packed."""
    from pipelines.ingest.snapshots import SnapshotStore  # noqa: PLC0415  (only this command needs it)

    if options.keep_days < 0:
        raise UsageError(f"--keep-days is {options.keep_days}, expected 0 or more")
    with refresh_lock(settings.data):
        done = SnapshotStore(settings.folders.snapshots).compact(utc_now().date() - timedelta(days=options.keep_days))
    facts = dataclasses.asdict(done)
    print(json.dumps(facts, indent=1) if options.json else "\n".join(f"{k}: {v}" for k, v in facts.items()))
    return GOOD
