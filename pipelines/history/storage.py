"""The file of the growing history: connection, transactions, state tables and their caches, encoding of provenance.

Belongs here: reading and writing rows of the tables of the layer `history`. Does not belong here: what the rows mean (`bitemporal`),
when they change (`engine`), what is read from them (`views`). The file can be deleted at any time: the snapshots hold all of it.

Rows of assertions and intervals are appended in system time and found again by series and time, so that DuckDB skips the row groups
that are older than the rows asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl

from pipelines.catalogue.contracts import Catalogue, Contract
from pipelines.history.intervals import PROVENANCE
from pipelines.platform.files import quoted

_MEMORY_LIMIT = "256MB"
# A day's rows end in a row group that is written again with them: small ones keep that small, however long the history is.
_ROW_GROUP_ROWS = 20_480


class HistoryFile:
    """The state tables of one history, created from their contracts. Open it with `open_history_file`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, *, is_durable: bool) -> None:
        self._connection, self._is_durable = connection, is_durable
        self.contracts: dict[str, Contract] = {contract.name: contract for contract in catalogue.layer("history")}
        # Small tables as they are after the last transaction, and those that the file does not hold in that state yet.
        self._small: dict[str, pl.DataFrame] = {}
        self._unwritten: set[str] = set()
        self._forget()

    def _forget(self) -> None:
        self._known_tables: set[str] | None = None
        self._provenance: pl.DataFrame | None = None
        self.assertions = RowTable(self, "price_assertion", reach="reach_at", is_last="is_last_of_source")
        self.intervals = RowTable(self, "price_interval", reach="next_from", is_last="next_from IS NULL")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside, or nothing of it: a kill or an error leaves the state before."""
        small, unwritten = self._small.copy(), self._unwritten.copy()
        self._connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._forget()
            self._small, self._unwritten = small, unwritten
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def exists(self, table: str) -> bool:
        """True where the table was ever written."""
        return table in self._small or table in self._written_tables()

    def _written_tables(self) -> set[str]:
        if self._known_tables is None:
            found = self._connection.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'history'").fetchall()
            self._known_tables = {name for (name,) in found}
        return self._known_tables

    def read(self, sql: str, parameters: Mapping[str, object] | None = None, **given: pl.DataFrame) -> pl.DataFrame:
        """Result of a query; `given` frames are tables of that name in it."""
        with self._registered(given):
            found: pl.DataFrame = self._connection.sql(sql, params=dict(parameters or {})).pl()
            return found

    def execute(self, sql: str, **given: pl.DataFrame) -> None:
        """Run a statement; `given` frames are tables of that name in it."""
        with self._registered(given):
            self._connection.execute(sql)

    def count(self, table: str) -> int:
        """Number of rows of a table, 0 where it was never written."""
        return int(self.read(f"SELECT count(*) FROM history.{table}").item()) if self.exists(table) else 0

    def next_row(self, table: str) -> int:
        """The first row number that is free."""
        return int(self.read(f"SELECT coalesce(max(row_number) + 1, 0) FROM history.{table}").item()) if self.exists(table) else 0

    def small_table(self, table: str) -> pl.DataFrame:
        """A table that is small enough to be held and written as a whole; empty before it was ever written."""
        if table not in self._small:
            contract = self.contracts[table]
            empty = pl.DataFrame(schema=contract.polars_schema())
            if table not in self._written_tables():
                return empty
            self._small[table] = self.read(f"SELECT * FROM history.{table}")
        return self._small[table]

    def replace(self, table: str, frame: pl.DataFrame) -> None:
        """Replace a small table. A file that is not durable writes it once, in `flush`."""
        frame = self._conformed(table, frame)
        if self.exists(table) and self.small_table(table).equals(frame):
            return
        self._small[table] = frame
        if self._is_durable:
            self._rewrite(table, frame)
        else:
            self._unwritten.add(table)

    def insert(self, table: str, frame: pl.DataFrame) -> None:
        """Append rows to a table."""
        conformed = self._conformed(table, frame)
        if table not in self._written_tables():
            self._create(table)
        if not conformed.is_empty():
            self.execute(f"INSERT INTO history.{table} BY NAME SELECT * FROM incoming", incoming=conformed)

    def flush(self) -> None:
        """Write the small tables that are held back, and bring everything to its place in the file."""
        for table in sorted(self._unwritten):
            self._rewrite(table, self._small[table])
        self._unwritten.clear()
        self._connection.execute("CHECKPOINT history")

    def encoded(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows with `provenance_number` in place of the columns of provenance."""
        known = self._known_provenance()
        new = rows.select(PROVENANCE).unique(maintain_order=True).join(known, on=PROVENANCE, how="anti", nulls_equal=True)
        if not new.is_empty():
            numbered = new.with_row_index("provenance_number", known.height).with_columns(pl.col("provenance_number").cast(pl.Int64))
            self.insert("provenance", numbered)
            self._provenance = known = pl.concat([known, copied(numbered.select(known.columns))])
        return rows.join(known, on=PROVENANCE, how="left", nulls_equal=True, maintain_order="left").drop(PROVENANCE)

    def decoded(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows with the columns of provenance in place of `provenance_number`; rows without it as they are."""
        if "provenance_number" not in rows.columns:
            return rows
        return rows.join(self._known_provenance(), on="provenance_number", how="left", maintain_order="left").drop("provenance_number")

    def _known_provenance(self) -> pl.DataFrame:
        if self._provenance is None:
            schema = self.contracts["provenance"].polars_schema()
            is_written = self.exists("provenance")
            self._provenance = self.read("SELECT * FROM history.provenance") if is_written else pl.DataFrame(schema=schema)
        return self._provenance

    def _conformed(self, table: str, frame: pl.DataFrame) -> pl.DataFrame:
        contract = self.contracts[table]
        chosen = frame.select(name for name in contract.column_names if name in frame.columns)
        contract.conform(chosen.lazy())
        return chosen

    def _rewrite(self, table: str, frame: pl.DataFrame) -> None:
        if table in self._written_tables():
            self.execute(f"DELETE FROM history.{table}")
        else:
            self._create(table)
        self.execute(f"INSERT INTO history.{table} BY NAME SELECT * FROM incoming", incoming=frame)

    def _create(self, table: str) -> None:
        for statement in self.contracts[table].create_table_sql(f"history.{table}"):
            self._connection.execute(statement)
        self._written_tables().add(table)

    @contextmanager
    def _registered(self, frames: Mapping[str, pl.DataFrame]) -> Iterator[None]:
        for name, frame in frames.items():
            self._connection.register(name, frame.to_arrow())
        try:
            yield
        finally:
            for name in frames:
                self._connection.unregister(name)


class RowTable:
    """A state table whose rows are taken out and written again one by one, each under a row number.

    `reach`: the column until when a row matters to a later one; `is_last`: the SQL condition of the last rows of each series, which
    every batch asks for and which are therefore held.
    """

    def __init__(self, file: HistoryFile, name: str, *, reach: str, is_last: str) -> None:
        self._file, self.name, self._reach, self._is_last = file, name, reach, is_last
        self._next_row: int | None = None
        self._last: pl.DataFrame | None = None

    def add(self, rows: pl.DataFrame) -> None:
        """Append rows, numbered and encoded."""
        if self._next_row is None:
            self._next_row = self._file.next_row(self.name)
        held = self.all_last()
        frame = self._file.encoded(rows.with_row_index("row_number", self._next_row).with_columns(pl.col("row_number").cast(pl.Int64)))
        self._next_row += rows.height
        self._last = copied(pl.concat([held, frame.filter(pl.sql_expr(self._is_last)).select(held.columns)]))
        self._file.insert(self.name, frame)

    def delete(self, rows: pl.DataFrame) -> None:
        """Take rows out by their numbers. DuckDB 2.0.0 loses its way in `rowid IN (...)` on rows of the same transaction."""
        if rows.is_empty():
            return
        least = rows.select(pl.col("row_number").min()).item()
        self._file.execute(
            f"DELETE FROM history.{self.name} WHERE row_number >= {least} AND row_number IN (SELECT row_number FROM incoming)",
            incoming=rows.select("row_number"),
        )
        self._last = self.all_last().join(rows, on="row_number", how="anti")

    def all_last(self) -> pl.DataFrame:
        """The last rows of all series, encoded."""
        if self._last is None:
            contract = self._file.contracts[self.name]
            sql = f"SELECT * FROM history.{self.name} WHERE {self._is_last} ORDER BY row_number"
            self._last = self._file.read(sql) if self._file.exists(self.name) else pl.DataFrame(schema=contract.polars_schema())
        return self._last

    def last(self, series: pl.DataFrame) -> pl.DataFrame:
        """The last rows of some series."""
        return self._file.decoded(self.all_last().join(series, on="series_id", how="semi"))

    def reaching(self, since: pl.DataFrame, columns: str = "t.*") -> pl.DataFrame:
        """Rows before the last ones that reach `from_at` of their series or beyond."""
        least: datetime = since.select(pl.col("from_at").min()).item() or datetime.max
        reach = f"t.{self._reach}"
        rows = self._file.read(
            f"SELECT {columns} FROM history.{self.name} AS t INNER JOIN incoming AS i USING (series_id)"
            f" WHERE NOT ({self._is_last}) AND {reach} >= TIMESTAMP '{least}' AND {reach} >= i.from_at",
            incoming=since.select("series_id", "from_at"),
        )
        return self._file.decoded(rows)


def copied(few: pl.DataFrame) -> pl.DataFrame:
    """A copy of a few rows, which would else keep all texts of the large frame that they were chosen from."""
    found = pl.from_arrow(few.to_arrow(compat_level=pl.CompatLevel.oldest()))
    assert isinstance(found, pl.DataFrame)
    return found


@contextmanager
def open_history_file(path: Path, catalogue: Catalogue, *, is_durable: bool = True) -> Iterator[HistoryFile]:
    """Open the file, creating it where it is missing. One that is not durable costs less per batch and does not survive a kill."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    try:
        connection.execute(f"SET memory_limit = '{_MEMORY_LIMIT}'")
        # A replay is hundreds of small commits: bringing each few of them to their places would take an eighth of its time.
        connection.execute("SET wal_autocheckpoint = '256MB'")
        connection.execute("SET temp_directory = ?", [str(path.with_suffix(".temp"))])
        options = f"ROW_GROUP_SIZE {_ROW_GROUP_ROWS}" if is_durable else "RECOVERY_MODE no_wal_writes"
        connection.execute(f"ATTACH {quoted(path)} AS history ({options})")
        file = HistoryFile(connection, catalogue, is_durable=is_durable)
        yield file
        file.flush()
    finally:
        connection.close()
