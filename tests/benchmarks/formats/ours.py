"""Our way: Parquet by month, shared by links, and a DuckDB file that holds the rows as well and is made from the one before."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import polars as pl

from pipelines.catalogue.contracts import catalogue
from pipelines.platform.files import quoted, share
from pipelines.publication.marts import hold
from pipelines.publication.parts import Part, file_of, published_parts, sha256_of
from pipelines.publication.versions import DUCKDB_FILE
from pipelines.publication.write import STORAGE_VERSION
from pipelines.refresh.parts import write_parts

from .given import MARTS, answered, files_below


def first(given: str, target: str) -> None:
    """A version made from nothing."""
    _make(Path(given), Path(target) / "1", None)


def next_copied(given: str, target: str) -> None:
    """A version whose file is made from a copy of that of the one before."""
    file = Path(target) / "2" / DUCKDB_FILE
    file.parent.mkdir()
    shutil.copyfile(Path(target) / "1" / DUCKDB_FILE, file)
    _make(Path(given), file.parent, Path(target) / "1")


def next_spare(given: str, target: str) -> None:
    """A version whose file is that of one that is shown no more (`put_by`): it holds here what the one before holds."""
    _make(Path(given), Path(target) / "3", Path(target) / "1")


def put_by(target: str) -> None:
    """The file of a version that is shown no more."""
    file = Path(target) / "3" / DUCKDB_FILE
    file.parent.mkdir()
    shutil.copyfile(Path(target) / "1" / DUCKDB_FILE, file)


def query(target: str, day: str) -> dict[str, float]:
    """By DuckDB with no way to other files."""
    file = str(Path(target) / "2" / DUCKDB_FILE)
    connection = duckdb.connect(file, read_only=True, config={"enable_external_access": False})
    return answered(lambda name: connection.execute(f"FROM marts.{name} WHERE on_date = ?", [day]).to_arrow_table())


def _make(given: Path, version: Path, before: Path | None) -> None:
    contracts = {name: catalogue().tables[name] for name in MARTS}
    parts = {name: {part.name: part for part in published_parts(c, before)} if before else {} for name, c in contracts.items()}
    for name, file in files_below(given):
        made = version.parent / f"made-{version.name}" / name / file.name
        rows = write_parts(contracts[name], [pl.scan_parquet(file)], made)
        parts[name][file.stem] = Part(file.stem, made, rows, sha256_of(made))
    version.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute(f"ATTACH {quoted(version / DUCKDB_FILE)} AS version (STORAGE_VERSION '{STORAGE_VERSION}')")
    connection.execute("USE version")
    hold(connection, contracts.values(), {name: list(own.values()) for name, own in parts.items()}, "")
    connection.execute("CHECKPOINT version")
    connection.close()
    for name, own in parts.items():
        for part in own.values():
            share(part.file, version / file_of(contracts[name], part.name))
