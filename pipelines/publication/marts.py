"""The marts in the file in use: from the parts that it holds to those that it is to hold.

Belongs here: which parts are deleted and which inserted, and the file's own record of them. Does not belong here: how rows are stored
(`encoding`), from which file a version's file is made (`base`), Parquet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from pipelines.catalogue.contracts import Contract
from pipelines.platform.files import quoted
from pipelines.publication.encoding import STORED, EncodedTable, stored_names
from pipelines.publication.parts import WHOLE, Part
from pipelines.publication.transactions import at_once

# No mart has a name that begins so.
_RECORD = "_record"
# Small parts are inserted together: a statement has its own price.
_ROWS_INSERTED_AT_ONCE = 250_000


@dataclass(frozen=True)
class Held:
    """What a file says of itself: the `software` that wrote its tables, how often it was brought up to date since it was made from
    nothing, and the hashes of the parts that it holds by mart and name.
    """

    software: str
    updates: int
    parts: Mapping[str, Mapping[str, str]]


def held_by(connection: duckdb.DuckDBPyConnection) -> Held | None:
    """What the file in use says of itself; None where it says nothing."""
    is_there = "SELECT 1 FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = ? AND table_name = ?"
    if not connection.execute(is_there, [STORED, _RECORD]).fetchall():
        return None
    rows = connection.execute(f'SELECT software, updates, table_name, part, sha256 FROM {STORED}."{_RECORD}"').fetchall()
    parts: dict[str, dict[str, str]] = {}
    for _, _, table, part, sha256 in rows:
        parts.setdefault(table, {})[part] = sha256
    return Held(rows[0][0], rows[0][1], parts) if rows else None


def hold(connection: duckdb.DuckDBPyConnection, contracts: Iterable[Contract], parts: Mapping[str, Sequence[Part]], software: str) -> None:
    """Make the marts of the file in use those that `parts` give by name, and have the file say so.

    Committed step by step: what is not stays in memory. A kill leaves a file that no version has.
    """
    before = held_by(connection)
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS marts; CREATE SCHEMA IF NOT EXISTS {STORED}")
    known = before.parts if before else {}
    for contract in contracts:
        _hold(connection, contract, parts[contract.name], known.get(contract.name, {}))
    updates = before.updates + 1 if before else 0
    rows = [(software, updates, name, part.name, part.sha256) for name, own in parts.items() for part in own]
    table, columns = f'{STORED}."{_RECORD}"', "software VARCHAR, updates INTEGER, table_name VARCHAR, part VARCHAR, sha256 VARCHAR"
    with at_once(connection):
        connection.execute(f"CREATE OR REPLACE TABLE {table} ({columns})")
        connection.execute(f"COMMENT ON TABLE {table} IS 'What this file was made of: the next version begins with it.'")
        connection.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?)", rows)


def _hold(connection: duckdb.DuckDBPyConnection, contract: Contract, parts: Sequence[Part], known: Mapping[str, str]) -> None:
    new = [part for part in parts if known.get(part.name) != part.sha256]
    gone = known.items() - {(part.name, part.sha256) for part in parts}
    if not new and not gone:
        return
    is_in_parts = [part.name for part in parts] != [WHOLE]
    if contract.encoding is None and not is_in_parts:
        with at_once(connection):
            _drop(connection, contract)
            for statement in contract.create_table_sql(f'{contract.layer}."{contract.name}"'):
                connection.execute(statement)
        columns = ", ".join(f'"{column}"' for column in contract.column_names)
        connection.execute(f'INSERT INTO {contract.layer}."{contract.name}" ({columns}) SELECT {columns} FROM {_read(new)}')
        return
    table = EncodedTable(connection, contract, is_in_parts=is_in_parts)
    if len(gone) == len(known):
        with at_once(connection):
            _drop(connection, contract)
            table.create()
    else:
        table.delete(name for name, _ in gone)
    for together in _batched(new):
        table.insert(_read(together))


def _batched(parts: Iterable[Part]) -> Iterator[list[Part]]:
    waiting: list[Part] = []
    for part in parts:
        if waiting and sum(p.rows for p in waiting) + part.rows > _ROWS_INSERTED_AT_ONCE:
            yield waiting
            waiting = []
        waiting.append(part)
    if waiting:
        yield waiting


def _drop(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    # A view or a table, as the version before had it.
    found = """
        SELECT 'VIEW', schema_name, view_name FROM duckdb_views() WHERE database_name = current_database()
        UNION ALL
        SELECT 'TABLE', schema_name, table_name FROM duckdb_tables() WHERE database_name = current_database()
    """
    own = {(contract.layer, contract.name), *((STORED, name) for name in stored_names(contract))}
    for kind, schema, name in connection.execute(found).fetchall():
        if (schema, name) in own:
            connection.execute(f'DROP {kind} {schema}."{name}"')


def _read(parts: Sequence[Part]) -> str:
    """The rows of parts in SQL, each with the name of its part: by one reader, as one for each would take memory side by side."""
    files = ", ".join(quoted(part.file) for part in parts)
    names = ", ".join(f"({quoted(part.file)}, '{part.name}')" for part in parts)
    return f"read_parquet([{files}], filename = 'file') INNER JOIN (VALUES {names}) AS parts(file, part) USING (file)"
