"""Progress of a refresh on a terminal: one line that says what was done last, in place of a line for each source and table.

Belongs here: turning the log of a refresh into that line. Does not belong here: what is logged, where no terminal looks (lines, as ever).
"""

from __future__ import annotations

import logging
import shutil
import time
from collections import Counter
from typing import TextIO

_COUNTED = {"source": "sources", "table": "tables"}
_ERASE = "\r\x1b[2K"


class ProgressLine(logging.Handler):
    """Counts sources and tables as they are logged; what is neither, and what warns, stays as a line of its own."""

    def __init__(self, terminal: TextIO) -> None:
        super().__init__()
        self.terminal = terminal
        self.started = time.monotonic()
        self.done: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record."""
        text = self.format(record)
        kind, _, rest = text.partition(" ")
        if record.levelno >= logging.WARNING or kind not in _COUNTED:
            self.terminal.write(f"{_ERASE}{text}\n")
        else:
            self.done[_COUNTED[kind]] += 1
            counts = ", ".join(f"{name} {count}" for name, count in self.done.items())
            line = f"{time.monotonic() - self.started:4.0f} s  {counts}: {rest.split()[0]}"
            self.terminal.write(_ERASE + line[: shutil.get_terminal_size().columns - 1])
        self.terminal.flush()

    def close(self) -> None:
        """Take the line away."""
        if self.done:
            self.terminal.write(_ERASE)
            self.terminal.flush()
        super().close()
