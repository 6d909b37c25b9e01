"""`breakeven init`: the files by which Dagster's own tools find the warehouse in a folder outside of the checkout."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.cli.exits import GOOD
from pipelines.platform.settings import Settings

if TYPE_CHECKING:
    from pipelines.cli.commands import Commands

_FILES = {
    "dg.toml": """directory_type = "project"

[project]
root_module = "pipelines"
code_location_name = "breakeven"
code_location_target_module = "pipelines.definitions"
defs_module = "pipelines.defs"
""",
    "workspace.yaml": """load_from:
  - python_module:
      module_name: pipelines.definitions
      location_name: breakeven
""",
}


def add(commands: Commands) -> None:
    """Add the parser."""
    parser = commands.add_parser("init", help="write the files by which `dg` and Dagster's web pages find the warehouse from this folder")
    parser.set_defaults(run=run)


def run(_options: argparse.Namespace, settings: Settings) -> int:
    """Write what is missing; a file that is there stays as it is."""
    for name, text in _FILES.items():
        path = Path(name)
        if path.exists():
            print(f"{name} is there already")
        else:
            path.write_text(text, encoding="utf-8")
            print(f"{name} written")
    print(f"refreshes write to {settings.data.resolve()}")
    return GOOD
