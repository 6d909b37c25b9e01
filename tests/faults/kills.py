"""Kills at every step: an operation runs in a child that kills itself before its Nth act on the file system, for every N.

What Python's audit hooks tell (opening, renaming, linking, removing, changing modes, making folders) is a step. So no place is left out
and nothing is left to chance; whole refreshes are killed at random moments elsewhere.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

_STEPS = frozenset(
    {"open", "os.rename", "os.link", "os.symlink", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.truncate", "shutil.rmtree"}
)
_CHILD_SECONDS = 120
_state = {"left": -1}


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if _state["left"] < 0 or event not in _STEPS or (event == "open" and not _writes(arguments)):
        return
    if _state["left"] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    _state["left"] -= 1


def _writes(arguments: tuple[object, ...]) -> bool:
    flags = arguments[2] if len(arguments) > 2 else 0
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND))


_installed = False


def killed_before_step(number: int, operation: Callable[[], object]) -> bool:
    """Run the operation in a child that dies before step `number`; True where it died, False where it came to its end."""
    global _installed  # noqa: PLW0603
    if not _installed:
        sys.addaudithook(_hook)
        _installed = True
    child = os.fork()
    if child == 0:
        _state["left"] = number
        _end(operation)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL, status
        return True
    assert os.WEXITSTATUS(status) == 0, f"the operation failed by itself at step {number}"
    return False


def with_file_limit(limit_bytes: int, operation: Callable[[], object]) -> bool:
    """Run the operation in a child that may write no file beyond so many bytes, as on a full disk; True where that stopped it."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
        _end(operation)
    return _was_stopped(child)


def as_nobody(operation: Callable[[], object]) -> bool:
    """Run the operation in a child without rights; True where that stopped it."""
    child = os.fork()
    if child == 0:
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        _end(operation)
    return _was_stopped(child)


def _was_stopped(child: int) -> bool:
    _, status = os.waitpid(child, 0)
    assert os.WIFEXITED(status), f"the operation was ended by signal {os.WTERMSIG(status)}, which nothing here sends: did it hang?"
    return os.WEXITSTATUS(status) != 0


def _end(operation: Callable[[], object]) -> None:
    # A child that waits for threads which were not forked with it would wait for ever.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(_CHILD_SECONDS)
    code = 1
    try:
        operation()
        code = 0
    except OSError:
        code = 2
    finally:
        _state["left"] = -1
        os._exit(code)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file() and not p.is_symlink()}
