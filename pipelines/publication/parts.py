"""A mart as it is handed over for publication: the Parquet files of its parts.

Belongs here: what a part is, and where it lies in a version. Does not belong here: computing one (`pipelines.refresh`), how its rows stand
in the DuckDB file (`encoding`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pipelines.catalogue.contracts import Contract

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


def sha256_of(file: Path) -> str:
    """The hash of a file's bytes, read a piece at a time."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
