"""A mart as it is handed over for publication: the Parquet files of its parts.

Belongs here: what a part is, and where it lies in a version. Does not belong here: computing one (`pipelines.refresh`), how its rows stand
in the DuckDB file (`encoding`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pipelines.catalogue.contracts import Contract
from pipelines.platform.parquet import rows_in

# The name of the only part of a mart that is one file.
WHOLE = ""


@dataclass(frozen=True)
class Part:
    """Rows of a mart in the order of its key, in a file that is never changed again.

    `name`: the month of its rows as `2026-11`, or WHOLE; two parts of equal `sha256` are the same bytes.
    """

    name: str
    file: Path
    rows: int
    sha256: str


def file_of(contract: Contract, part: str) -> str:
    """Where a part lies in the folder of a version."""
    return f"{contract.layer}/{contract.name}/{part}.parquet" if part else f"{contract.layer}/{contract.name}.parquet"


def files_of(version: Path, table: str) -> dict[str, Path]:
    """The files of a table (`layer.name`) in the folder of a version, by the names of its parts."""
    whole = version / f"{table.replace('.', '/')}.parquet"
    return {file.stem: file for file in sorted(whole.with_suffix("").glob("*.parquet"))} or {WHOLE: whole}


def published_parts(contract: Contract, version: Path) -> list[Part]:
    """The parts of a mart in the folder of a version."""
    return [Part(name, file, rows_in(file), sha256_of(file)) for name, file in files_of(version, contract.table).items()]


def sha256_of(file: Path) -> str:
    """The hash of a file's bytes, read a piece at a time."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
