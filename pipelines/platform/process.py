"""How a command's process ends: at once on a signal, and never later than its work.

Belongs here: signals and the exit of the process. Does not belong here: exit codes of commands (`cli.exits`). Whatever is on disk
survives a kill at any instant, so nothing is gained by an orderly end, and a library that holds signals back, or a thread that waits
for a service, cannot delay it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import threading
from typing import NoReturn


def end_at_once_on_signals() -> None:
    """From now on SIGINT and SIGTERM end the process at once, also in the middle of a query or with another handler set since."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    # The number of a signal is written by the C handler itself: it does not wait for the main thread to come back to Python.
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _nothing_more)
    threading.Thread(target=_wait, args=(reading,), name="signals", daemon=True).start()


def leave(code: int) -> NoReturn:
    """End the process with what was printed, whatever its threads still wait for."""
    # As at any other end, but for waiting for threads.
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        # Whoever read it may have gone away.
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _nothing_more(*_: object) -> None:
    """Python must have a handler, or the C one would not run."""


def _wait(reading: int) -> None:
    while True:
        number = os.read(reading, 1)[0]
        if number in (signal.SIGINT, signal.SIGTERM):
            os.write(2, b"\nbreakeven: stopped; what is published is as it was\n")
            os._exit(128 + number)
