"""The two build files, `work.duckdb` (raw, staging) and `build.duckdb` (marts): private to the holder of the refresh lock.

Belongs here: every statement that touches them. The only module that opens them; published files are opened by `publish` and
`reader`. Does not belong here: checks, publication. Both files can be deleted at any time: the next refresh makes them again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import sqlglot
from polars.io.plugins import register_io_source
from sqlglot import exp

from pipelines.catalogue.contracts import Contract, ContractError
from pipelines.platform.files import quoted

_MEMORY_LIMIT, _CHECK_MEMORY_LIMIT = "56MB", "256MB"
_SLICE_ROWS = 10_240
_BATCH_ROWS = 131_072
_FILE_OF = {"raw": "work", "staging": "work", "marts": "build"}


class Warehouse:
    """Both files attached to one connection. Open it with `open_warehouse`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def write(self, contract: Contract, frame: pl.DataFrame) -> int:
        """Replace a table with the frame, in the order of its key, in one transaction; return the number of rows.

        Columns go by name into a table of the contract's exact types. Raises ContractError where the frame differs from the contract
        or is unexpectedly empty; the table is then as it was.
        """
        contract.conform(frame.lazy())
        # A source that never answered is an empty raw table, said in its status; anything computed from nothing is a fault.
        if frame.is_empty() and contract.layer != "raw" and not contract.allow_empty:
            raise ContractError(f"{contract.table}: no rows, and the contract does not allow an empty table")
        name = _qualified(contract.layer, contract.name)
        columns = ", ".join(f'"{c}"' for c in contract.column_names)
        # Written in the order of the key, so that equal content makes an equal table at any number of threads; a slice at a time, so
        # that no second copy of a large table is made.
        order = frame.select(pl.arg_sort_by(contract.grain, nulls_last=True)).to_series()
        connection = self._connection
        connection.execute("BEGIN")
        try:
            self._drop(contract)
            for statement in contract.create_table_sql(name):
                connection.execute(statement)
            for rows in order.to_frame().iter_slices(_SLICE_ROWS):
                connection.register("incoming", frame[rows.to_series()].to_arrow())
                connection.execute(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM incoming")
                connection.unregister("incoming")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        return frame.height

    def attach_parquet(self, contract: Contract, file: Path) -> None:
        """Replace a table with what a Parquet file holds, which stays where it is. Raises ContractError where it is not as it should be."""
        name = _qualified(contract.layer, contract.name)
        columns = ", ".join(f'"{c}"' for c in contract.column_names)
        connection = self._connection
        connection.execute("BEGIN")
        try:
            self._drop(contract)
            connection.execute(f"CREATE VIEW {name} AS SELECT {columns} FROM read_parquet({quoted(file)})")
            contract.conform(connection.sql(f"SELECT * FROM {name} LIMIT 0").pl().lazy())
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def _drop(self, contract: Contract) -> None:
        # What is of the other kind is not dropped by either statement, but is an error of it.
        where = f"database_name = '{_FILE_OF[contract.layer]}' AND schema_name = '{contract.layer}'"
        for kind in ("table", "view"):
            found = self._connection.execute(f"SELECT 1 FROM duckdb_{kind}s() WHERE {where} AND {kind}_name = ?", [contract.name])
            if found.fetchall():
                self._connection.execute(f"DROP {kind} {_qualified(contract.layer, contract.name)}")

    def read(self, contract: Contract) -> pl.LazyFrame:
        """A table as a lazy frame that fetches the columns asked for. Raises ContractError where it was never built."""
        table = _qualified(contract.layer, contract.name)
        try:
            contract.conform(self._connection.sql(f"SELECT * FROM {table} LIMIT 0").pl().lazy())
        except duckdb.CatalogException as error:
            raise ContractError(f"{contract.table} has not been built yet; run a whole refresh first") from error

        def batches(columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _: int | None) -> Iterator[pl.DataFrame]:
            wanted = ", ".join(f'"{c}"' for c in columns or contract.column_names)
            limit = "" if n_rows is None else f" LIMIT {n_rows}"
            # A plan may read a table in several places at a time: each on a connection of its own.
            with self._connection.cursor() as cursor:
                for batch in cursor.sql(f"SELECT {wanted} FROM {table}{limit}").to_arrow_reader(_BATCH_ROWS):
                    frame = pl.DataFrame(batch)
                    yield frame if predicate is None else frame.filter(predicate)

        return register_io_source(batches, schema=contract.polars_schema(), is_pure=True)

    def select(self, sql: str, as_of: date) -> pl.LazyFrame:
        """Result of a SQL model; its tables are found in the build files, `getvariable('as_of')` is the day."""
        tree = sqlglot.parse_one(sql, dialect="duckdb")
        for table in tree.find_all(exp.Table):
            if table.db in _FILE_OF:
                table.set("catalog", exp.to_identifier(_FILE_OF[table.db]))
        self._connection.execute("SET VARIABLE as_of = ?::DATE", [as_of])
        frame: pl.DataFrame = self._connection.sql(tree.sql(dialect="duckdb")).pl()
        return frame.lazy()

    @contextmanager
    def raised_memory_limit(self) -> Iterator[None]:
        """More memory while queries over whole tables run: they put aside on disk what they cannot hold, but not with next to nothing."""
        self._connection.execute(f"SET memory_limit = '{_CHECK_MEMORY_LIMIT}'")
        try:
            yield
        finally:
            self._connection.execute(f"SET memory_limit = '{_MEMORY_LIMIT}'")

    def release_build(self) -> None:
        """Bring everything of the marts to its file and let go of it, so that publication can open it read-only."""
        self._connection.execute("CHECKPOINT build")
        self._connection.execute("DETACH build")


@contextmanager
def open_warehouse(folder: Path) -> Iterator[Warehouse]:
    """Open both build files, making them where they are missing or cannot be read any more."""
    folder.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    try:
        # A cache of the build files beside the frames that were just read from them would only double the memory.
        connection.execute(f"SET memory_limit = '{_MEMORY_LIMIT}'")
        connection.execute("SET temp_directory = ?", [str(folder / "duckdb_temp")])
        for file in ("work", "build"):
            _attach(connection, folder / f"{file}.duckdb", file)
        for schema, file in _FILE_OF.items():
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {file}.{schema}")
        yield Warehouse(connection)
    finally:
        connection.close()


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    statement = f"ATTACH {quoted(path)} AS {name} (ROW_GROUP_SIZE {_SLICE_ROWS})"
    try:
        connection.execute(statement)
    except duckdb.Error:
        # A build file holds nothing that the snapshots do not: one that a crash or another version left unreadable is made anew.
        for leftover in (path, path.with_name(path.name + ".wal")):
            leftover.unlink(missing_ok=True)
        connection.execute(statement)


def _qualified(layer: str, name: str) -> str:
    return f'{_FILE_OF[layer]}.{layer}."{name}"'
