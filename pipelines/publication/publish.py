"""Publication: build a version aside, verify it, then swap one link.

Belongs here: everything below `data/published`. Does not belong here: computing tables, deciding whether a refresh is good.

A version is a folder `versions/<id>/` with the DuckDB file, the same tables as Parquet, the dashboard and `manifest.json`. It is
made under a hidden name, renamed when whole, and becomes current by one rename of the link `current`. Readers hold the old files
open undisturbed; a kill at any instant leaves the old version current.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

from pipelines.catalogue.contracts import Catalogue, Contract
from pipelines.platform.files import quoted, share, sync
from pipelines.platform.parquet import ROW_GROUP_ROWS, write_parquet
from pipelines.publication.encoding import STORED, write_compact

DUCKDB_FILE = "breakeven.duckdb"
# Read by clients of the 1.4, 1.5 and 2.0 lines; the default of 2.0 is refused by all older ones.
STORAGE_VERSION = "v1.2.0"
_MEMORY_LIMIT = "256MB"


class PublicationError(Exception):
    """A version is not what it should be; it was not made current. The message names file and table."""


@dataclass(frozen=True)
class VersionFacts:
    """What a manifest says about the refresh behind a version."""

    version: str
    run_id: str
    as_of: date
    created_at: datetime
    fingerprint: str
    software_version: str
    blocked_reason: str | None = None


class PublishedFolder:
    """`data/published`: versions, and the link to the current one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.versions = folder / "versions"

    @property
    def current(self) -> Path | None:
        """Folder of the current version, or None before the first publication."""
        link = self.folder / "current"
        return link.resolve() if link.exists() else None

    def manifest(self) -> dict[str, Any] | None:
        """Manifest of the current version."""
        current = self.current
        if current is None:
            return None
        manifest: dict[str, Any] = json.loads((current / "manifest.json").read_text(encoding="utf-8"))
        return manifest

    def start(self, version: str) -> Path:
        """An empty folder in which a version is made; leftovers of crashed ones are removed. Call under the refresh lock."""
        self.versions.mkdir(parents=True, exist_ok=True)
        for leftover in self.versions.glob(".*"):
            shutil.rmtree(leftover)
        folder = self.versions / f".{version}"
        folder.mkdir()
        return folder

    def make_current(self, made: Path, keep: int) -> Path:
        """Rename a made version to its name, swap the link to it, remove versions beyond the last `keep`."""
        final = self.versions / made.name.removeprefix(".")
        _sync_tree(made)
        made.rename(final)
        sync(self.versions)
        self._link("current", Path("versions") / final.name)
        self._link(DUCKDB_FILE, Path("current") / DUCKDB_FILE)
        sync(self.folder)
        for old in sorted(p for p in self.versions.iterdir() if not p.name.startswith("."))[:-keep]:
            if old != self.current:
                shutil.rmtree(old)
        return final

    def _link(self, name: str, target: Path) -> None:
        link = self.folder / name
        if link.is_symlink() and link.readlink() == target:
            return
        temporary = self.folder / f".{name}.new"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(target)
        temporary.replace(link)


def write_version(
    folder: Path,
    build_file: Path,
    in_parquet: Mapping[str, Path],
    catalogue: Catalogue,
    ops: Mapping[str, pl.DataFrame],
    views: Mapping[str, str],
    macros: str,
) -> None:
    """Fill a version's folder: DuckDB file with marts, ops, macros and views, and Parquet of each table.

    Marts come from the build file, but those `in_parquet`: their files become the version's, and are not to be changed any more.
    """
    target = folder / DUCKDB_FILE
    connection = duckdb.connect()
    try:
        connection.execute(f"SET memory_limit = '{_MEMORY_LIMIT}'")
        connection.execute("SET temp_directory = ?", [str(folder.parent / ".duckdb_temp")])
        connection.execute(f"ATTACH {quoted(build_file)} AS build (READ_ONLY)")
        connection.execute(f"ATTACH {quoted(target)} AS breakeven (STORAGE_VERSION '{STORAGE_VERSION}')")
        connection.execute("USE breakeven")
        connection.execute("CREATE SCHEMA marts")
        connection.execute(f"CREATE SCHEMA {STORED}")
        for contract in catalogue.layer("marts"):
            if (file := in_parquet.get(contract.name)) is not None:
                _write_rows(connection, contract, f"read_parquet({quoted(file)})")
                share(file, folder / "marts")
            else:
                _write_table(connection, contract, f'build.marts."{contract.name}"', folder)
        _write_ops(connection, catalogue, ops, folder)
        connection.execute("CREATE SCHEMA bi")
        connection.execute(macros)
        for name, sql in views.items():
            _create_view(connection, name, sql)
        connection.execute("CHECKPOINT breakeven")
    finally:
        connection.close()
    _assert_no_wal(target)


def write_blocked_version(folder: Path, previous: Path, catalogue: Catalogue, ops: Mapping[str, pl.DataFrame]) -> None:
    """Fill a version's folder for a refresh that was blocked: the previous marts, views and pages unchanged, the ops of now."""
    target = folder / DUCKDB_FILE
    connection = duckdb.connect()
    try:
        connection.execute(f"ATTACH {quoted(previous / DUCKDB_FILE)} AS previous (READ_ONLY)")
        connection.execute(f"ATTACH {quoted(target)} AS breakeven (STORAGE_VERSION '{STORAGE_VERSION}')")
        connection.execute("COPY FROM DATABASE previous TO breakeven")
        connection.execute("USE breakeven")
        for (name,) in connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'breakeven' AND schema_name = 'ops'"
        ).fetchall():
            connection.execute(f'DROP TABLE ops."{name}"')
        _write_ops(connection, catalogue, ops, folder)
        connection.execute("CHECKPOINT breakeven")
    finally:
        connection.close()
    _assert_no_wal(target)
    for file in (previous / "marts").iterdir():
        share(file, folder / "marts")
    for page in previous.glob("*.html"):
        share(page, folder)


def write_manifest(folder: Path, facts: VersionFacts, sources: list[dict[str, Any]]) -> dict[str, Any]:
    """Verify a version by opening it again, then write what it holds. Raises PublicationError where tables and Parquet differ."""
    tables = _verify(folder)
    manifest = {
        "version": facts.version,
        "run_id": facts.run_id,
        "as_of": facts.as_of.isoformat(),
        "created_at": facts.created_at.isoformat(timespec="seconds") + "Z",
        "blocked": facts.blocked_reason is not None,
        "blocked_reason": facts.blocked_reason,
        "fingerprint": facts.fingerprint,
        "software_version": facts.software_version,
        "duckdb_storage_version": STORAGE_VERSION,
        "sources": sources,
        "tables": tables,
        "files": {
            str(path.relative_to(folder)): {"bytes": path.stat().st_size, "sha256": _sha256(path)}
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        },
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, default=str) + "\n", encoding="utf-8")
    return manifest


def _verify(folder: Path) -> dict[str, Any]:
    connection = duckdb.connect(str(folder / DUCKDB_FILE), read_only=True)
    try:
        tables = {}
        for schema, name in connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema IN ('marts', 'ops') ORDER BY ALL"
        ).fetchall():
            count = _one(connection, f'SELECT count(*) FROM {schema}."{name}"')
            parquet = folder / schema / f"{name}.parquet"
            in_parquet = _one(connection, f"SELECT count(*) FROM {quoted(parquet)}")
            if in_parquet != count:
                raise PublicationError(f"{schema}.{name}: {in_parquet} rows in Parquet, {count} in {DUCKDB_FILE}")
            tables[f"{schema}.{name}"] = {"rows": count}
        for (name,) in connection.execute("SELECT view_name FROM duckdb_views() WHERE schema_name = 'bi' ORDER BY ALL").fetchall():
            tables[f"bi.{name}"] = {"rows": _one(connection, f'SELECT count(*) FROM bi."{name}"')}
        return tables
    except duckdb.Error as error:
        raise PublicationError(f"{DUCKDB_FILE} of the new version does not answer: {error}") from error
    finally:
        connection.close()


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    [(value,)] = connection.execute(sql).fetchall()
    return value


def _write_ops(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, ops: Mapping[str, pl.DataFrame], folder: Path) -> None:
    connection.execute("CREATE SCHEMA IF NOT EXISTS ops")
    for contract in catalogue.layer("ops"):
        contract.conform(ops[contract.name].lazy())
        connection.register("incoming", ops[contract.name].to_arrow())
        _write_table(connection, contract, "incoming", folder)
        connection.unregister("incoming")


def _write_table(connection: duckdb.DuckDBPyConnection, contract: Contract, source: str, folder: Path) -> None:
    _write_rows(connection, contract, source)
    path = folder / contract.layer / f"{contract.name}.parquet"
    path.parent.mkdir(exist_ok=True)
    rows = connection.sql(f"SELECT {_columns(contract)} FROM {source}").to_arrow_reader(ROW_GROUP_ROWS)
    write_parquet(path, rows.schema, (pa.Table.from_batches([batch]) for batch in rows))


def _write_rows(connection: duckdb.DuckDBPyConnection, contract: Contract, source: str) -> None:
    columns = _columns(contract)
    if contract.compact is not None:
        write_compact(connection, contract, source)
    else:
        for statement in contract.create_table_sql(f'{contract.layer}."{contract.name}"'):
            connection.execute(statement)
        connection.execute(f'INSERT INTO {contract.layer}."{contract.name}" ({columns}) SELECT {columns} FROM {source}')


def _columns(contract: Contract) -> str:
    return ", ".join(f'"{column}"' for column in contract.column_names)


def _create_view(connection: duckdb.DuckDBPyConnection, name: str, sql: str) -> None:
    lines = sql.strip().splitlines()
    comment = " ".join(line.removeprefix("--").strip() for line in lines if line.startswith("--"))
    connection.execute(f'CREATE VIEW bi."{name}" AS {sql}')
    connection.execute(f"COMMENT ON VIEW bi.\"{name}\" IS '{comment.replace(chr(39), chr(39) * 2)}'")


def _assert_no_wal(file: Path) -> None:
    wal = file.with_name(file.name + ".wal")
    if wal.exists():
        raise PublicationError(f"{wal.name} is still beside {file.name}: a reader of another version would replay it")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)
