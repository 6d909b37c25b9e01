"""The commands of `breakeven`, one module each, found by looking.

A module is named after its command and has two functions: `add(commands)` adds its parser, with `run` as the default of the option
`run`; `run(options, settings)` does it, prints the result and returns the exit code. What only one command needs is imported inside
its `run`, so that the others start without it. Underscores in a module's name are hyphens in the command's.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    Commands: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]
