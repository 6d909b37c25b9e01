"""Contracts: one YAML file per table, and everything that is derived from it.

Belongs here: reading and validating contracts, and their projections (polars schema, DuckDB DDL with comments, row rules, Dagster
column schema, Great Expectations suite as plain data, data dictionary). Does not belong here: applying rules to data (`quality`),
opening a database (`warehouse`), computing a table (`models`). Imports nothing of ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import jsonschema
import polars as pl
import yaml

from pipelines.platform.paths import MODELS_FOLDER

if TYPE_CHECKING:
    from dagster import TableSchema

LAYERS = ("raw", "staging", "marts", "ops")

Severity = Literal["critical", "warning"]

_POLARS_TYPES: Mapping[str, pl.DataType] = {
    "text": pl.String(),
    "integer": pl.Int64(),
    "double": pl.Float64(),
    "decimal": pl.Decimal(18, 8),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us"),
}
_DUCKDB_TYPES: Mapping[str, str] = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "double": "DOUBLE",
    "decimal": "DECIMAL(18,8)",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}

# Money keeps every digit: the source's own text in raw, exact decimals in staging, doubles for analysts.
_MONEY_TYPE: Mapping[str, str] = {"raw": "text", "feeds": "text", "staging": "decimal", "marts": "double", "ops": "double"}

# Lineage that the framework adds to every raw table; a raw contract does not list them.
RAW_LINEAGE = ("fetched_at", "snapshot_sha256")
# Facts of the source that are added to every row when a feed is united.
FEED_FACTS = ("source", "semantics", "precedence", "staleness_limit_days")


class ContractError(Exception):
    """A contract is wrong, or a frame does not keep it; the message names the file or table, the key or column, and what was expected."""


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


@dataclass(frozen=True)
class RowRule:
    """A condition that each row must keep. `good` is True or NULL for a good row."""

    name: str
    good: pl.Expr
    severity: Severity
    reason: str


@dataclass(frozen=True)
class Compact:
    """How a long table is kept small where it is published.

    `once`: columns that many rows have alike, stored once under this name; `times_since`: the time that other times are stored as
    seconds from; `usually`: amounts that are stored where they are not what this expression comes to.
    """

    once: Mapping[str, tuple[str, ...]]
    times_since: str
    usually: Mapping[str, str]


@dataclass(frozen=True)
class Contract:
    """What one table promises."""

    layer: str
    name: str
    description: str
    grain: tuple[str, ...]
    columns: tuple[Column, ...]
    nullable: frozenset[str]
    feeds: str | None
    bundled: str | None
    published_on: date | None
    sources: tuple[str, ...]
    licence: str | None
    allow_empty: bool
    max_quarantined_share: float
    rules: tuple[Mapping[str, Any], ...]
    table_rules: tuple[Mapping[str, Any], ...]
    compact: Compact | None

    @property
    def table(self) -> str:
        """Qualified name, `layer.name`."""
        return f"{self.layer}.{self.name}"

    @property
    def column_names(self) -> list[str]:
        """Names in the order of the table."""
        return [column.name for column in self.columns]

    def polars_schema(self) -> pl.Schema:
        """Exact names and types of a frame that may be written."""
        return pl.Schema({column.name: _POLARS_TYPES[column.type] for column in self.columns})

    def conform(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Return the frame unchanged if it has exactly the contract's columns and types in the contract's order.

        Raises ContractError that names every missing, unexpected, misplaced or wrongly typed column. Nothing is ever cast.
        """
        expected, found = self.polars_schema(), frame.collect_schema()
        problems = [f"column {name!r} is missing" for name in expected if name not in found]
        problems += [f"column {name!r} is not in the contract" for name in found if name not in expected]
        problems += [
            f"column {name!r} is {found[name]}, expected {kind}" for name, kind in expected.items() if name in found and found[name] != kind
        ]
        if not problems and list(expected) != list(found):
            problems.append(f"columns are in the order {list(found)}, expected {list(expected)}")
        if problems:
            raise ContractError(f"{self.table}: " + "; ".join(problems))
        return frame

    def create_table_sql(self, qualified_name: str) -> list[str]:
        """DDL for DuckDB: the table with types and NOT NULL, then its comments. No keys: the checks speak first."""
        lines = [f'"{c.name}" {_DUCKDB_TYPES[c.type]}' + ("" if c.name in self.nullable else " NOT NULL") for c in self.columns]
        return [f"CREATE TABLE {qualified_name} ({', '.join(lines)})", *self._comments("TABLE", qualified_name)]

    def create_view_sql(self, qualified_name: str, query: str) -> list[str]:
        """A view in the table's place, with the same comments."""
        return [f"CREATE VIEW {qualified_name} AS {query}", *self._comments("VIEW", qualified_name)]

    def _comments(self, kind: str, qualified_name: str) -> list[str]:
        columns = [f'COMMENT ON COLUMN {qualified_name}."{c.name}" IS {_literal(c.comment)}' for c in self.columns]
        return [f"COMMENT ON {kind} {qualified_name} IS {_literal(self.description)}", *columns]

    def row_rules(self) -> list[RowRule]:
        """Rules of each row: not null, finite, bounds, allowed values, patterns, then the contract's own."""
        rules = [rule for column in self.columns for rule in _column_rules(column, column.name in self.nullable)]
        rules += [RowRule(r["name"], pl.sql_expr(r["sql"]), r["severity"], r["reason"]) for r in self.rules]
        return rules

    def expectations(self) -> list[dict[str, Any]]:
        """Rules of the whole table as a Great Expectations suite of plain dictionaries. Columns and types come before (`conform`)."""
        own = [
            {"type": r["type"], "kwargs": dict(r["kwargs"]), "severity": r["severity"], "meta": {"reason": r["reason"]}}
            for r in self.table_rules
        ]
        derived: list[dict[str, Any]] = [
            {
                "type": "expect_compound_columns_to_be_unique" if len(self.grain) > 1 else "expect_column_values_to_be_unique",
                "kwargs": {"column_list": list(self.grain), "ignore_row_if": "never"} if len(self.grain) > 1 else {"column": self.grain[0]},
                "severity": "critical",
                "meta": {"reason": "one row per " + ", ".join(self.grain)},
            },
        ]
        if not self.allow_empty:
            derived.append(
                {
                    "type": "expect_table_row_count_to_be_between",
                    "kwargs": {"min_value": 1},
                    "severity": "critical",
                    "meta": {"reason": "an empty table would take every figure away in silence"},
                }
            )
        return derived + own

    def dagster_schema(self) -> TableSchema:
        """Column schema for Dagster's catalogue."""
        import dagster as dg  # noqa: PLC0415  (the contract itself must stay light to import)

        return dg.TableSchema(
            columns=[
                dg.TableColumn(
                    name=c.name,
                    type=_DUCKDB_TYPES[c.type],
                    description=c.comment,
                    constraints=dg.TableColumnConstraints(nullable=c.name in self.nullable),
                )
                for c in self.columns
            ]
        )


def _literal(text: str) -> str:
    return "'" + " ".join(text.split()).replace("'", "''") + "'"


def _column_rules(column: Column, nullable: bool) -> Iterable[RowRule]:
    value, name = pl.col(column.name), column.name
    if not nullable:
        yield RowRule(f"{name}_not_null", value.is_not_null(), "critical", "the contract says that it is never unknown")
    if column.type == "double":
        yield RowRule(f"{name}_finite", value.is_finite(), "critical", "NaN and infinity are not figures")
    if column.minimum is not None:
        yield RowRule(f"{name}_minimum", value >= column.minimum, "critical", f"at least {column.minimum}")
    if column.exclusive_minimum is not None:
        yield RowRule(f"{name}_above", value > column.exclusive_minimum, "critical", f"above {column.exclusive_minimum}")
    if column.maximum is not None:
        yield RowRule(f"{name}_maximum", value <= column.maximum, "critical", f"at most {column.maximum}")
    if column.allowed is not None:
        yield RowRule(f"{name}_allowed", value.is_in(list(column.allowed)), "critical", "one of " + ", ".join(column.allowed))
    if column.pattern is not None:
        yield RowRule(f"{name}_pattern", value.str.contains(f"^(?:{column.pattern})$"), "critical", f"matches {column.pattern}")


@dataclass(frozen=True)
class Catalogue:
    """All contracts: `tables` by bare name (unique over all layers) and `feeds` by name."""

    columns: Mapping[str, Column]
    tables: Mapping[str, Contract]
    feeds: Mapping[str, Contract]

    def layer(self, layer: str) -> list[Contract]:
        """Contracts of one layer by name."""
        return sorted((c for c in self.tables.values() if c.layer == layer), key=lambda c: c.name)

    def fed_by(self, feed: str) -> list[Contract]:
        """Raw contracts that declare this feed, by name."""
        return sorted((c for c in self.tables.values() if c.feeds == feed), key=lambda c: c.name)

    def feed_schema(self, feed: str) -> pl.Schema:
        """Schema of the union `all_<feed>`: the feed's columns, then the facts of the source."""
        facts = {name: _POLARS_TYPES[self.columns[name].type] for name in FEED_FACTS}
        return pl.Schema({**self.feeds[feed].polars_schema(), **facts})


def load_catalogue(folder: Path = MODELS_FOLDER) -> Catalogue:
    """Read `columns.yml` and every contract below the folder.

    Raises ContractError naming file and key for anything that the JSON schema or the other files contradict.
    """
    columns = _load_columns(folder)
    contracts = [_load_contract(path, columns) for layer in (*LAYERS, "feeds") for path in sorted((folder / layer).glob("*.yml"))]
    tables: dict[str, Contract] = {}
    for contract in contracts:
        if contract.layer == "feeds":
            continue
        if contract.name in tables:
            raise ContractError(
                f"{contract.table} and {tables[contract.name].table} have the same name; table names are unique over all layers"
            )
        tables[contract.name] = contract
    feeds = {c.name: c for c in contracts if c.layer == "feeds"}
    for contract in tables.values():
        if contract.feeds is not None and contract.feeds not in feeds:
            raise ContractError(f"{contract.table}: feeds {contract.feeds!r}, expected one of {sorted(feeds)}")
    return Catalogue(columns, tables, feeds)


@cache
def catalogue() -> Catalogue:
    """The project's own catalogue, read once."""
    return load_catalogue()


def _read_yaml(path: Path, schema_path: Path) -> dict[str, Any]:
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)  # noqa: S506  (a SafeLoader)
    except yaml.YAMLError as error:
        raise ContractError(f"{path.name}: not readable as YAML: {error}") from error
    schema = json.loads(schema_path.read_text(encoding="utf-8"))
    problems = sorted(jsonschema.Draft202012Validator(schema).iter_errors(document), key=lambda e: list(map(str, e.path)))
    if problems:
        where = "; ".join(f"key {'.'.join(map(str, e.path)) or '(top)'}: {e.message}" for e in problems)
        raise ContractError(f"{path.parent.name}/{path.name}: {where}")
    assert isinstance(document, dict)
    return document


class _UniqueKeyLoader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice, where YAML would keep the last in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def _load_columns(folder: Path) -> dict[str, Column]:
    document = _read_yaml(folder / "columns.yml", folder / "columns.schema.json")
    return {
        name: Column(name=name, **{**facts, "allowed": tuple(facts["allowed"]) if "allowed" in facts else None})
        for name, facts in document.items()
    }


def _in_layer(column: Column, layer: str) -> Column:
    if column.type != "money":
        return column
    kind = _MONEY_TYPE[layer]
    if kind == "text":
        return replace(column, type=kind, minimum=None, exclusive_minimum=None, maximum=None)
    return replace(column, type=kind)


def _load_contract(path: Path, columns: Mapping[str, Column]) -> Contract:
    layer, name = path.parent.name, path.stem
    where = f"{layer}/{path.name}"
    document = _read_yaml(path, path.parent.parent / "contract.schema.json")
    names = [*document["columns"], *(RAW_LINEAGE if layer == "raw" else ())]
    for column in names:
        if column not in columns:
            raise ContractError(f"{where}: key columns: {column!r} is not in columns.yml")
    for key in ("grain", "nullable"):
        for column in document.get(key, []):
            if column not in names and not (layer == "feeds" and column in FEED_FACTS):
                raise ContractError(f"{where}: key {key}: {column!r} is not a column of the table")
    if layer != "raw" and ("feeds" in document or "bundled" in document):
        raise ContractError(f"{where}: only a raw table may declare feeds or bundled")
    contract = Contract(
        layer=layer,
        name=name,
        description=" ".join(document["description"].split()),
        grain=tuple(document["grain"]),
        columns=tuple(_in_layer(columns[column], layer) for column in names),
        nullable=frozenset(document.get("nullable", [])),
        feeds=document.get("feeds"),
        bundled=document.get("bundled"),
        published_on=document.get("published_on"),
        sources=tuple(document.get("sources", [])),
        licence=document.get("licence"),
        allow_empty=document.get("allow_empty", False),
        max_quarantined_share=document.get("max_quarantined_share", 0.2),
        rules=tuple(document.get("rules", [])),
        table_rules=tuple(document.get("table_rules", [])),
        compact=_compact(document["compact"], names, where) if "compact" in document else None,
    )
    try:
        contract.row_rules()
    except Exception as error:
        raise ContractError(f"{where}: key rules: {error}") from error
    return contract


def _compact(document: Mapping[str, Any], names: list[str], where: str) -> Compact:
    once = {what: tuple(columns) for what, columns in document["once"].items()}
    for column in (*(c for columns in once.values() for c in columns), document["times_since"], *document["usually"]):
        if column not in names:
            raise ContractError(f"{where}: key compact: {column!r} is not a column of the table")
    return Compact(once, document["times_since"], document["usually"])
