"""Reading the published warehouse: opened read-only and confined, never blocking a refresh.

Belongs here: opening the current version, running a query, showing its rows. Does not belong here: anything that writes. SQL may come
from anyone (a cookbook, a web form, a chat assistant): it reaches the tables of the version and nothing else, neither files nor network
nor the variables of this process, and within bounds of memory and time.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.platform.errors import ExplainedError
from pipelines.platform.settings import Settings
from pipelines.platform.text import fit_to_show

_BATCH_ROWS = 2_048
_LONGEST_CELL = 500
_SELECTS = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)


class NotPublishedError(ExplainedError):
    """There is no published version yet; the message says how to make one."""


class QueryError(Exception):
    """A statement is not one that may be asked, or took too long; the message says what is expected."""


@dataclass(frozen=True)
class Limits:
    """What a query may use: memory, disk for what it puts aside, and time in all."""

    memory: str = "1GB"
    disk: str = "2GB"
    seconds: float = 60.0


@contextmanager
def published(settings: Settings, limits: Limits = Limits()) -> Iterator[duckdb.DuckDBPyConnection]:
    """The current version, read-only and confined. Raises NotPublishedError."""
    path = settings.folders.current_file
    if not path.exists():
        raise NotPublishedError(f"nothing is published in {settings.data} yet; run `breakeven refresh` first")
    with opened(path, limits) as connection:
        yield connection


@contextmanager
def opened(path: Path, limits: Limits = Limits()) -> Iterator[duckdb.DuckDBPyConnection]:
    """A version's file, read-only and confined; one process opens a file once at a time."""
    with tempfile.TemporaryDirectory(prefix="breakeven-query-") as aside:
        # The version's own file, not the link: a swap during the query changes nothing for it.
        connection = duckdb.connect(str(path.resolve()), read_only=True, config=_confined(limits, aside))
        try:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET lock_configuration = true")
            yield connection
        finally:
            connection.close()


def _confined(limits: Limits, aside: str) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "enable_external_access": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        # Or SQL could name a variable of the Python program around it.
        "python_enable_replacements": "false",
        "memory_limit": limits.memory,
        "temp_directory": aside,
        "max_temp_directory_size": limits.disk,
    }


@contextmanager
def ask(
    connection: duckdb.DuckDBPyConnection, sql: str, seconds: float = Limits.seconds, parameters: Mapping[str, Any] | None = None
) -> Iterator[pa.RecordBatchReader]:
    """The answer to one SELECT, its parameters by name ($name), in batches; ends after so many seconds whatever it is doing.

    Raises QueryError, duckdb.Error.
    """
    statements = duckdb.extract_statements(sql)
    if len(statements) != 1:
        raise QueryError(f"expected one statement, found {len(statements)}")
    if statements[0].type not in _SELECTS:
        raise QueryError(f"expected a SELECT, found {statements[0].type.name}: the published warehouse is read-only")
    timer = threading.Timer(seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield connection.sql(sql, params=dict(parameters or {})).to_arrow_reader(_BATCH_ROWS)
    except (duckdb.InterruptException, pa.ArrowInvalid) as error:
        raise QueryError(f"the query was stopped after {seconds:.0f} s; ask for less, or give it more time") from error
    finally:
        timer.cancel()


def rows(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[dict[str, Any]]:
    """Rows of a query as dictionaries. Parameters by place (?) or by name ($name)."""
    cursor = connection.execute(sql, dict(parameters) if isinstance(parameters, Mapping) else list(parameters))
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def as_text(found: Sequence[dict[str, Any]]) -> str:
    """Rows as an aligned table in plain text; unknown figures are a dash."""
    if not found:
        return "(no rows)"
    cells = [[fit_to_show(name, _LONGEST_CELL) for name in found[0]]] + [[_cell(value) for value in row.values()] for row in found]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    numeric = [all(isinstance(row[name], (int, float, type(None))) for row in found) for name in found[0]]
    lines = [
        "  ".join(cell.rjust(w) if right else cell.ljust(w) for cell, w, right in zip(row, widths, numeric, strict=True)).rstrip()
        for row in cells
    ]
    return "\n".join([lines[0], "  ".join("-" * w for w in widths), *lines[1:]])


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 100 else f"{value:,.0f}"
    return fit_to_show(str(value), _LONGEST_CELL)
