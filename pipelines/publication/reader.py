"""Reading the published warehouse: opened read-only, never blocking a refresh.

Belongs here: opening the current version, running a query, showing its rows. Does not belong here: anything that writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb

from pipelines.platform.settings import Settings
from pipelines.publication.versions import DUCKDB_FILE


class NotPublishedError(Exception):
    """There is no published version yet; the message says how to make one."""


@contextmanager
def published(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The current version, read-only. Raises NotPublishedError."""
    path = settings.data / "published" / DUCKDB_FILE
    if not path.exists():
        raise NotPublishedError(f"nothing is published in {settings.data} yet; run `breakeven refresh` first")
    # The version's own file, not the link: a swap during the query changes nothing for it.
    connection = duckdb.connect(str(path.resolve()), read_only=True)
    try:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()


def rows(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[dict[str, Any]]:
    """Rows of a query as dictionaries. Parameters by place (?) or by name ($name)."""
    cursor = connection.execute(sql, dict(parameters) if isinstance(parameters, Mapping) else list(parameters))
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def as_text(found: Sequence[dict[str, Any]]) -> str:
    """Rows as an aligned table in plain text; unknown figures are a dash."""
    if not found:
        return "(no rows)"
    cells = [list(found[0])] + [[_cell(value) for value in row.values()] for row in found]
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
    return str(value)
