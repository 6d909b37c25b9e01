"""Paths: brought to disk, shared, and said in SQL.

Belongs here: what every writer of files needs alike. Does not belong here: which files there are.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def sync(path: Path) -> None:
    """Wait until a file, or the entries of a folder, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, content: bytes) -> None:
    """Replace a small file at once: a kill or a full disk leaves the one before."""
    making = path.with_name(f".{path.name}.new")
    making.write_bytes(content)
    sync(making)
    making.replace(path)


def share(file: Path, name: Path) -> None:
    """Have a file under another name too: the same one, or a copy where the file system cannot give it a second name there."""
    name.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(file, name)
    except FileExistsError:
        raise
    except OSError:
        shutil.copyfile(file, name)


def quoted(path: Path) -> str:
    """A path as a literal of SQL, where it cannot be bound as a parameter."""
    return "'" + str(path).replace("'", "''") + "'"
