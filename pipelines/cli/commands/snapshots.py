"""`breakeven snapshots`: whether every answer that was ever stored is still there."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from pipelines.cli.exits import DEGRADED, GOOD
from pipelines.platform.lock import refresh_lock
from pipelines.platform.settings import Settings

if TYPE_CHECKING:
    from pipelines.cli.commands import Commands


def add(commands: Commands) -> None:
    """Add the parser."""
    parser = commands.add_parser("snapshots", help="whether every stored answer is still there; exit code 3 where one is lost")
    parser.add_argument("--read", action="store_true", help="read every answer too, and check its hash")
    parser.add_argument("--accept", action="store_true", help="what is gone now is gone: say no more of it")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Look through the store."""
    from pipelines.ingest.snapshots import SnapshotError, SnapshotStore  # noqa: PLC0415  (only this command needs it)
    from pipelines.publication.run_outcomes import recorded_snapshots  # noqa: PLC0415

    store = SnapshotStore(settings.folders.snapshots)
    recorded = recorded_snapshots(settings)
    fetches = store.fetches()
    if options.accept:
        with refresh_lock(settings.data):
            store.accept_losses(recorded)
    losses = store.losses(recorded)
    if options.read:
        for payload in {payload.sha256: payload for fetch in fetches for payload in fetch.payloads}.values():
            try:
                store.content(payload)
            except SnapshotError as error:
                losses.append(str(error))
    facts = {"fetches": len(fetches), "responses": sum(len(fetch.payloads) for fetch in fetches), "losses": losses}
    print(
        json.dumps(facts, indent=1) if options.json else "\n".join([f"{facts['fetches']} fetches, {facts['responses']} responses", *losses])
    )
    return DEGRADED if losses else GOOD
