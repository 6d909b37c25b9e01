"""`breakeven decide`: own, rent or buy tokens, for workloads described in YAML."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from pipelines.cli.exits import DEGRADED, FAILED, GOOD, UsageError, day
from pipelines.platform.locale import LANGUAGES
from pipelines.platform.settings import Settings
from pipelines.platform.text import fit_to_show
from pipelines.publication import reader
from pipelines.publication.versions import DUCKDB_FILE, PublishedFolder

if TYPE_CHECKING:
    from pipelines.cli.commands import Commands


def add(commands: Commands) -> None:
    """Add the parser."""
    parser = commands.add_parser("decide", help="own, rent or buy tokens, for workloads described in YAML")
    parser.add_argument("workload", type=Path, nargs="+", metavar="WORKLOAD.yaml", help="see docs/workloads for examples")
    parser.add_argument("--portfolio", action="store_true", help="serve all of them on the same machines")
    parser.add_argument("--as-of", type=day, metavar="DATE", help="answer as it would have been said on that day")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--compare", metavar="DATE|VERSION", help="what changed since that day, or since that published version, and why")
    instead.add_argument("--sweep", metavar="load=LEAST:MOST", help="the cheapest way at each of some loads, in tokens a day")
    instead.add_argument("--watch", type=Path, metavar="FILE", help="remember the answer there, and exit with 3 where it has turned since")
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="of text, page and Markdown (default en); JSON stays as it is")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write there instead of to standard output")
    shown_as = parser.add_mutually_exclusive_group()
    shown_as.add_argument("--json", action="store_true", help="print the answer as JSON")
    shown_as.add_argument("--html", action="store_true", help="print the answer as one page")
    shown_as.add_argument("--markdown", action="store_true", help="print the answer as Markdown")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Print the answers; the exit code is 1 where no option meets the constraints, 3 where a watched answer has turned."""
    from pipelines import decision  # noqa: PLC0415  (only this command needs it)

    if options.html and len(options.workload) > 1 and not options.portfolio:
        raise UsageError("--html shows one answer; give one workload, or --portfolio")
    if (options.html or options.markdown) and (options.sweep or options.compare):
        raise UsageError("--sweep and --compare are shown as text or as --json, expected one of them")
    try:
        apart = [decision.load_workload(path) for path in options.workload]
        asked = [decision.portfolio(apart)] if options.portfolio else apart
        with reader.published(settings) as connection:
            if options.sweep is not None:
                text, code = _sweep(options, asked, connection), GOOD
            elif options.compare is not None:
                text, code = _compare(options, asked, connection, settings), GOOD
            else:
                text, code = _answers(options, asked, apart, connection)
    except decision.WorkloadError as error:
        raise UsageError(str(error)) from error
    if options.output is None:
        print(text)
    else:
        try:
            options.output.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{options.output}: cannot be written: {error.strerror}") from error
    return code


def _answers(options: argparse.Namespace, asked: list[Any], apart: list[Any], connection: duckdb.DuckDBPyConnection) -> tuple[str, int]:
    from pipelines import decision  # noqa: PLC0415

    found = [decision.decide(w, load, _market(connection, w, options.as_of, path)) for path, (w, load) in _named(options, asked)]
    if options.portfolio and len(apart) > 1:
        found = [decision.with_answers_apart(shared, apart) for shared in found]
    code = GOOD if all(f.best for f in found) else FAILED
    if options.watch is not None:
        from pipelines.cli.watch_file import turned_since  # noqa: PLC0415

        turned = turned_since(options.watch, found)
        print(*turned, sep="\n", end="\n" if turned else "", file=sys.stderr)
        code = DEGRADED if turned else code
    if options.json:
        documents = [decision.as_dict(f) for f in found]
        return json.dumps(documents[0] if len(documents) == 1 else documents, indent=1, default=str), code
    shown = decision.as_html if options.html else decision.as_markdown if options.markdown else decision.as_text
    return "\n\n\n".join(shown(f, options.language) for f in found), code


def _named(options: argparse.Namespace, asked: list[Any]) -> Iterator[tuple[Path, Any]]:
    """Each workload with its file; a portfolio has the name of the first."""
    yield from zip(options.workload, asked, strict=False)


def _market(connection: duckdb.DuckDBPyConnection, workload: Any, as_of: date | None, path: Path, what: str = "what is published") -> Any:
    """What is known for a workload. Raises UsageError naming the file, as what is wrong stands there."""
    from pipelines import decision  # noqa: PLC0415

    try:
        return decision.read_market(connection, workload, as_of)
    except decision.WorkloadError as error:
        raise UsageError(f"{path}: {error}") from error
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise _of_another_release(what, error) from error


def _of_another_release(what: str, error: duckdb.Error) -> UsageError:
    reason = fit_to_show(str(error).splitlines()[0])
    return UsageError(f"{what} lacks what this release reads; `breakeven refresh` makes a version that has it ({reason})")


def _sweep(options: argparse.Namespace, asked: list[Any], connection: duckdb.DuckDBPyConnection) -> str:
    from pipelines import decision  # noqa: PLC0415

    try:
        name, _, ends = options.sweep.partition("=")
        least, most = (float(end) for end in ends.split(":"))
    except ValueError:
        name, least, most = "", 0.0, 0.0
    if name != "load" or not 0 < least < most <= decision.MOST_TOKENS_PER_DAY:
        raise UsageError(f"--sweep is {options.sweep!r}, expected load=LEAST:MOST in tokens a day, such as load=1e6:1e12")
    found = [
        (w, decision.sweep(w, load, _market(connection, w, options.as_of, path), least, most)) for path, (w, load) in _named(options, asked)
    ]
    if options.json:
        shown = [{"workload": w.name, "currency": w.currency, "points": points} for w, points in found]
        return json.dumps(shown, indent=1, default=str)
    return decision.sweep_as_text(found, options.language)


def _compare(options: argparse.Namespace, asked: list[Any], connection: duckdb.DuckDBPyConnection, settings: Settings) -> str:
    from pipelines import decision  # noqa: PLC0415

    found = []
    with _then(options.compare, connection, settings) as (other, as_of):
        for path, (workload, load) in _named(options, asked):
            now = _market(connection, workload, options.as_of, path)
            then = _market(other, workload, as_of, path, f"--compare: {options.compare}")
            labels = (options.compare if as_of is None else str(then.as_of), str(now.as_of))
            found.append((workload, decision.compare(workload, load, then, now, labels)))
    if options.json:
        from dataclasses import asdict  # noqa: PLC0415

        shown = [{"workload": w.name, "currency": w.currency, "turned": c.turned, **asdict(c)} for w, c in found]
        return json.dumps(shown, indent=1, default=str)
    return "\n\n".join(decision.comparison_as_text(w, c, options.language) for w, c in found)


@contextmanager
def _then(text: str, connection: duckdb.DuckDBPyConnection, settings: Settings) -> Iterator[tuple[duckdb.DuckDBPyConnection, Any]]:
    """What is compared with: another published version, or this one as of a day."""
    version = PublishedFolder(settings.folders.published).versions / Path(text).name / DUCKDB_FILE
    if version.exists() and version.samefile(settings.folders.current_file):
        yield connection, None
        return
    if version.exists():
        with reader.opened(version) as other:
            yield other, None
        return
    try:
        as_of = day(text)
    except argparse.ArgumentTypeError:
        names = sorted(p.name for p in PublishedFolder(settings.folders.published).versions.glob("[0-9]*"))
        raise UsageError(f"--compare is {text!r}, expected YYYY-MM-DD or a published version: {', '.join(names[-5:])}") from None
    yield connection, as_of
