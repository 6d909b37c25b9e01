"""`breakeven sources`: all sources with their licence and state; `--probe` tries one, `new` begins one, `test` shows what one reads."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.catalogue.contracts import catalogue
from pipelines.cli.exits import FAILED, GOOD, UsageError, require_source
from pipelines.ingest.registry import discover
from pipelines.platform.settings import Settings
from pipelines.publication import reader

if TYPE_CHECKING:
    from pipelines.cli.commands import Commands

_ROWS_SHOWN = 20
_FIELDS_SHOWN = 40


def add(commands: Commands) -> None:
    """Add the parser."""
    parser = commands.add_parser("sources", help="all sources with their licence and state; --probe tries one")
    parser.add_argument("--probe", metavar="NAME", help="fetch one source without storing it, and say what was read")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)
    verbs = parser.add_subparsers(metavar="new|test")
    new = verbs.add_parser("new", help="write the files of a new source")
    new.add_argument("name", metavar="NAME")
    new.add_argument("--module", action="store_true", help="a Python module instead of a manifest")
    new.set_defaults(run=run_new)
    test = verbs.add_parser("test", help="show the rows that a source reads from its stored answer, or from a live one")
    test.add_argument("name", metavar="NAME")
    test.add_argument("--live", action="store_true", help="fetch it now, keep the bodies in the data folder and read them")
    test.add_argument("--accept", action="store_true", help="let these rows be what the stored answer must give (offers.csv)")
    test.add_argument("--json", action="store_true")
    test.set_defaults(run=run_test)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """List the sources, or probe one; the exit code is 1 where the probe did not go well."""
    if options.probe is not None:
        require_source(options.probe)
        from pipelines.ingest.fetch import probe  # noqa: PLC0415  (only a probe needs the network stack)

        module = discover(catalogue())[options.probe]
        found = probe(module, catalogue().tables[module.table], settings, os.environ)
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


def run_new(options: argparse.Namespace, _settings: Settings) -> int:
    """Write the files of a new source and say what comes next."""
    from pipelines.ingest.scaffold import ScaffoldError, write_new  # noqa: PLC0415  (only a checkout needs it)

    try:
        written = write_new(options.name, module=options.module)
    except ScaffoldError as error:
        raise UsageError(str(error)) from error
    for path in written:
        print(f"wrote {path}")
    print(f"Now say in them what the service says, then run `breakeven sources test {options.name} --accept` and `make docs`.")
    return GOOD


def run_test(options: argparse.Namespace, settings: Settings) -> int:
    """Show rows of the stored answer or of a live one, and how its fields differ; the exit code is 1 where a live fetch lost a part."""
    from pipelines.ingest.scaffold import LiveAnswer, rows_of_fixture, rows_of_live_answer  # noqa: PLC0415  (needs the network stack)

    require_source(options.name)
    module = discover(catalogue())[options.name]
    if options.live:
        live = rows_of_live_answer(module, settings, os.environ, settings.folders.trial(options.name))
    else:
        live = LiveAnswer(rows_of_fixture(module, accept=options.accept))
    frame, problems = live.frame, live.problems
    empty = [name for name in frame.columns if frame.get_column(name).null_count() == frame.height]
    rows = frame.drop(empty).rows(named=True)
    if options.json:
        facts = {"source": options.name, "rows": frame.height, "problems": problems, "bodies": live.kept, "empty_columns": empty}
        fields = {"missing_fields": live.missing_fields, "new_fields": live.new_fields} if options.live else {}
        print(json.dumps({**facts, **fields, "found": rows}, indent=1, default=str))
    else:
        print(reader.as_text(rows[:_ROWS_SHOWN]))
        print(f"\n{frame.height} rows" + (f", the first {_ROWS_SHOWN} shown" if frame.height > _ROWS_SHOWN else ""))
        print(f"nothing stands in: {', '.join(empty) or '-'}")
        if options.live:
            print(f"fields of the recorded answer that are missing: {_listed(live.missing_fields)}")
            print(f"fields that no recorded answer has: {_listed(live.new_fields)}")
        for line in [*(f"kept: {path}" for path in live.kept), *(f"problem: {problem}" for problem in problems)]:
            print(line)
    return FAILED if problems else GOOD


def _listed(fields: Sequence[str]) -> str:
    further = f" and {len(fields) - _FIELDS_SHOWN} more" if len(fields) > _FIELDS_SHOWN else ""
    return (", ".join(fields[:_FIELDS_SHOWN]) or "none") + further
