"""One view asked for with equal-to filters, as both the API and the tools do.

Belongs here: the query and its bounds. Does not belong here: HTTP (`api`), tools (`assistant`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.catalogue.published_sql import BI, View
from pipelines.platform.settings import Settings
from pipelines.publication import reader

LIMITS = reader.Limits(memory="512MB", disk="1GB", seconds=15.0)
DEFAULT_ROWS, MOST_ROWS = 1_000, 10_000
_KINDS = {"integer": "BIGINT", "double": "DOUBLE", "decimal": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE", "timestamp": "TIMESTAMP"}


class RequestError(Exception):
    """What was asked for cannot be meant; the message names the parameter, its value and what was expected."""


class CurrentVersion:
    """The published file for many questions at once: opened once, and again where a new version has become current."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._lock = settings, threading.Lock()
        self._path: Path | None = None
        self._opened = ExitStack()
        self._connection: duckdb.DuckDBPyConnection | None = None

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._opened.close()
            self._connection = None

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of its own to the current version, confined as all are. Raises reader.NotPublishedError."""
        path = self._settings.folders.current_file.resolve()
        with self._lock:
            if self._connection is None or path != self._path:
                self._opened.close()
                self._opened, self._connection = ExitStack(), None
                # Those that are still being answered keep the old file open by cursors of their own.
                self._connection = self._opened.enter_context(reader.published(self._settings, LIMITS))
                self._path = path
            cursor = self._connection.cursor()
        try:
            yield cursor
        finally:
            cursor.close()


@dataclass(frozen=True)
class Found:
    """Rows of a view, and whether there are more after them."""

    rows: pa.Table
    has_more: bool


def filtered(current: CurrentVersion, view: View, filters: Mapping[str, str], limit: int = DEFAULT_ROWS, offset: int = 0) -> Found:
    """Rows of the view whose columns equal the filters, in the view's order. Raises RequestError, reader.NotPublishedError."""
    kinds = {column.name: _KINDS.get(column.type, "VARCHAR") for column in view.columns}
    for name in filters:
        if name not in kinds:
            raise RequestError(f"parameter {name!r} is not a column of bi.{view.name}; expected one of {', '.join(kinds)}")
    if not 1 <= limit <= MOST_ROWS:
        raise RequestError(f"limit is {limit}, expected 1 to {MOST_ROWS}")
    if offset < 0:
        raise RequestError(f"offset is {offset}, expected 0 or more")
    # Names are those of the declared view; every value is a parameter.
    where = " AND ".join(f'"{name}" = CAST(${name} AS {kinds[name]})' for name in filters) or "true"
    sql = f'SELECT * FROM {BI}."{view.name}" WHERE {where} LIMIT {limit + 1} OFFSET {offset}'
    try:
        with current.cursor() as cursor, reader.ask(cursor, sql, LIMITS.seconds, filters) as answer:
            found = answer.read_all()
            return Found(found.slice(0, limit), found.num_rows > limit)
    except (duckdb.ConversionException, duckdb.InvalidInputException) as error:
        raise RequestError(f"bi.{view.name}: {str(error).splitlines()[0]}") from error


def as_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Rows as dictionaries that JSON can hold: days and times as text, no figure as null."""
    return [
        {name: value if isinstance(value, (int, float, str, bool, type(None))) else str(value) for name, value in row.items()}
        for row in table.to_pylist()
    ]
