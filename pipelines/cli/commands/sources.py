"""`breakeven sources`: all sources with their licence and state; `--probe` tries one."""

from __future__ import annotations

import argparse
import json
import os
from typing import TYPE_CHECKING

from pipelines.catalogue.contracts import catalogue
from pipelines.cli.exits import FAILED, GOOD, require_source
from pipelines.ingest.registry import discover
from pipelines.platform.settings import Settings
from pipelines.publication import reader

if TYPE_CHECKING:
    from pipelines.cli.commands import Commands


def add(commands: Commands) -> None:
    """Add the parser."""
    parser = commands.add_parser("sources", help="all sources with their licence and state; --probe tries one")
    parser.add_argument("--probe", metavar="NAME", help="fetch one source without storing it, and say what was read")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """List the sources, or probe one; the exit code is 1 where the probe did not go well."""
    if options.probe is not None:
        require_source(options.probe)
        from pipelines.ingest.fetch import probe  # noqa: PLC0415  (only a probe needs the network stack)

        found = probe(discover(catalogue())[options.probe], catalogue().tables[options.probe], settings, os.environ)
        print(json.dumps(found, indent=1, default=str) if options.json else "\n".join(f"{k}: {v}" for k, v in found.items()))
        return GOOD if found["status"] == "ok" else FAILED
    listed = [
        {
            "source": name,
            "kind": "ships with the project" if module.source.is_bundled else "service",
            "enabled": settings.source(name).enabled,
            "credentials": " ".join(module.source.credentials) or None,
            "credentials_set": all(os.environ.get(v) for v in module.source.credentials) if module.source.credentials else None,
            "licence": module.source.licence,
            "title": module.source.title,
        }
        for name, module in discover(catalogue()).items()
    ]
    print(json.dumps(listed, indent=1) if options.json else reader.as_text(listed))
    return GOOD
