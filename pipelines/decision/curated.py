"""Curated tables of names that ship with the project, as rows.

Belongs here: reading them for a decision. Does not belong here: prices and assumptions, which come from the published version.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from pipelines.catalogue.contracts import catalogue
from pipelines.ingest.registry import parse_curated


@cache
def curated(name: str) -> list[dict[str, Any]]:
    """All rows of a table."""
    contract = catalogue().tables[name]
    content = (Path(__file__).parent.parent / str(contract.bundled)).read_bytes()
    return parse_curated(content, contract).to_dicts()
