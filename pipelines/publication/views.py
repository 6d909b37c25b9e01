"""The views and macros of a version.

Belongs here: making them in a file, with the comment of each and of each column; the rows of the views as Parquet. Does not belong here:
their text and what their columns mean (`sql/bi`, `sql/macros`, `catalogue.published_sql`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines.catalogue.columns import Column
from pipelines.catalogue.published_sql import BI, Macro, View
from pipelines.platform.parquet import write_parquet
from pipelines.publication.encoding import STORED
from pipelines.publication.transactions import at_once

# Of a wide view a row group at once would be a tenth of a refresh's memory.
_BATCH_ROWS = 10_240


def remove_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Remove the macros and the views of the file in use, with what is stored of them."""
    connection.execute(f"DROP SCHEMA IF EXISTS {BI} CASCADE")
    for (table,) in connection.execute(
        """SELECT table_name FROM duckdb_tables()
           WHERE database_name = current_database() AND schema_name = ? AND starts_with(table_name, ?)""",
        [STORED, f"{BI}_"],
    ).fetchall():
        connection.execute(f'DROP TABLE {STORED}."{table}"')
    for kind, macro in connection.execute(
        """SELECT DISTINCT if(function_type = 'table_macro', 'MACRO TABLE', 'MACRO'), function_name FROM duckdb_functions()
           WHERE database_name = current_database() AND schema_name = 'marts' AND function_type IN ('macro', 'table_macro')"""
    ).fetchall():
        connection.execute(f'DROP {kind} marts."{macro}"')


def create_views(connection: duckdb.DuckDBPyConnection, views: Mapping[str, View], macros: Iterable[Macro]) -> None:
    """Make the macros, and schema `bi` with its views, in the file in use, all commented."""
    with at_once(connection):
        for macro in macros:
            connection.execute(macro.sql)
            connection.execute(f"COMMENT ON MACRO {'TABLE ' if macro.is_table else ''}marts.{macro.name} IS {_literal(macro.comment)}")
        connection.execute(f"CREATE SCHEMA {BI}")
    for view in views.values():
        query = _stored(connection, view) if view.is_stored else view.sql
        with at_once(connection):
            connection.execute(f'CREATE VIEW {BI}."{view.name}" AS {query}')
            connection.execute(f'COMMENT ON VIEW {BI}."{view.name}" IS {_literal(view.comment)}')
            for column in view.columns:
                connection.execute(f'COMMENT ON COLUMN {BI}."{view.name}"."{column.name}" IS {_literal(column.comment)}')


def _stored(connection: duckdb.DuckDBPyConnection, view: View) -> str:
    """Store the rows of a view; return the statement that reads them."""
    table = f'{STORED}."{BI}_{view.name}"'
    connection.execute(f"CREATE TABLE {table} AS {view.sql}")
    connection.execute(f"COMMENT ON TABLE {table} IS 'The rows of {BI}.{view.name}: read that.'")
    columns = ", ".join(f'"{column.name}"' for column in view.columns)
    return f"SELECT {columns} FROM {table}"


def write_views(connection: duckdb.DuckDBPyConnection, views: Iterable[View], folder: Path) -> None:
    """Write the rows of each view to `bi/<view>.parquet`; each field says its unit and meaning."""
    (folder / BI).mkdir(exist_ok=True)
    for view in views:
        rows = connection.sql(f'SELECT * FROM {BI}."{view.name}"').to_arrow_reader(_BATCH_ROWS)
        schema = described(rows.schema, view.columns, view.comment)
        tables = (pa.Table.from_batches([batch]).cast(schema) for batch in rows)
        write_parquet(folder / BI / f"{view.name}.parquet", schema, tables)


def described(schema: pa.Schema, columns: Iterable[Column], comment: str) -> pa.Schema:
    """The schema with a description for the whole, and unit and description for each field."""
    facts = {column.name: {"unit": column.unit, "description": column.description} for column in columns}
    return pa.schema([field.with_metadata(facts[field.name]) for field in schema], metadata={"description": comment})


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
