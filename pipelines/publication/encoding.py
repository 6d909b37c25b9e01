"""A long table kept small in the published file, with a view in its place that gives every column back exactly.

Belongs here: how the columns of such a table are stored, and the view. Does not belong here: which tables are published, and where.

What many rows say alike is stored once and numbered, a time as the seconds since another time of its row, an amount only where it is
not what others come to, a product of two others not at all. Rows in the order of their key then take a third of the room, and are read
no slower.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from pipelines.catalogue.contracts import Contract, Encoding

STORED = "stored"
_SECOND = 1_000_000


def write_encoded(connection: duckdb.DuckDBPyConnection, contract: Contract, source: str) -> None:
    """Store the rows of `source` in the file in use as the contract's `encoding` says, and make the view of the table's name."""
    encoding = contract.encoding
    assert encoding is not None
    table = f'{STORED}."{contract.name}"'
    stored, given, to_number, to_name = [], [], [], []
    for what, columns in encoding.dictionary.items():
        once, number = f'{STORED}."{contract.name}_{what}"', f"{what}_number"
        listed = _listed(columns)
        distinct = f"SELECT DISTINCT {listed} FROM {source}"
        connection.execute(f"CREATE TABLE {once} AS SELECT row_number() OVER (ORDER BY {listed}) AS {number}, * FROM ({distinct})")
        _say_what_it_is(connection, once, contract)
        alike = " AND ".join(f'f."{column}" IS NOT DISTINCT FROM {what}."{column}"' for column in columns)
        to_number.append(f"INNER JOIN {once} AS {what} ON {alike}")
        to_name.append(f"INNER JOIN {once} USING ({number})")
        stored.append(number)
    numbers = list(stored)
    said_once = {column for columns in encoding.dictionary.values() for column in columns}
    for column in contract.columns:
        if column.name in contract.products:
            first, second = contract.products[column.name]
            given.append(f'"{first}" * "{second}" AS "{column.name}"')
        elif column.name in said_once:
            given.append(f'"{column.name}"')
        else:
            kept, back = _kept(column.name, column.type, encoding)
            stored.append(kept)
            given.append(f'{back} AS "{column.name}"')
    rows = f"SELECT {', '.join(['f.*', *numbers])} FROM {source} AS f {' '.join(to_number)} ORDER BY {_listed(contract.grain, 'f.')}"
    connection.execute(f"CREATE TABLE {table} AS SELECT {', '.join(stored)} FROM ({rows})")
    _say_what_it_is(connection, table, contract)
    query = f"SELECT {', '.join(given)} FROM {table} {' '.join(to_name)}"
    for statement in contract.create_view_sql(f'{contract.layer}."{contract.name}"', query):
        connection.execute(statement)


def _kept(name: str, kind: str, encoding: Encoding) -> tuple[str, str]:
    """How a column of each row is stored, and what gives it back."""
    if kind == "timestamp":
        # Times are seldom of a part of a second, and a column of zeros takes no room.
        since = encoding.delta_from or name
        micros = f'(epoch_us("{name}")' + ("" if since == name else f' - epoch_us("{since}")') + ")"
        parts = [f'"{part}_s" * {_SECOND} + "{part}_us"' for part in dict.fromkeys([since, name])]
        return f'{micros} // {_SECOND} AS "{name}_s", {micros} % {_SECOND} AS "{name}_us"', f"make_timestamp({' + '.join(parts)})"
    if name in encoding.derived:
        # No figure of a mart is NaN: it stands for one that is unknown although the others are known.
        usual = f"({encoding.derived[name]})"
        unusual = f'CASE WHEN "{name}" IS DISTINCT FROM {usual} THEN coalesce("{name}", \'NaN\') END AS "{name}"'
        return unusual, f"nullif(coalesce(\"{name}\", {usual}), 'NaN')"
    return f'"{name}"', f'"{name}"'


def _listed(columns: Iterable[str], of: str = "") -> str:
    return ", ".join(f'{of}"{column}"' for column in columns)


def _say_what_it_is(connection: duckdb.DuckDBPyConnection, table: str, contract: Contract) -> None:
    connection.execute(f"COMMENT ON TABLE {table} IS 'How {contract.table} is stored: read that.'")
