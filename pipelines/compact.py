"""A long table kept small in the published file, with a view in its place that gives every column back exactly.

Belongs here: how the columns of such a table are stored, and the view. Does not belong here: which tables are published, and where.

A text is stored as its place in the list of the column's texts, a time as the seconds since another time of its row, an amount only
where it is not what others come to. Rows in the order of their key then take a quarter of the room, and are read no slower.
"""

from __future__ import annotations

import duckdb

from pipelines.contracts import Compact, Contract

SCHEMA = "stored"
# A list of texts is read whenever the file is opened; beyond so many, the texts are stored as they are.
_LISTED_TEXTS = 65_536
_SECOND = 1_000_000


def write_compact(connection: duckdb.DuckDBPyConnection, contract: Contract, compact: Compact, source: str) -> None:
    """Store the rows of `source` in the file in use, and make the view of the table's name."""
    usually = {column: f"({usual})" for column, usual in compact.usually.items()}
    listed = _listed(connection, contract, source)
    stored, given = [], []
    for c in contract.columns:
        name = f'"{c.name}"'
        if c.name in listed:
            stored.append(f"{name}::{_texts(contract, c.name)} AS {name}")
            given.append(f"{name}::VARCHAR AS {name}")
        elif c.type == "timestamp":
            # Times are seldom of a part of a second, and a column of zeros takes no room.
            micros = f"epoch_us({name})" + ("" if c.name == compact.times_since else f' - epoch_us("{compact.times_since}")')
            stored.append(f'({micros}) // {_SECOND} AS "{c.name}_s", ({micros}) % {_SECOND} AS "{c.name}_us"')
            parts = [f'"{part}_s" * {_SECOND} + "{part}_us"' for part in dict.fromkeys([compact.times_since, c.name])]
            given.append(f"make_timestamp({' + '.join(parts)}) AS {name}")
        elif c.name in usually:
            # No figure of a mart is NaN: it stands for one that is unknown although the others are known.
            stored.append(f"CASE WHEN {name} IS DISTINCT FROM {usually[c.name]} THEN coalesce({name}, 'NaN') END AS {name}")
            given.append(f"nullif(coalesce({name}, {usually[c.name]}), 'NaN') AS {name}")
        else:
            stored.append(name)
            given.append(name)
    table = f'{SCHEMA}."{contract.name}"'
    connection.execute(f"CREATE TABLE {table} AS SELECT {', '.join(stored)} FROM {source}")
    connection.execute(f"COMMENT ON TABLE {table} IS 'How {contract.table} is stored: read that.'")
    for statement in contract.create_view_sql(f'{contract.layer}."{contract.name}"', f"SELECT {', '.join(given)} FROM {table}"):
        connection.execute(statement)


def _listed(connection: duckdb.DuckDBPyConnection, contract: Contract, source: str) -> set[str]:
    """Make the lists of texts of those columns that have few; gives their names."""
    listed = set()
    for name in (c.name for c in contract.columns if c.type == "text"):
        # One column at a time: the lists of all would not fit into a publication's memory.
        sql = f'SELECT DISTINCT "{name}" AS text FROM {source} WHERE text IS NOT NULL ORDER BY text LIMIT {_LISTED_TEXTS + 1}'
        texts = connection.sql(sql).to_arrow_table()
        if 0 < texts.num_rows <= _LISTED_TEXTS:
            connection.register("texts", texts)
            connection.execute(f"CREATE TYPE {_texts(contract, name)} AS ENUM (SELECT text FROM texts)")
            connection.unregister("texts")
            listed.add(name)
    return listed


def _texts(contract: Contract, column: str) -> str:
    return f'{SCHEMA}."{contract.name}_{column}"'
