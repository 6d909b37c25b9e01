"""`breakeven backup` and `breakeven restore`: all that cannot be made again, in one file and back."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.cli.exits import GOOD, UsageError
from pipelines.platform.lock import refresh_lock
from pipelines.platform.settings import Settings

if TYPE_CHECKING:
    from pipelines.cli.commands import Commands

_LOCK_WAIT_SECONDS = 600.0


def add(commands: Commands) -> None:
    """Add both parsers."""
    backup = commands.add_parser("backup", help="write all that cannot be made again to one file")
    backup.add_argument("file", type=Path, metavar="FILE.tar.gz")
    backup.set_defaults(run=_backup)
    restore = commands.add_parser("restore", help="put a backup into an empty data folder")
    restore.add_argument("file", type=Path, metavar="FILE.tar.gz")
    restore.set_defaults(run=_restore)


def _backup(options: argparse.Namespace, settings: Settings) -> int:
    from pipelines.refresh.backup import BackupError, write_backup  # noqa: PLC0415  (only these commands need it)

    if not options.file.parent.is_dir():
        raise UsageError(f"{options.file.parent} is not a folder; expected the folder of the backup to exist")
    try:
        with refresh_lock(settings.data, _LOCK_WAIT_SECONDS):
            files = write_backup(settings.data, options.file)
    except BackupError as error:
        raise UsageError(str(error)) from error
    print(f"{options.file}: {files} files, {options.file.stat().st_size:,} bytes; read back and found whole")
    return GOOD


def _restore(options: argparse.Namespace, settings: Settings) -> int:
    from pipelines.refresh.backup import BackupError, restore_backup  # noqa: PLC0415

    if not options.file.is_file():
        raise UsageError(f"{options.file} is not there; expected a file that `breakeven backup` wrote")
    try:
        with refresh_lock(settings.data):
            files = restore_backup(options.file, settings.data)
    except BackupError as error:
        raise UsageError(str(error)) from error
    print(f"{settings.data}: {files} files are back; `breakeven refresh` makes the rest anew")
    return GOOD
