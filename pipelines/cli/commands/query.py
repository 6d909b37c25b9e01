"""`breakeven query`: SQL on the published warehouse, read-only."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from pipelines.cli.exits import GOOD
from pipelines.platform.settings import Settings
from pipelines.publication import reader

if TYPE_CHECKING:
    from pipelines.cli.commands import Commands


def add(commands: Commands) -> None:
    """Add the parser."""
    parser = commands.add_parser("query", help="run SQL on the published warehouse (read-only)")
    parser.add_argument("sql", metavar="SQL", help="a statement, or - to read it from standard input")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Print the rows of the statement."""
    sql = sys.stdin.read() if options.sql == "-" else options.sql
    with reader.published(settings) as connection:
        found = reader.rows(connection, sql)
    print(json.dumps(found, indent=1, default=str) if options.json else reader.as_text(found))
    return GOOD
