"""What to say of an error that is not one of ours: one sentence, with what to do.

Belongs here: disks, folders, permissions, files of the data folder that cannot be read. Does not belong here: errors whose message
says it all already (each names file, value and remedy itself).
"""

from __future__ import annotations

import errno
import os

from pipelines.platform.text import fit_to_show

_LONGEST_LINE, _MOST_LINES = 1_000, 12
_REMEDIES = {
    errno.ENOSPC: "the disk is full: free some space (`breakeven compact` packs old snapshots), then refresh again",
    errno.EDQUOT: "the quota of the disk is used up: free some space, then refresh again",
    errno.EFBIG: "a file would become larger than this process may write (`ulimit -f`)",
    errno.EROFS: "the file system is mounted read-only: make it writable, or set BREAKEVEN_DATA to a folder that is",
    errno.EACCES: "this user may not do that: run as the owner of the data folder, or set BREAKEVEN_DATA to a folder of your own",
    errno.EPERM: "this user may not do that: run as the owner of the data folder, or set BREAKEVEN_DATA to a folder of your own",
    errno.EMFILE: "too many files are open in this process (`ulimit -n`)",
    errno.EIO: "the disk could not be read or written: look at the system's log",
}
_DAMAGED = "a file of the data folder is damaged: `breakeven status` says which, `breakeven refresh --rebuild` publishes a new version"
# The same, where a library says it in words of its own.
_WORDS = {
    "no space left": errno.ENOSPC,
    "database or disk is full": errno.ENOSPC,
    "file too large": errno.EFBIG,
    "read-only file system": errno.EROFS,
    "readonly database": errno.EACCES,
    "permission denied": errno.EACCES,
    "unable to open database file": errno.EACCES,
    "disk i/o error": errno.EIO,
}
_WORDS_OF_DAMAGE = (
    "could not read enough bytes",
    "corrupt database file",
    "not a valid duckdb database file",
    "database disk image is malformed",
    "file is not a database",
)


def explain(error: BaseException) -> str:
    """One sentence about an error, with a remedy where one is known."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _REMEDIES:
            where = f"{cause.filename}: " if cause.filename else ""
            return f"{where}{os.strerror(cause.errno)}; {_REMEDIES[cause.errno]}"
        cause = cause.__cause__ or cause.__context__
    return with_remedy(f"{type(error).__name__}: {error}")


def with_remedy(message: str) -> str:
    """A message, its lines cut and cleaned, and with a remedy where it names a known trouble of the disk."""
    line = "\n".join(fit_to_show(part, _LONGEST_LINE) for part in message.strip().splitlines()[:_MOST_LINES])
    said = message.lower()
    known = next((number for words, number in _WORDS.items() if words in said), None)
    remedy = _REMEDIES[known] if known is not None else _DAMAGED if any(words in said for words in _WORDS_OF_DAMAGE) else None
    return line if remedy is None else f"{line}; {remedy}"
