"""A DuckLake: tables partitioned by month, catalogue in a DuckDB file. Needs DuckDB with the extension (`duckdb-ext-ducklake`)."""

from __future__ import annotations

from pathlib import Path

import duckdb
import duckdb_ext

from .given import MARTS, answered, days_of, files_below

CATALOGUE = "lake.ducklake"


def first(given: str, target: str) -> None:
    """All tables, in one transaction."""
    folder = Path(target)
    folder.mkdir()
    lake = _opened(folder, f"(DATA_PATH '{folder / 'data'}')")
    lake.execute("BEGIN")
    for name in MARTS:
        files = [str(file) for own, file in files_below(Path(given)) if own == name]
        lake.execute(f"CREATE TABLE lake.{name} AS FROM read_parquet({files}) LIMIT 0")
        lake.execute(f"ALTER TABLE lake.{name} SET PARTITIONED BY (year(on_date), month(on_date))")
        lake.execute(f"INSERT INTO lake.{name} FROM read_parquet({files})")
    lake.execute("COMMIT")


def next_version(given: str, target: str) -> None:
    """The rows of a month deleted and inserted, in one transaction."""
    lake = _opened(Path(target))
    lake.execute("BEGIN")
    for name, file in files_below(Path(given)):
        lake.execute(f"DELETE FROM lake.{name} WHERE on_date >= ? AND on_date < ?", days_of(file))
        lake.execute(f"INSERT INTO lake.{name} FROM read_parquet('{file}')")
    lake.execute("COMMIT")


def query(target: str, day: str) -> dict[str, float]:
    """By DuckDB with the extension."""
    lake = _opened(Path(target), "(READ_ONLY)")
    return answered(lambda name: lake.execute(f"FROM lake.{name} WHERE on_date = ?", [day]).fetch_arrow_table())


def _opened(folder: Path, options: str = "") -> duckdb.DuckDBPyConnection:
    # What packages of extensions are installed below.
    extensions = Path(next(iter(duckdb_ext.__path__))) / "extensions"
    connection = duckdb.connect(config={"extension_directory": str(extensions)})
    connection.execute("LOAD ducklake")
    connection.execute(f"ATTACH 'ducklake:{folder / CATALOGUE}' AS lake {options}")
    return connection
