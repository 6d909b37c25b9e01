"""`breakeven publish`: copy the current version to a bucket or folder again, such as after one that was cut off."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pipelines.cli.exits import FAILED, GOOD, UsageError
from pipelines.platform.settings import Settings
from pipelines.publication.reader import NotPublishedError
from pipelines.publication.remote import RemoteError, place_of, publish_to
from pipelines.publication.versions import PublishedFolder

if TYPE_CHECKING:
    from pipelines.cli.commands import Commands


def add(commands: Commands) -> None:
    """Add the parser."""
    parser = commands.add_parser("publish", help="copy the current version to a bucket or another folder (setting publish_to)")
    parser.add_argument("--to", metavar="PLACE", help="s3://bucket/prefix or a folder, instead of the setting publish_to")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Copy what is not there yet and make it current there. Raises UsageError, NotPublishedError."""
    address = options.to or settings.publish_to
    if not address:
        raise UsageError("no place is set; expected --to s3://bucket/prefix, --to FOLDER or the setting publish_to")
    current = PublishedFolder(settings.folders.published).current
    if current is None:
        raise NotPublishedError(f"nothing is published in {settings.data} yet; run `breakeven refresh` first")
    try:
        done = publish_to(current, place_of(address), settings.keep_versions)
    except RemoteError as error:
        print(f"breakeven: {error}")
        return FAILED
    what = f"{done['sent']} files sent, {done['skipped']} there already, {done['removed']} versions removed"
    print(f"{current.name} is current in {address}: {what}")
    return GOOD
