"""One refresh at a time: a file lock that the command line and the daemon share.

Belongs here: taking and releasing `data/refresh.lock`. Does not belong here: what is done under it. The kernel drops the lock when
its holder dies, so a kill never leaves it taken.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pipelines.platform.errors import ExplainedError
from pipelines.platform.paths import DataFolder


class RefreshLockedError(ExplainedError):
    """Another refresh holds the lock; the message says which process and since when."""


@contextmanager
def refresh_lock(folder: Path, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold the lock of a data folder. Raises RefreshLockedError where it is not free within `wait_seconds`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = DataFolder(folder).lock
    deadline = time.monotonic() + wait_seconds
    with path.open("a+", encoding="utf-8") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise RefreshLockedError(_held_by(path)) from None
                time.sleep(0.2)
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}))
        file.flush()
        yield


def is_held(folder: Path) -> bool:
    """True while a refresh runs. Changes nothing: a folder that may only be read can be asked too."""
    try:
        with (DataFolder(folder).lock).open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _held_by(path: Path) -> str:
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        return f"another refresh is running (process {holder['pid']}, since {holder['since']}); wait for it to end"
    except (OSError, ValueError, KeyError):
        return "another refresh is running; wait for it to end"
