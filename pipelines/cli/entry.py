"""The command `breakeven`: what must be in the environment before any library is loaded, then the command line.

Belongs here: nothing else. A separate module, since `pipelines.cli.main` loads polars.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from pipelines.platform.process import end_at_once_on_signals, leave

# polars' allocator keeps what it was given back for a while, in case: by itself for so long that it is a tenth of a refresh's peak memory,
# for no time at all and a history made anew takes half as long again. polars takes this variable as an override of its own settings.
# Arrow's keeps it for good, table after table, another twentieth; the system's own returns it. What is set already stays.
_GIVE_MEMORY_BACK = {"_RJEM_MALLOC_CONF": "dirty_decay_ms:200,muzzy_decay_ms:0", "ARROW_DEFAULT_MEMORY_POOL": "system"}


def main() -> NoReturn:
    """Run `breakeven` and end the process with its exit code."""
    # A replay is nothing but hundreds of small steps, each of which needs again what the last gave back, and holds little anyway.
    if sys.argv[1:2] != ["replay"]:
        for name, value in _GIVE_MEMORY_BACK.items():
            os.environ.setdefault(name, value)
    end_at_once_on_signals()
    from pipelines.cli.main import main as run  # noqa: PLC0415  (after the environment is set)

    leave(run())
