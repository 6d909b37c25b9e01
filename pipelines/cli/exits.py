"""How a command ends: its exit code, or what was wrong with the question.

Belongs here: what every command shares about its arguments and its end. Does not belong here: any command's own work.
"""

from __future__ import annotations

import argparse
import signal
from datetime import date

from pipelines.catalogue.contracts import catalogue
from pipelines.ingest.registry import discover

GOOD, FAILED, USAGE, DEGRADED = 0, 1, 2, 3
# As a shell says of a process that the signal ended: its reader went away, and what it did not come to say may be anything.
UNREAD = 128 + signal.SIGPIPE


class UsageError(Exception):
    """The arguments cannot be meant; the message says what was expected."""


def day(text: str) -> date:
    """Argument type of a day. Raises ArgumentTypeError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day; expected YYYY-MM-DD") from None


def require_source(name: str) -> None:
    """Raises UsageError where no source has this name."""
    names = discover(catalogue())
    if name not in names:
        raise UsageError(f"unknown source {name!r}; expected one of {', '.join(names)}")
