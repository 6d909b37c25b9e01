"""Paths: brought to disk, and said in SQL.

Belongs here: what every writer of files needs alike. Does not belong here: which files there are.
"""

from __future__ import annotations

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Wait until a file, or the entries of a folder, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def quoted(path: Path) -> str:
    """A path as a literal of SQL, where it cannot be bound as a parameter."""
    return "'" + str(path).replace("'", "''") + "'"
