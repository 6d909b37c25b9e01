"""`breakeven replay`: stored snapshots into the price history, day by day, as refreshes of those days would have taken them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.cli.exits import GOOD, UsageError
from pipelines.platform.lock import refresh_lock
from pipelines.platform.settings import Settings

if TYPE_CHECKING:
    from pipelines.cli.commands import Commands


def add(commands: Commands) -> None:
    """Add the parser."""
    parser = commands.add_parser(
        "replay", help="feed stored snapshots to the price history day by day, as refreshes of those days would have"
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder of snapshots, such as data/snapshots")
    parser.add_argument("--at-once", action="store_true", help="take everything in as one refresh of the last day; the tables are the same")
    parser.add_argument("--json", action="store_true", help="print the closing summary as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Replay and print the closing summary."""
    from pipelines.refresh import replay  # noqa: PLC0415  (only this command needs them)

    try:
        with refresh_lock(settings.data):
            done = replay.run_replay(options.folder, settings, at_once=options.at_once, report=lambda line: print(line, file=sys.stderr))
    except replay.NothingToReplayError as error:
        raise UsageError(str(error)) from error
    print(json.dumps(done, indent=1, default=str) if options.json else "\n".join(f"{k}: {v}" for k, v in done.items()))
    return GOOD
