"""Columns: declared once, with type, unit, meaning and bounds, the same in every table.

Belongs here: a column, its types in polars and DuckDB, money by layer, reading a file of columns. Does not belong here: tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from pipelines.catalogue.documents import read_document
from pipelines.platform.paths import MODELS_FOLDER

POLARS_TYPES: Mapping[str, pl.DataType] = {
    "text": pl.String(),
    "integer": pl.Int64(),
    "double": pl.Float64(),
    "decimal": pl.Decimal(18, 8),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us"),
}
DUCKDB_TYPES: Mapping[str, str] = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "double": "DOUBLE",
    "decimal": "DECIMAL(18,8)",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}

# Money keeps every digit: the source's own text in raw, exact decimals in staging, doubles for analysts.
_MONEY_TYPE: Mapping[str, str] = {
    "raw": "text",
    "feeds": "text",
    "staging": "decimal",
    "history": "decimal",
    "marts": "double",
    "ops": "double",
}


@dataclass(frozen=True)
class Column:
    """One column: its type, unit, meaning and bounds, the same in every table."""

    name: str
    type: str
    unit: str
    description: str
    minimum: float | None = None
    exclusive_minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] | None = None
    pattern: str | None = None

    @property
    def comment(self) -> str:
        """Description with the unit, as shown in DuckDB, Dagster and the data dictionary."""
        return self.description if self.unit == "none" else f"{self.description} [{self.unit}]"


def load_columns(path: Path, schema: Path = MODELS_FOLDER / "columns.schema.json") -> dict[str, Column]:
    """The columns that a file declares. Raises ContractError naming file and key."""
    return {
        name: Column(name=name, **{**facts, "allowed": tuple(facts["allowed"]) if "allowed" in facts else None})
        for name, facts in read_document(path, schema).items()
    }


def in_layer(column: Column, layer: str) -> Column:
    """The column as a table of the layer has it: money is text, decimal or double by layer."""
    if column.type != "money":
        return column
    kind = _MONEY_TYPE[layer]
    if kind == "text":
        return replace(column, type=kind, minimum=None, exclusive_minimum=None, maximum=None)
    return replace(column, type=kind)
