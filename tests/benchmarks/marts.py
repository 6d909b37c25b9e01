"""Marts of a published version made by ours and by DuckDB, and the version written by ours and by DuckDB: what one process of each does.

    python -m tests.benchmarks.measure tests.benchmarks.marts FUNCTION VERSION TARGET

Belongs here: both ways from the same Parquet files. Does not belong here: bounds, and which version it is (`test_marts`); the marts as a
dbt project (`dbt`).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.catalogue.contracts import catalogue
from pipelines.catalogue.models import models
from pipelines.catalogue.published_sql import bi_views, macros
from pipelines.platform.files import quoted
from pipelines.platform.paths import PACKAGE_FOLDER
from pipelines.publication.parts import files_of, published_parts
from pipelines.publication.write import STORAGE_VERSION, Before, write_version
from pipelines.refresh.session import code_fingerprint

SQL = Path(__file__).parent / "dbt" / "models"


def scan(version: Path, table: str) -> pl.LazyFrame:
    """A table of a version."""
    return pl.scan_parquet(list(files_of(version, table).values()))


def our_market(version: str, target: str, as_of: str) -> dict[str, Any]:
    """Every market: each country and group of countries, each tier and group of tiers."""
    function, folder = models()["market_price"].function, Path(version)
    assert function is not None
    regions = pl.scan_csv(PACKAGE_FOLDER / "reference" / "region_country.csv")
    history, said = scan(folder, "marts.price_history"), scan(folder, "marts.offer_availability")
    found = function(price_history=history, offer_availability=said, reference_region_country=regions, as_of=date.fromisoformat(as_of))
    found.sink_parquet(target)
    return {}


def duckdb_market(version: str, target: str, as_of: str) -> dict[str, Any]:
    """The market of professional sellers in the world alone."""
    connection = duckdb.connect()
    for name in ("price_history", "offer_availability"):
        files = ", ".join(quoted(file) for file in files_of(Path(version), f"marts.{name}").values())
        connection.execute(f"CREATE VIEW {name} AS FROM read_parquet([{files}])")
    connection.execute(f"COPY ({as_sql('market_price', as_of)}) TO {quoted(Path(target))} (FORMAT parquet)")
    return {}


def as_sql(model: str, as_of: str) -> str:
    """A model of the dbt project as plain SQL."""
    text = (SQL / f"{model}.sql").read_text(encoding="utf-8").replace("{{ var('as_of') }}", as_of)
    for name in ("price_history", "offer_availability"):
        text = text.replace(f"{{{{ source('version', '{name}') }}}}", name)
    return text


def publish_anew(version: str, target: str) -> dict[str, Any]:
    """A version's folder made from nothing."""
    return _publish(Path(version), Path(target), None)


def publish_next(version: str, target: str, before: str) -> dict[str, Any]:
    """A version's folder made from that of the version before."""
    return _publish(Path(version), Path(target), Path(before))


def _publish(version: Path, folder: Path, before: Path | None) -> dict[str, Any]:
    known = catalogue()
    folder.mkdir(parents=True)
    parts = {contract.name: published_parts(contract, version) for contract in known.layer("marts")}
    ops = {contract.name: scan(version, contract.table).collect() for contract in known.layer("ops")}
    write_version(folder, parts, known, ops, bi_views(), macros(), Before(before, None, code_fingerprint()))
    return {}


def duckdb_file(version: str, target: str) -> dict[str, Any]:
    """The same marts as tables of a DuckDB file, from the same Parquet files."""
    Path(target).mkdir(parents=True)
    connection = duckdb.connect()
    connection.execute(f"ATTACH {quoted(Path(target) / 'plain.duckdb')} AS plain (STORAGE_VERSION '{STORAGE_VERSION}')")
    for contract in catalogue().layer("marts"):
        files = ", ".join(quoted(file) for file in files_of(Path(version), contract.table).values())
        connection.execute(f'CREATE TABLE plain."{contract.name}" AS FROM read_parquet([{files}])')
    connection.execute("CHECKPOINT plain")
    return {}
