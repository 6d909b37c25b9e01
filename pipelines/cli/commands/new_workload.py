"""`breakeven new-workload`: ten questions, and the workload file that follows."""

from __future__ import annotations

import argparse
import csv
import io
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.cli.exits import GOOD, UsageError
from pipelines.platform.locale import LANGUAGES
from pipelines.platform.settings import Settings

if TYPE_CHECKING:
    from pipelines.cli.commands import Commands


def add(commands: Commands) -> None:
    """Add the parser."""
    parser = commands.add_parser("new-workload", help="ask ten questions and write a workload file for `decide`")
    parser.add_argument("path", type=Path, metavar="WORKLOAD.yaml", help="the file to write; an existing one is left alone")
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="of the questions (default en)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Ask until every answer fits, and write the file."""
    from pipelines.decision.new_workload import as_yaml, ask  # noqa: PLC0415  (only this command needs it)

    del settings
    path: Path = options.path
    if path.exists():
        raise UsageError(f"{path}: is there already, expected a new file")
    if not path.parent.is_dir():
        raise UsageError(f"{path}: its folder is not there")
    try:
        text = as_yaml(ask(input, print, _models(), options.language))
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except EOFError:
        raise UsageError("the answers ended before the questions did; nothing was written") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error
    print(f"{path}: written. Now: breakeven decide {path}")
    return GOOD


def _models() -> list[str]:
    """Models whose size is known: of others nothing can be said before somebody has measured them (`quotes.rates`)."""
    text = resources.files("pipelines").joinpath("reference/model.csv").read_text(encoding="utf-8")
    return [row["model"] for row in csv.DictReader(io.StringIO(text))]
