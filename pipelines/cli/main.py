"""The command line `breakeven`: finds the commands, runs one, turns its errors into messages and exit codes.

Belongs here: what holds for every command. Does not belong here: a command (each is a module of `pipelines.cli.commands`), the work
itself. Exit codes: 0 good; 1 failed or blocked; 2 usage; 3 published, but an enabled source that was tried is stale, partial, failed
or offline; 141 whoever read the output went away before its end.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence
from importlib import metadata

import duckdb

from pipelines.cli import commands
from pipelines.cli.exits import FAILED, UNREAD, USAGE, UsageError
from pipelines.cli.problems import explain, with_remedy
from pipelines.platform.errors import ExplainedError
from pipelines.platform.process import end_at_once_on_signals, leave
from pipelines.platform.secrets import redacted, secrets_of
from pipelines.platform.settings import SettingsError, load_settings
from pipelines.platform.text import fit_to_show

_MOST_LINES, _LONGEST_LINE = 50, 4_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    options = build_parser().parse_args(arguments)
    try:
        settings = load_settings(os.environ)
        return int(options.run(options, settings))
    except (SettingsError, UsageError) as error:
        print(f"breakeven: {_said(str(error))}", file=sys.stderr)
        return USAGE
    except (ExplainedError, duckdb.Error) as error:
        print(f"breakeven: {_said(redacted(with_remedy(str(error)), secrets_of(os.environ)))}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123  (the reader of our output went away; nothing more to say)
        return UNREAD
    except Exception as error:
        if os.environ.get("BREAKEVEN_TRACEBACK"):
            raise
        print(f"breakeven: {_said(redacted(explain(error), secrets_of(os.environ)))} (BREAKEVEN_TRACEBACK=1 shows where)", file=sys.stderr)
        return FAILED


def _said(message: str) -> str:
    """A message on a terminal: at most so many lines of such a length, whatever names of others it repeats."""
    lines = message.splitlines()
    shown = [fit_to_show(line, _LONGEST_LINE) for line in lines[:_MOST_LINES]]
    return "\n".join([*shown, *([f"... ({len(lines):,} lines)"] if len(lines) > _MOST_LINES else [])])


def build_parser() -> argparse.ArgumentParser:
    """The parser with every command: each module of `pipelines.cli.commands` adds its own."""
    parser = argparse.ArgumentParser(
        prog="breakeven", description="Own or rent the GPUs that serve an open-weight model: the warehouse that answers it."
    )
    parser.add_argument("--version", action="version", version=f"breakeven {metadata.version('breakeven')}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for found in sorted(pkgutil.iter_modules(commands.__path__), key=lambda module: module.name):
        importlib.import_module(f"{commands.__name__}.{found.name}").add(subparsers)
    return parser


if __name__ == "__main__":
    end_at_once_on_signals()
    leave(main())
