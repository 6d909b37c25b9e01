"""Contracts: one YAML file per table, and everything that is derived from it.

Belongs here: reading and validating contracts, and their projections (polars schema, DuckDB DDL with comments, row rules, Dagster
column schema, Great Expectations suite as plain data, data dictionary). Does not belong here: applying rules to data (`quality`),
opening a database (`warehouse`), computing a table (`models`), single columns (`columns`), reading YAML (`documents`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.catalogue.columns import DUCKDB_TYPES, POLARS_TYPES, Column, in_layer, load_columns
from pipelines.catalogue.documents import ContractError, read_document
from pipelines.catalogue.rules import Effect, RowRule, TableRule, column_rules, key_expectation, key_rule, not_empty_expectation
from pipelines.platform.paths import MODELS_FOLDER

if TYPE_CHECKING:
    from dagster import TableSchema

__all__ = ["FEED_FACTS", "LAYERS", "RAW_LINEAGE", "Catalogue", "Contract", "ContractError", "Encoding", "catalogue", "load_catalogue"]
LAYERS = ("raw", "staging", "history", "marts", "ops")

# Lineage that the framework adds to every raw table; a raw contract does not list them.
RAW_LINEAGE = ("fetched_at", "snapshot_sha256")
# Facts of the source that are added to every row when a feed is united.
FEED_FACTS = ("source", "semantics", "precedence", "staleness_limit_days")


@dataclass(frozen=True)
class Encoding:
    """How a long table is encoded where it is published.

    `dictionary`: columns that many rows have alike, stored once under this name; `delta_from`: the time that other times are stored as
    seconds from, None where there are none; `derived`: amounts that are stored only where they differ from this expression; `runs_of`: the
    day of a table whose other columns stay as they are for days, None for another table.
    """

    dictionary: Mapping[str, tuple[str, ...]]
    delta_from: str | None
    derived: Mapping[str, str]
    runs_of: str | None = None


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
    may_become_empty: bool
    max_quarantined_share: float
    rules: tuple[Mapping[str, Any], ...]
    table_rules: tuple[Mapping[str, Any], ...]
    must_have: tuple[str, tuple[str, ...]] | None
    near_its_last_release: tuple[tuple[str, ...], float] | None
    products: Mapping[str, tuple[str, str]]
    encoding: Encoding | None

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
        return pl.Schema({column.name: POLARS_TYPES[column.type] for column in self.columns})

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
        lines = [f'"{c.name}" {DUCKDB_TYPES[c.type]}' + ("" if c.name in self.nullable else " NOT NULL") for c in self.columns]
        return [f"CREATE TABLE {qualified_name} ({', '.join(lines)})", *self._comments("TABLE", qualified_name)]

    def create_view_sql(self, qualified_name: str, query: str) -> list[str]:
        """A view in the table's place, with the same comments."""
        return [f"CREATE VIEW {qualified_name} AS {query}", *self._comments("VIEW", qualified_name)]

    def _comments(self, kind: str, qualified_name: str) -> list[str]:
        columns = [f'COMMENT ON COLUMN {qualified_name}."{c.name}" IS {_literal(c.comment)}' for c in self.columns]
        return [f"COMMENT ON {kind} {qualified_name} IS {_literal(self.description)}", *columns]

    @property
    def is_fetched(self) -> bool:
        """True for a raw table whose rows come from elsewhere: bad ones are expected there, one in a curated table is a fault of ours."""
        return self.layer == "raw" and self.bundled is None

    @property
    def row_effect(self) -> Effect:
        """What a broken critical rule of a row does: it stops the publication only where a bad row is a fault of ours."""
        return "quarantined" if self.is_fetched or self.layer == "staging" else "blocked"

    @property
    def table_effect(self) -> Effect:
        """What a broken critical rule of the whole table does."""
        return "set_aside" if self.is_fetched else "blocked"

    def row_rules(self) -> list[RowRule]:
        """Rules of each row: not null, finite, bounds, allowed values, patterns, then the contract's own, and the key of a raw table."""
        rules = [rule for column in self.columns for rule in column_rules(column, column.name in self.nullable, self.row_effect)]
        rules += [
            RowRule(r["name"], pl.sql_expr(r["sql"]), r["severity"], r["reason"], r["on_null"], self._effect(r, self.row_effect))
            for r in self.rules
        ]
        if self.layer == "raw":
            # What two rows of one key say of prices is judged in staging; a curated table has no two.
            rules.append(key_rule(self.grain, *(("warning", "warned") if self.is_fetched else ("critical", "blocked"))))
        return rules

    def expectations(self) -> list[TableRule]:
        """Rules of the whole table. Columns and types come before (`conform`)."""
        own = [
            TableRule(r["name"], r["type"], r["kwargs"], r["severity"], r["reason"], self._effect(r, self.table_effect))
            for r in self.table_rules
        ]
        if self.layer == "raw":
            return own
        empty = [] if self.allow_empty else [not_empty_expectation(self.table_effect)]
        return [key_expectation(self.grain, self.table_effect), *empty, *own]

    @staticmethod
    def _effect(rule: Mapping[str, Any], critical: Effect) -> Effect:
        return critical if rule["severity"] == "critical" else "warned"

    def dagster_schema(self) -> TableSchema:
        """Column schema for Dagster's catalogue."""
        import dagster as dg  # noqa: PLC0415  (the contract itself must stay light to import)

        return dg.TableSchema(
            columns=[
                dg.TableColumn(
                    name=c.name,
                    type=DUCKDB_TYPES[c.type],
                    description=c.comment,
                    constraints=dg.TableColumnConstraints(nullable=c.name in self.nullable),
                )
                for c in self.columns
            ]
        )


def _literal(text: str) -> str:
    return "'" + " ".join(text.split()).replace("'", "''") + "'"


@dataclass(frozen=True)
class Catalogue:
    """All contracts: `tables` by bare name (unique over all layers), `feeds` by name, and `keys` that several of them share."""

    columns: Mapping[str, Column]
    tables: Mapping[str, Contract]
    feeds: Mapping[str, Contract]
    keys: Mapping[str, tuple[str, ...]]

    def layer(self, layer: str) -> list[Contract]:
        """Contracts of one layer by name."""
        return sorted((c for c in self.tables.values() if c.layer == layer), key=lambda c: c.name)

    def fed_by(self, feed: str) -> list[Contract]:
        """Raw contracts that declare this feed, by name."""
        return sorted((c for c in self.tables.values() if c.feeds == feed), key=lambda c: c.name)

    def feed_schema(self, feed: str) -> pl.Schema:
        """Schema of the union `all_<feed>`: the feed's columns, then the facts of the source."""
        facts = {name: POLARS_TYPES[self.columns[name].type] for name in FEED_FACTS}
        return pl.Schema({**self.feeds[feed].polars_schema(), **facts})


def load_catalogue(folder: Path = MODELS_FOLDER) -> Catalogue:
    """Read `columns.yml` and every contract below the folder.

    Raises ContractError naming file and key for anything that the JSON schema or the other files contradict.
    """
    columns = load_columns(folder / "columns.yml", folder / "columns.schema.json")
    keys = _load_keys(folder, columns)
    contracts = [_load_contract(path, columns, keys) for layer in (*LAYERS, "feeds") for path in sorted((folder / layer).glob("*.yml"))]
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
    return Catalogue(columns, tables, feeds, keys)


@cache
def catalogue() -> Catalogue:
    """The project's own catalogue, read once."""
    return load_catalogue()


def _load_keys(folder: Path, columns: Mapping[str, Column]) -> dict[str, tuple[str, ...]]:
    path = folder / "keys.yml"
    if not path.exists():
        return {}
    keys = {name: tuple(names) for name, names in read_document(path, folder / "keys.schema.json").items()}
    for name, names in keys.items():
        for column in names:
            if column not in columns:
                raise ContractError(f"keys.yml: key {name}: {column!r} is not in columns.yml")
    return keys


def _with_keys(names: Iterable[str], keys: Mapping[str, tuple[str, ...]], where: str) -> tuple[str, ...]:
    """A list of columns with each `$key` replaced by the columns of that key."""
    found: list[str] = []
    for name in names:
        if not name.startswith("$"):
            found.append(name)
        elif name[1:] in keys:
            found += keys[name[1:]]
        else:
            raise ContractError(f"{where}: key grain: {name!r} is not in keys.yml, expected one of {sorted(keys)}")
    return tuple(found)


def _load_contract(path: Path, columns: Mapping[str, Column], keys: Mapping[str, tuple[str, ...]]) -> Contract:
    layer, name = path.parent.name, path.stem
    where = f"{layer}/{path.name}"
    document = read_document(path, path.parent.parent / "contract.schema.json")
    names = [*document["columns"], *(RAW_LINEAGE if layer == "raw" else ())]
    for column in names:
        if column not in columns:
            raise ContractError(f"{where}: key columns: {column!r} is not in columns.yml")
    grain = _with_keys(document["grain"], keys, where)
    for key, listed in (("grain", grain), ("nullable", document.get("nullable", []))):
        for column in listed:
            if column not in names and not (layer == "feeds" and column in FEED_FACTS):
                raise ContractError(f"{where}: key {key}: {column!r} is not a column of the table")
    if layer != "raw" and ("feeds" in document or "bundled" in document):
        raise ContractError(f"{where}: only a raw table may declare feeds or bundled")
    _refuse_rules_that_never_run(document, layer, names, where)
    contract = Contract(
        layer=layer,
        name=name,
        description=" ".join(document["description"].split()),
        grain=grain,
        columns=tuple(in_layer(columns[column], layer) for column in names),
        nullable=frozenset(document.get("nullable", [])),
        feeds=document.get("feeds"),
        bundled=document.get("bundled"),
        published_on=document.get("published_on"),
        sources=tuple(document.get("sources", [])),
        licence=document.get("licence"),
        allow_empty=document.get("allow_empty", False),
        may_become_empty=document.get("may_become_empty", False),
        max_quarantined_share=document.get("max_quarantined_share", 0.2),
        rules=tuple(document.get("rules", [])),
        table_rules=tuple(document.get("table_rules", [])),
        must_have=_must_have(document),
        near_its_last_release=_near_its_last_release(document, names, where),
        products=_products(document.get("products", {}), names, layer, where),
        encoding=_encoding(document["encoding"], names, where) if "encoding" in document else None,
    )
    try:
        contract.row_rules()
    except Exception as error:
        raise ContractError(f"{where}: key rules: {error}") from error
    return contract


def _refuse_rules_that_never_run(document: Mapping[str, Any], layer: str, names: list[str], where: str) -> None:
    if layer in ("feeds", "history", "ops"):
        for key in ("rules", "table_rules"):
            if key in document:
                raise ContractError(
                    f"{where}: key {key}: rules of layer {layer} are never asked; give them to a raw, staging or mart table"
                )
    if "must_have" in document:
        if layer != "raw":
            raise ContractError(f"{where}: only a raw table may declare must_have")
        if document["must_have"]["column"] not in names:
            raise ContractError(f"{where}: key must_have: {document['must_have']['column']!r} is not a column of the table")
    own = [rule["name"] for key in ("rules", "table_rules") for rule in document.get(key, [])]
    for name in own:
        if own.count(name) > 1:
            raise ContractError(f"{where}: key rules: the name {name!r} stands twice")


def _must_have(document: Mapping[str, Any]) -> tuple[str, tuple[str, ...]] | None:
    return (document["must_have"]["column"], tuple(document["must_have"]["values"])) if "must_have" in document else None


def _near_its_last_release(document: Mapping[str, Any], names: list[str], where: str) -> tuple[tuple[str, ...], float] | None:
    if "near_its_last_release" not in document:
        return None
    stated = document["near_its_last_release"]
    if "bundled" not in document:
        raise ContractError(f"{where}: only a curated table (key bundled) may declare near_its_last_release")
    for column in stated["columns"]:
        if column not in names:
            raise ContractError(f"{where}: key near_its_last_release: {column!r} is not a column of the table")
    return tuple(stated["columns"]), float(stated["most_ratio"])


def _products(document: Mapping[str, list[str]], names: list[str], layer: str, where: str) -> dict[str, tuple[str, str]]:
    if document and layer != "marts":
        raise ContractError(f"{where}: key products: only a mart may declare products")
    for name, factors in document.items():
        for column in (name, *factors):
            if column not in names:
                raise ContractError(f"{where}: key products: {column!r} is not a column of the table")
            if column != name and column in document:
                raise ContractError(f"{where}: key products: {column!r} is a product itself, expected two columns that are none")
    return {name: (first, second) for name, (first, second) in document.items()}


def _encoding(document: Mapping[str, Any], names: list[str], where: str) -> Encoding:
    dictionary = {what: tuple(columns) for what, columns in document["dictionary"].items()}
    delta_from, derived, runs_of = document.get("delta_from"), document.get("derived", {}), document.get("runs_of")
    for column in (*(c for columns in dictionary.values() for c in columns), *filter(None, (delta_from, runs_of)), *derived):
        if column not in names:
            raise ContractError(f"{where}: key encoding: {column!r} is not a column of the table")
    return Encoding(dictionary, delta_from, derived, runs_of)
