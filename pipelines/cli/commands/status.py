"""`breakeven status`: how the last refresh went, and how old the figures are."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from pipelines.cli import summary
from pipelines.cli.exits import FAILED, GOOD
from pipelines.platform.settings import Settings

if TYPE_CHECKING:
    from pipelines.cli.commands import Commands


def add(commands: Commands) -> None:
    """Add the parser."""
    parser = commands.add_parser("status", help="how the last refresh went, and how old the figures are")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Print the status; the exit code is 1 where the last refresh did not publish."""
    facts = summary.status(settings)
    print(json.dumps(facts, indent=1, default=str) if options.json else summary.status_text(facts))
    return FAILED if facts["last_refresh"] and facts["last_refresh"]["outcome"] in ("blocked", "failed") else GOOD
