"""Paths: brought to disk, shared, and said in SQL.

Belongs here: what every writer of files needs alike. Does not belong here: which files there are.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

# Of linux/fs.h; other systems have no such call, and refuse it.
_FICLONE = 0x40049409


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


def clone(file: Path, name: Path) -> bool:
    """Give a file a second body that shares its blocks until one of them changes; False where the file system cannot."""
    with file.open("rb") as source, name.open("wb") as target:
        try:
            fcntl.ioctl(target.fileno(), _FICLONE, source.fileno())
        except OSError:
            is_done = False
        else:
            is_done = True
    if not is_done:
        name.unlink()
    return is_done


def is_ours_alone(file: Path) -> bool:
    """True where no process has the file open and it has no other name, so that nobody sees when it is changed; False where that cannot
    be known.
    """
    with file.open("rb") as opened:
        if os.fstat(opened.fileno()).st_nlink != 1:
            return False
        try:
            # The kernel grants this where this descriptor is the only one; it is given back when the file is closed.
            fcntl.fcntl(opened.fileno(), fcntl.F_SETLEASE, fcntl.F_WRLCK)
        except (OSError, AttributeError):
            return False
    return True


def quoted(text: Path | str) -> str:
    """A path or a text as a literal of SQL, where it cannot be bound as a parameter."""
    return "'" + str(text).replace("'", "''") + "'"
