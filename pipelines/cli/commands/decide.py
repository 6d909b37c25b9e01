"""`breakeven decide`: own, rent or buy tokens, for a workload described in YAML."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.cli.exits import FAILED, GOOD, UsageError
from pipelines.platform.settings import Settings
from pipelines.publication import reader

if TYPE_CHECKING:
    from pipelines.cli.commands import Commands


def add(commands: Commands) -> None:
    """Add the parser."""
    parser = commands.add_parser("decide", help="own, rent or buy tokens, for a workload described in YAML")
    parser.add_argument("workload", type=Path, metavar="WORKLOAD.yaml", help="see docs/workloads for examples")
    shown_as = parser.add_mutually_exclusive_group()
    shown_as.add_argument("--json", action="store_true", help="print the answer as JSON")
    shown_as.add_argument("--html", action="store_true", help="print the answer as one page")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Print the answer; the exit code is 1 where no option meets the constraints."""
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
