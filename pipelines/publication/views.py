"""The views and macros of a version.

Belongs here: making them in a file, with the comment that their SQL begins with. Does not belong here: their text (`sql/bi`, `sql/macros`).
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb


def create_views(connection: duckdb.DuckDBPyConnection, views: Mapping[str, str], macros: str) -> None:
    """Make schema `bi` with its views, and the macros, in the file in use."""
    connection.execute("CREATE SCHEMA bi")
    connection.execute(macros)
    for name, sql in views.items():
        comment = " ".join(line.removeprefix("--").strip() for line in sql.strip().splitlines() if line.startswith("--"))
        connection.execute(f'CREATE VIEW bi."{name}" AS {sql}')
        connection.execute(f"COMMENT ON VIEW bi.\"{name}\" IS '{comment.replace(chr(39), chr(39) * 2)}'")
