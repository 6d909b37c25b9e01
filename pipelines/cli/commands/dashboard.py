"""`breakeven dashboard`: where the dashboard is; `--open` shows it in the browser."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.cli.exits import GOOD
from pipelines.platform.settings import Settings
from pipelines.publication.reader import NotPublishedError

if TYPE_CHECKING:
    from pipelines.cli.commands import Commands


def add(commands: Commands) -> None:
    """Add the parser."""
    parser = commands.add_parser("dashboard", help="where the dashboard is; --open shows it in the browser")
    parser.add_argument("--open", action="store_true")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Print the path of the page. Raises NotPublishedError."""
    page: Path = settings.folders.current / "dashboard.html"
    if not page.exists():
        raise NotPublishedError(f"nothing is published in {settings.data} yet; run `breakeven refresh` first")
    print(page)
    if options.open:
        import webbrowser  # noqa: PLC0415

        webbrowser.open(page.resolve().as_uri())
    return GOOD
