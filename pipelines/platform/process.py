"""How a command's process ends: at once on a signal, and never later than its work.

Belongs here: signals, bounds and the exit of the process. Does not belong here: exit codes of commands (`cli.exits`). Whatever is on disk
survives a kill at any instant, so nothing is gained by an orderly end, and a library that holds signals back, or a thread that waits
for a service, cannot delay it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import resource
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
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


@contextmanager
def ended_after(seconds: float, message: str, code: int) -> Iterator[None]:
    """Work that is still going on after so many seconds ends with its process: a library that is deep in one call hears nothing else."""

    def end() -> None:
        os.write(2, f"{message}\n".encode())
        os._exit(code)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def bounded_memory(further_bytes: int) -> Iterator[None]:
    """Work that may ask for so much memory beyond what the process has; a library's own limit counts only what it asks itself for.

    Where the system does not say what a process has there is no bound.
    """
    status = Path("/proc/self/status")
    held = [line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmData:")] if status.exists() else []
    if not held:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = int(held[0]) * 1024 + further_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if soft == resource.RLIM_INFINITY else min(soft, wanted), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _nothing_more(*_: object) -> None:
    """Python must have a handler, or the C one would not run."""


def _wait(reading: int) -> None:
    while True:
        number = os.read(reading, 1)[0]
        if number in (signal.SIGINT, signal.SIGTERM):
            os.write(2, b"\nbreakeven: stopped; what is published is as it was\n")
            os._exit(128 + number)
