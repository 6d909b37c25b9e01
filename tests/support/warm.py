"""A command in a process of its own that does not have to load its libraries: those are most of a short command's time.

Belongs here: the process. Does not belong here: settings and folders (`cli`). Python's own fork server loads the modules once and forks
for each command before any of them was used; whatever a command does, it does in a process that ends with it.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path

_LOADED = ["pipelines.cli.main", "pipelines.cli.job", "pipelines.cli.dagster_job", "great_expectations"]


def breakeven(arguments: Sequence[str]) -> int:
    from pipelines.cli.main import main

    return main(arguments)


def run_command(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    timeout_seconds: float,
    command: Callable[[Sequence[str]], int] = breakeven,
) -> subprocess.CompletedProcess[str]:
    """Run a command with these arguments in exactly this environment. Raises TimeoutExpired, after the process was ended."""
    with tempfile.TemporaryDirectory() as place:
        files = [Path(place, name) for name in ("out", "err")]
        process = _server().Process(target=_run, args=(command, list(arguments), dict(environment), folder, files))
        process.start()
        process.join(timeout_seconds)
        if process.is_alive():
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(list(arguments), timeout_seconds, *(file.read_text() for file in files))
        assert process.exitcode is not None
        return subprocess.CompletedProcess(list(arguments), process.exitcode, *(file.read_text() for file in files))


@cache
def _server() -> ForkServerContext:
    # Read when the library is loaded; the server has the environment of this process.
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(_LOADED)
    return server


def _run(
    command: Callable[[Sequence[str]], int], arguments: list[str], environment: dict[str, str], folder: Path, files: Sequence[Path]
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, file in enumerate(files, 1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), number)
    sys.argv = ["breakeven", *arguments]
    from pipelines.platform.process import end_at_once_on_signals, leave

    end_at_once_on_signals()
    try:
        code = command(arguments)
    except SystemExit as asked:
        # As the interpreter takes it: argparse ends with a number.
        code = asked.code if isinstance(asked.code, int) else int(asked.code is not None)
    leave(code)
