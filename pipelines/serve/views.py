"""One view asked for with equal-to filters, as both the API and the tools do.

Belongs here: the query and its bounds. Does not belong here: HTTP (`api`), tools (`assistant`).
"""

from __future__ import annotations

from collections.abc import Mapping
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


def filtered(settings: Settings, view: View, filters: Mapping[str, str], limit: int = DEFAULT_ROWS, offset: int = 0) -> pa.Table:
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
    sql = f'SELECT * FROM {BI}."{view.name}" WHERE {where} LIMIT {limit} OFFSET {offset}'
    with reader.published(settings, LIMITS) as connection:
        try:
            with reader.ask(connection, sql, LIMITS.seconds, filters) as answer:
                return answer.read_all()
        except (duckdb.ConversionException, duckdb.InvalidInputException) as error:
            raise RequestError(f"bi.{view.name}: {str(error).splitlines()[0]}") from error


def as_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Rows as dictionaries that JSON can hold: days and times as text, no figure as null."""
    return [
        {name: value if isinstance(value, (int, float, str, bool, type(None))) else str(value) for name, value in row.items()}
        for row in table.to_pylist()
    ]
