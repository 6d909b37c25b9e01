"""Writing a version: the DuckDB file, its tables as Parquet, the views; or the last good figures again where a refresh was blocked.

Belongs here: what a version's folder holds. Does not belong here: its manifest, where versions lie, how the marts stand in the file
(`marts`, `encoding`) and from which file it is made (`base`), computing any table.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa

from pipelines.catalogue.contracts import Catalogue, Contract
from pipelines.catalogue.published_sql import BI, Macro, View
from pipelines.platform.files import clone, quoted, share
from pipelines.platform.parquet import ROW_GROUP_ROWS, write_parquet
from pipelines.publication.base import lay
from pipelines.publication.describe import write_descriptions
from pipelines.publication.manifest import MANIFEST_FILE, PublicationError
from pipelines.publication.marts import hold
from pipelines.publication.parts import Part, file_of
from pipelines.publication.transactions import at_once
from pipelines.publication.versions import DUCKDB_FILE
from pipelines.publication.views import create_views, remove_views, write_views

# Read by clients of the 1.4, 1.5 and 2.0 lines; the default of 2.0 is refused by all older ones.
STORAGE_VERSION = "v1.2.0"
_MEMORY_LIMIT = "256MB"


@dataclass(frozen=True)
class Before:
    """What a version may be made from: the `current` one, a `spare` one that is shown no more, and the software that makes this one."""

    current: Path | None
    spare: Path | None
    software: str


def write_version(
    folder: Path,
    parts: Mapping[str, Sequence[Part]],
    catalogue: Catalogue,
    ops: Mapping[str, pl.DataFrame],
    views: Mapping[str, View],
    macros: Iterable[Macro],
    before: Before,
) -> None:
    """Fill a version's folder: DuckDB file with marts, ops, macros and views, and Parquet of each table and view.

    `parts` are the marts by name, as Parquet: they become the version's, and are not to be changed any more. Of the DuckDB file only what
    differs from the version before is written, where that can be built on.
    """
    target = folder / DUCKDB_FILE
    lay(target, before.current, before.spare, parts, before.software)
    contracts = catalogue.layer("marts")
    with _opened(target) as connection:
        with at_once(connection):
            remove_views(connection)
            connection.execute("DROP SCHEMA IF EXISTS ops CASCADE")
        hold(connection, contracts, parts, before.software)
        for contract in contracts:
            for part in parts[contract.name]:
                share(part.file, folder / file_of(contract, part.name))
        with at_once(connection):
            _write_ops(connection, catalogue, ops, folder)
        create_views(connection, views, macros)
        write_views(connection, views.values(), folder)
        write_descriptions(folder, catalogue, views)


def write_blocked_version(
    folder: Path, previous: Path, catalogue: Catalogue, ops: Mapping[str, pl.DataFrame], views: Mapping[str, View]
) -> None:
    """Fill a version's folder for a refresh that was blocked: the previous marts, views and pages unchanged, the ops of now."""
    target = folder / DUCKDB_FILE
    if not clone(previous / DUCKDB_FILE, target):
        shutil.copyfile(previous / DUCKDB_FILE, target)
    with _opened(target) as connection:
        with at_once(connection):
            for (name,) in connection.execute(
                "SELECT table_name FROM duckdb_tables() WHERE database_name = 'breakeven' AND schema_name = 'ops'"
            ).fetchall():
                connection.execute(f'DROP TABLE ops."{name}"')
            _write_ops(connection, catalogue, ops, folder)
        # The views are those of the previous version; what speaks of refreshes speaks of this one.
        known = connection.execute(f"SELECT view_name FROM duckdb_views() WHERE schema_name = '{BI}'").fetchall()
        of_ops = [v for v in views.values() if (v.name,) in known and any(table.startswith("ops.") for table in v.reads)]
        write_views(connection, of_ops, folder)
    _carry_over(previous, folder)


@contextmanager
def _opened(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A version's file in use, made where there is none; nothing is beside it afterwards."""
    connection = duckdb.connect()
    try:
        connection.execute(f"SET memory_limit = '{_MEMORY_LIMIT}'")
        connection.execute("SET temp_directory = ?", [str(file.parent.parent / ".duckdb_temp")])
        connection.execute(f"ATTACH {quoted(file)} AS breakeven (STORAGE_VERSION '{STORAGE_VERSION}')")
        connection.execute("USE breakeven")
        yield connection
        connection.execute("CHECKPOINT breakeven")
    finally:
        connection.close()
    wal = file.with_name(file.name + ".wal")
    if wal.exists():
        raise PublicationError(f"{wal.name} is still beside {file.name}: a reader of another version would replay it")


def _carry_over(previous: Path, folder: Path) -> None:
    # Marts, pages and whatever belongs to them, however deep; ops, database and manifest are the new version's own.
    own = {DUCKDB_FILE, MANIFEST_FILE, "ops"}
    for file in sorted(previous.rglob("*")):
        place = file.relative_to(previous)
        if file.is_file() and place.parts[0] not in own and not (folder / place).exists():
            share(file, folder / place)


def _write_ops(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, ops: Mapping[str, pl.DataFrame], folder: Path) -> None:
    connection.execute("CREATE SCHEMA IF NOT EXISTS ops")
    for contract in catalogue.layer("ops"):
        contract.conform(ops[contract.name].lazy())
        connection.register("incoming", ops[contract.name].to_arrow())
        _write_table(connection, contract, "incoming", folder)
        connection.unregister("incoming")


def _write_table(connection: duckdb.DuckDBPyConnection, contract: Contract, source: str, folder: Path) -> None:
    columns, table = ", ".join(f'"{column}"' for column in contract.column_names), f'{contract.layer}."{contract.name}"'
    for statement in contract.create_table_sql(table):
        connection.execute(statement)
    connection.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {source}")
    path = folder / contract.layer / f"{contract.name}.parquet"
    path.parent.mkdir(exist_ok=True)
    rows = connection.sql(f"SELECT {columns} FROM {source}").to_arrow_reader(ROW_GROUP_ROWS)
    write_parquet(path, rows.schema, (pa.Table.from_batches([batch]) for batch in rows))
