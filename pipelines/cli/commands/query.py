"""`breakeven query`: SQL on the published warehouse, read-only, confined, and in the format asked for."""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.cli.exits import GOOD, USAGE, UsageError
from pipelines.platform.process import bounded_memory, ended_after
from pipelines.platform.settings import Settings
from pipelines.platform.text import fit_to_show
from pipelines.publication import reader

if TYPE_CHECKING:
    from pipelines.cli.commands import Commands

FORMATS = ("text", "json", "csv", "markdown", "parquet")
_DEFAULT_LIMIT = 10_000
_GRACE_SECONDS = 5.0
# Twice what the database allows itself.
_MOST_MEMORY_BYTES = 2 << 30
# What a spreadsheet takes for a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def add(commands: Commands) -> None:
    """Add the parser."""
    parser = commands.add_parser("query", help="run SQL on the published warehouse (read-only)")
    parser.add_argument("sql", metavar="SQL", help="a SELECT, or - to read it from standard input")
    shown_as = parser.add_mutually_exclusive_group()
    shown_as.add_argument("--format", choices=FORMATS, default="text", help="how rows are given (default text)")
    shown_as.add_argument("--json", action="store_const", const="json", dest="format", help="the same as --format json")
    parser.add_argument("--limit", type=int, default=_DEFAULT_LIMIT, metavar="N", help="at most N rows (default 10,000; 0: all)")
    parser.add_argument("--output", "-o", type=Path, metavar="FILE", help="write to a file instead of standard output")
    parser.add_argument(
        "--timeout", type=float, default=reader.Limits.seconds, metavar="SECONDS", help="stop the query after this (default 60)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Give the rows of the statement."""
    if options.limit < 0:
        raise UsageError(f"--limit is {options.limit}, expected 0 (all) or more")
    if options.timeout <= 0:
        raise UsageError(f"--timeout is {options.timeout}, expected more than 0 seconds")
    if options.format == "parquet" and options.output is None:
        raise UsageError("--format parquet needs --output FILE")
    sql = sys.stdin.read() if options.sql == "-" else options.sql
    try:
        with (
            # What a single call of a function takes, neither the time nor the memory that the database is given holds back.
            ended_after(
                options.timeout + _GRACE_SECONDS, f"breakeven: the query did not stop after {options.timeout:g} s and was ended", USAGE
            ),
            bounded_memory(_MOST_MEMORY_BYTES),
            reader.published(settings) as connection,
            reader.ask(connection, sql, options.timeout) as answer,
            _opened(options) as target,
        ):
            shortened = _Shortened(answer, options.limit)
            _WRITERS[options.format](shortened, answer.schema, target)
    except reader.QueryError as error:
        raise UsageError(str(error)) from error
    except MemoryError:
        raise UsageError("the query asks for more memory than there is for it; ask for less") from None
    if shortened.is_cut:
        print(f"breakeven: the first {options.limit:,} rows of more are shown; --limit asks for others", file=sys.stderr)
    return GOOD


class _Shortened:
    """Batches up to a number of rows (0: all); `is_cut` says after the last whether there were more."""

    def __init__(self, batches: pa.RecordBatchReader, limit: int) -> None:
        self._batches, self._limit = batches, limit
        self.is_cut = False

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        left = self._limit
        for batch in self._batches:
            if self._limit and batch.num_rows > left:
                self.is_cut = True
                yield batch.slice(0, left)
                return
            left -= batch.num_rows
            yield batch


@contextmanager
def _opened(options: argparse.Namespace) -> Iterator[IO[Any]]:
    if options.output is None:
        yield sys.stdout
        return
    binary = options.format == "parquet"
    with options.output.open("wb" if binary else "w", **({} if binary else {"encoding": "utf-8", "newline": ""})) as file:
        yield file


def _as_text(batches: _Shortened, schema: pa.Schema, target: IO[str]) -> None:
    found = [row for batch in batches for row in batch.to_pylist()]
    print(reader.as_text(found), file=target)


def _as_markdown(batches: _Shortened, schema: pa.Schema, target: IO[str]) -> None:
    def line(cells: list[Any]) -> str:
        shown = ["" if cell is None else fit_to_show(str(cell)).replace("|", "\\|").replace("<", "&lt;") for cell in cells]
        return f"| {' | '.join(shown)} |"

    print(line(schema.names), line(["---"] * len(schema.names)), sep="\n", file=target)
    for batch in batches:
        for row in batch.to_pylist():
            print(line(list(row.values())), file=target)


def _as_json(batches: _Shortened, schema: pa.Schema, target: IO[str]) -> None:
    separator = "["
    for batch in batches:
        for row in batch.to_pylist():
            finite = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}
            target.write(separator + "\n " + json.dumps(finite, indent=1, default=str).replace("\n", "\n "))
            separator = ","
    target.write("[]\n" if separator == "[" else "\n]\n")


def _as_csv(batches: _Shortened, schema: pa.Schema, target: IO[str]) -> None:
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(_safe(name) for name in schema.names)
    for batch in batches:
        writer.writerows([_safe(value) for value in row.values()] for row in batch.to_pylist())


def _safe(value: Any) -> Any:
    is_formula = isinstance(value, str) and value.startswith(_FORMULA_STARTS) and len(value) > 1
    return f"'{value}" if is_formula else value


def _as_parquet(batches: _Shortened, schema: pa.Schema, target: IO[bytes]) -> None:
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)


_WRITERS: dict[str, Any] = {"text": _as_text, "json": _as_json, "csv": _as_csv, "markdown": _as_markdown, "parquet": _as_parquet}
