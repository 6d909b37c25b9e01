"""The build files: `work.duckdb` (raw, staging), and a Parquet file of each mart with `build.duckdb` (views on them).

Belongs here: every statement that touches them, private to the holder of the refresh lock. Published files are opened by `publication`.
Does not belong here: checks, publication. All can be deleted at any time: the next refresh makes them again. A mart is written once, as
the file that is published.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import sqlglot
from polars.io.plugins import register_io_source
from sqlglot import exp

from pipelines.catalogue.contracts import Contract, ContractError
from pipelines.platform.files import quoted
from pipelines.platform.parquet import ROW_GROUP_ROWS, schema_of, write_parquet
from pipelines.platform.paths import DataFolder

_MEMORY_LIMIT, _QUERY_MEMORY_LIMIT = "56MB", "256MB"
_SLICE_ROWS = 10_240
_BATCH_ROWS = 131_072
_FILE_OF = {"raw": "work", "staging": "work", "marts": "build"}


class Warehouse:
    """Both files attached to one connection. Open it with `open_warehouse`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self._connection = connection
        self._folder = folder
        self._files: dict[str, list[Path]] = {}

    def mart_file(self, contract: Contract) -> Path:
        """Where the rows of a mart are written."""
        return DataFolder(self._folder).marts_being_built / f"{contract.name}.parquet"

    def write(self, contract: Contract, frame: pl.DataFrame) -> int:
        """Replace a table with the frame, in the order of its key, whole or not at all; return the number of rows.

        Columns go by name into the contract's exact types. Raises ContractError where the frame differs from the contract or is
        unexpectedly empty; the table is then as it was.
        """
        contract.conform(frame.lazy())
        # A source that never answered is an empty raw table, said in its status; anything computed from nothing is a fault.
        if frame.is_empty() and contract.layer != "raw" and not contract.allow_empty:
            raise ContractError(f"{contract.table}: no rows, and the contract does not allow an empty table")
        # In the order of the key, so that equal content makes an equal table at any number of threads; a slice at a time, so that no
        # second copy of a large table is made.
        order = frame.select(pl.arg_sort_by(contract.grain, nulls_last=True)).to_series().to_frame()
        if contract.layer == "marts":
            self._write_file(contract, (frame[rows.to_series()].to_arrow() for rows in order.iter_slices(ROW_GROUP_ROWS)))
        else:
            self._write_table(contract, (frame[rows.to_series()].to_arrow() for rows in order.iter_slices(_SLICE_ROWS)))
        return frame.height

    def _write_file(self, contract: Contract, slices: Iterable[pa.Table]) -> None:
        file = self.mart_file(contract)
        file.parent.mkdir(exist_ok=True)
        # Never into the file that is there: it is that of a published version, too.
        making = file.with_suffix(".new")
        columns = schema_of(contract.polars_schema())
        write_parquet(making, columns, (rows.select(columns.names) for rows in slices))
        making.replace(file)
        self.attach_parquet(contract, [file])

    def _write_table(self, contract: Contract, slices: Iterable[pa.Table]) -> None:
        name = _qualified(contract.layer, contract.name)
        columns = ", ".join(f'"{c}"' for c in contract.column_names)
        connection = self._connection
        connection.execute("BEGIN")
        try:
            self._drop(contract)
            for statement in contract.create_table_sql(name):
                connection.execute(statement)
            for rows in slices:
                connection.register("incoming", rows)
                connection.execute(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM incoming")
                connection.unregister("incoming")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def attach_parquet(self, contract: Contract, files: Sequence[Path]) -> None:
        """Replace a table with what Parquet files hold, which stay where they are. Raises ContractError where columns differ."""
        name = _qualified(contract.layer, contract.name)
        columns = ", ".join(f'"{c}"' for c in contract.column_names)
        connection = self._connection
        connection.execute("BEGIN")
        try:
            self._drop(contract)
            connection.execute(f"CREATE VIEW {name} AS SELECT {columns} FROM read_parquet([{', '.join(map(quoted, files))}])")
            contract.conform(connection.sql(f"SELECT * FROM {name} LIMIT 0").pl().lazy())
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        self._files[contract.name] = list(files)

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

        if contract.name in self._files:
            return pl.scan_parquet(self._files[contract.name], glob=False)

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
        with self._raised_memory_limit():
            frame: pl.DataFrame = self._connection.sql(tree.sql(dialect="duckdb")).pl()
        return frame.lazy()

    @contextmanager
    def _raised_memory_limit(self) -> Iterator[None]:
        # A query over whole tables puts aside on disk what it cannot hold, but not with next to nothing.
        self._connection.execute(f"SET memory_limit = '{_QUERY_MEMORY_LIMIT}'")
        try:
            yield
        finally:
            self._connection.execute(f"SET memory_limit = '{_MEMORY_LIMIT}'")


@contextmanager
def open_warehouse(folder: Path) -> Iterator[Warehouse]:
    """Open both build files, making them where they are missing or cannot be read any more."""
    folder.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    try:
        # A cache of the build files beside the frames that were just read from them would only double the memory.
        connection.execute(f"SET memory_limit = '{_MEMORY_LIMIT}'")
        connection.execute("SET temp_directory = ?", [str(DataFolder(folder).spilled)])
        for file in ("work", "build"):
            _attach(connection, DataFolder(folder).build_file(file), file)
        for schema, file in _FILE_OF.items():
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {file}.{schema}")
        yield Warehouse(connection, folder)
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
