"""`breakeven alerts`: look at the state, tell what is new, and nothing twice. A timer runs it beside the daily refresh."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from pipelines.cli.exits import DEGRADED, GOOD, UsageError
from pipelines.platform.clock import utc_now
from pipelines.platform.settings import Settings

if TYPE_CHECKING:
    from pipelines.cli.commands import Commands


def add(commands: Commands) -> None:
    """Add the parser."""
    parser = commands.add_parser("alerts", help="tell what a person should hear of, once; BREAKEVEN_ALERT_URLS says whom")
    parser.add_argument("--dry-run", action="store_true", help="say what would be told, tell and remember nothing")
    parser.add_argument("--test", action="store_true", help="send a test message to every address")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Look and tell; the exit code is 3 where an address did not take a message."""
    from pipelines.monitoring.channels import AlertError, send  # noqa: PLC0415  (only this command needs them)
    from pipelines.monitoring.events import Message  # noqa: PLC0415
    from pipelines.monitoring.watch import look_and_tell  # noqa: PLC0415

    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.INFO)
    try:
        if options.test:
            undelivered = send(Message("test", "A test", "Alerts of this warehouse reach you. Nothing is to be done."), os.environ)
            return DEGRADED if undelivered else GOOD
        told = look_and_tell(settings, os.environ, utc_now(), is_dry=options.dry_run)
    except AlertError as error:
        raise UsageError(str(error)) from error
    if options.json:
        print(json.dumps(asdict(told), indent=1))
    else:
        print("\n".join([*(f"new: {m.title}" for m in told.begun), *(f"over: {m.title}" for m in told.over)]) or "nothing new")
    return DEGRADED if told.undelivered else GOOD
