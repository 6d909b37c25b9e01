"""A long table kept small in the published file, with a view in its place that gives every column back exactly.

Belongs here: how the columns and the parts of such a table are stored, and the view. Does not belong here: which tables are published, and
which parts of them are new (`marts`).

What many rows say alike is stored once and numbered, a time as the seconds since another time of its row, an amount only where it is
not what others come to, a product of two others not at all. Rows in the order of their key then take a third of the room, and are read
no slower. Of a mart in parts each row says its part, which takes no room and which the view does not show.

Rows that differ by their day alone are a run, stored once with its first and last day; other days are stored as days before that of the
row. A run ends with its month: the view joins runs with days by their months first, which takes no longer than reading rows.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from pipelines.catalogue.columns import DUCKDB_TYPES
from pipelines.catalogue.contracts import Contract, Encoding

STORED = "stored"
_SECOND = 1_000_000
_AS_IT_IS = Encoding({}, None, {})
_MONTH_ON = "month_on"


class EncodedTable:
    """The tables of schema `stored` that hold a mart in the file in use, and their view."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, contract: Contract, *, is_in_parts: bool) -> None:
        self._connection, self._contract, self._is_in_parts = connection, contract, is_in_parts
        self._encoding = contract.encoding or _AS_IT_IS
        self._table = f'{STORED}."{contract.name}"'
        said_once = {column for columns in self._encoding.dictionary.values() for column in columns}
        # What is stored of each row, and what gives each column back.
        self._stored = {
            name: name for name in [*(["part"] if is_in_parts else []), *(f"{what}_number" for what in self._encoding.dictionary)]
        }
        self._given: list[str] = []
        for column in contract.columns:
            if column.name == self._encoding.runs_of:
                self._given.append(f'"{column.name}"')
            elif column.name in contract.products:
                first, second = contract.products[column.name]
                self._given.append(f'"{first}" * "{second}" AS "{column.name}"')
            elif column.name in said_once:
                self._given.append(f'"{column.name}"')
            else:
                kept, back = _kept(column.name, column.type, self._encoding)
                self._stored |= kept
                self._given.append(f'{back} AS "{column.name}"')

    def create(self) -> None:
        """Make the tables, empty, and the view of the mart's name."""
        contract, joins = self._contract, []
        columns = ", ".join(f'NULL::{DUCKDB_TYPES[column.type]} AS "{column.name}"' for column in contract.columns)
        nothing = f"(SELECT ''::VARCHAR AS part, {columns} WHERE false)"
        for what, alike in self._encoding.dictionary.items():
            once = self._once(what)
            self._connection.execute(f"CREATE TABLE {once} AS SELECT 0::BIGINT AS {what}_number, {_listed(alike)} FROM {nothing}")
            self._say_what_it_is(once)
            joins.append(f"INNER JOIN {once} USING ({what}_number)")
        self._connection.execute(f"CREATE TABLE {self._table} AS {self._encoded(nothing)}")
        self._say_what_it_is(self._table)
        if self._encoding.runs_of is not None:
            self._connection.execute(f"CREATE TABLE {self._days} AS {self._all_days(nothing)}")
            self._say_what_it_is(self._days)
            is_in_run = f'"{self._encoding.runs_of}" BETWEEN first_on AND last_on'
            joins.insert(0, f"INNER JOIN {self._days} AS d ON d.{_MONTH_ON} = t.{_MONTH_ON} AND {is_in_run}")
        query = f"SELECT {', '.join(self._given)} FROM {self._table} AS t {' '.join(joins)}"
        for statement in contract.create_view_sql(f'{contract.layer}."{contract.name}"', query):
            self._connection.execute(statement)

    def insert(self, source: str) -> None:
        """Add rows, given by what reads them in SQL: of a mart in parts with the `part` of each."""
        rows = f"(SELECT {_listed([*(['part'] if self._is_in_parts else []), *self._contract.column_names])} FROM {source})"
        for what, alike in self._encoding.dictionary.items():
            once, listed = self._once(what), _listed(alike)
            # NULL is no other than NULL here, as in the join below.
            unknown = f"SELECT {listed} FROM {rows} EXCEPT SELECT {listed} FROM {once}"
            number = f"(SELECT coalesce(max({what}_number), 0) FROM {once}) + row_number() OVER (ORDER BY {listed})"
            self._connection.execute(f"INSERT INTO {once} SELECT {number}, * FROM ({unknown})")
        self._connection.execute(f"INSERT INTO {self._table} {self._encoded(rows)}")
        if self._encoding.runs_of is not None:
            self._connection.execute(f"INSERT INTO {self._days} {self._all_days(rows)} EXCEPT FROM {self._days} ORDER BY ALL")

    def delete(self, parts: Iterable[str]) -> None:
        """Remove the rows of parts; what they alone said stays in the dictionaries."""
        self._connection.execute(f"DELETE FROM {self._table} WHERE part IN (SELECT unnest(?::VARCHAR[]))", [list(parts)])

    def _encoded(self, rows: str) -> str:
        numbers, joins = [], []
        for what, columns in self._encoding.dictionary.items():
            alike = " AND ".join(f'f."{column}" IS NOT DISTINCT FROM {what}."{column}"' for column in columns)
            numbers.append(f"{what}_number")
            joins.append(f"INNER JOIN {self._once(what)} AS {what} ON {alike}")
        found = f"SELECT {', '.join(['f.*', *numbers])} FROM {rows} AS f {' '.join(joins)}"
        stored = ", ".join(f'{what} AS "{name}"' for name, what in self._stored.items())
        day = self._encoding.runs_of
        if day is None:
            order = [*(["part"] if self._is_in_parts else []), *self._contract.grain]
            return f"SELECT {stored} FROM ({found} ORDER BY {_listed(order, 'f.')})"
        return self._runs(f'SELECT {stored}, {_MONTH_ON}, "{day}" FROM (SELECT *, {_month_of(day)} FROM ({found}))', day)

    def _runs(self, rows: str, day: str) -> str:
        """Rows that are equal on days that follow each other as one row with the first and the last of them."""
        same = _listed([*self._stored, _MONTH_ON])
        numbered = f'SELECT *, "{day}" - row_number() OVER (PARTITION BY {same} ORDER BY "{day}")::INTEGER AS run FROM ({rows})'
        runs = f'SELECT {same}, min("{day}") AS first_on, max("{day}") AS last_on FROM ({numbered}) GROUP BY {same}, run'
        # A run's place among those of its part: what changes least comes first.
        key = [name for name in self._stored if name == "part" or name.endswith("_number") or name in self._contract.grain]
        return f"{runs} ORDER BY {_listed([*key, 'first_on'])}"

    def _all_days(self, rows: str) -> str:
        day = self._encoding.runs_of
        assert day is not None
        return f'SELECT DISTINCT {_month_of(day)}, "{day}" FROM {rows}'

    @property
    def _days(self) -> str:
        return self._once("day")

    def _once(self, what: str) -> str:
        return f'{STORED}."{self._contract.name}_{what}"'

    def _say_what_it_is(self, table: str) -> None:
        self._connection.execute(f"COMMENT ON TABLE {table} IS 'How {self._contract.table} is stored: read that.'")


def stored_names(contract: Contract) -> list[str]:
    """The tables of schema `stored` that a mart may have."""
    return [contract.name, *(f"{contract.name}_{what}" for what in [*(contract.encoding or _AS_IT_IS).dictionary, "day"])]


def _kept(name: str, kind: str, encoding: Encoding) -> tuple[dict[str, str], str]:
    """How a column of each row is stored, by the name of what is stored, and what gives the column back."""
    if kind == "timestamp":
        # Times are seldom of a part of a second, and a column of zeros takes no room.
        since = encoding.delta_from or name
        micros = f'(epoch_us("{name}")' + ("" if since == name else f' - epoch_us("{since}")') + ")"
        parts = [f'"{part}_s" * {_SECOND} + "{part}_us"' for part in dict.fromkeys([since, name])]
        kept = {f"{name}_s": f"{micros} // {_SECOND}", f"{name}_us": f"{micros} % {_SECOND}"}
        return kept, f"make_timestamp({' + '.join(parts)})"
    if name in encoding.derived:
        # No figure of a mart is NaN: it stands for one that is unknown although the others are known.
        usual = f"({encoding.derived[name]})"
        unusual = f'CASE WHEN "{name}" IS DISTINCT FROM {usual} THEN coalesce("{name}", \'NaN\') END'
        return {name: unusual}, f"nullif(coalesce(\"{name}\", {usual}), 'NaN')"
    if kind == "date" and encoding.runs_of is not None:
        before = f"{name}_days_before"
        return {before: f'("{encoding.runs_of}" - "{name}")::INTEGER'}, f'"{encoding.runs_of}" - "{before}"'
    return {name: f'"{name}"'}, f'"{name}"'


def _month_of(day: str) -> str:
    return f"date_trunc('month', \"{day}\")::DATE AS {_MONTH_ON}"


def _listed(columns: Iterable[str], of: str = "") -> str:
    return ", ".join(f'{of}"{column}"' for column in columns)
