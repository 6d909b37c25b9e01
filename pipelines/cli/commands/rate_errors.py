"""`breakeven rate-errors`: how far rates that nobody measured lie from measured ones, each left out in turn."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from pipelines.cli.exits import GOOD, UsageError
from pipelines.platform.settings import Settings
from pipelines.publication import reader

if TYPE_CHECKING:
    from pipelines.cli.commands import Commands


def add(commands: Commands) -> None:
    """Add the parser."""
    parser = commands.add_parser(
        "rate-errors", help="how far estimated and interpolated rates lie from measured ones, each left out in turn"
    )
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Print the errors of each method, by model and over all."""
    from pipelines.decision import WorkloadError  # noqa: PLC0415  (only this command needs them)
    from pipelines.decision.errors import rate_errors  # noqa: PLC0415

    with reader.published(settings) as connection:
        (day,) = connection.execute("SELECT max(on_date) FROM marts.cost_per_token").fetchall()[0]
        try:
            found = [asdict(e) for e in rate_errors(connection, day)]
        except WorkloadError as error:
            raise UsageError(str(error)) from error
    if options.json:
        print(json.dumps(found, indent=1))
        return GOOD
    shown = ("half_within", "four_of_five_within", "worst")
    print(reader.as_text([{**e, **{name: "-" if e[name] is None else f"{e[name]:.0%}" for name in shown}} for e in found]))
    return GOOD
