"""What a version's files are, for programs of others: a Frictionless data package, and each table's Open Data Contract.

Belongs here: turning contracts and views into these two forms. Does not belong here: saying anything that a contract does not say.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from pipelines.catalogue.columns import Column
from pipelines.catalogue.contracts import Catalogue, Contract
from pipelines.catalogue.published_sql import BI, View
from pipelines.publication.parts import files_of

PACKAGE_FILE, CONTRACTS_FOLDER = "datapackage.json", "contracts"
_FRICTIONLESS = {"text": "string", "double": "number", "decimal": "number", "timestamp": "datetime"}
_ODCS = {"text": "string", "double": "number", "decimal": "number", "timestamp": "timestamp"}


def write_descriptions(folder: Path, catalogue: Catalogue, views: Mapping[str, View]) -> None:
    """Write `datapackage.json` and `contracts/<table>.odcs.yaml` into a version's folder."""
    tables = [*catalogue.layer("marts"), *catalogue.layer("ops")]
    resources = [_resource(folder, f"{t.layer}.{t.name}", t.description, t.columns, t.nullable, t.grain, t.licence) for t in tables]
    resources += [
        _resource(folder, f"{BI}.{v.name}", v.comment, v.columns, frozenset(c.name for c in v.columns), (), None) for v in views.values()
    ]
    package = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "breakeven",
        "title": "Breakeven: own or rent the GPUs that serve an open-weight model",
        "description": "Dated list prices of GPUs, servers, electricity and tokens, and what follows from them. Rows name their licence.",
        "resources": resources,
    }
    (folder / PACKAGE_FILE).write_text(json.dumps(package, indent=1) + "\n", encoding="utf-8")
    (folder / CONTRACTS_FOLDER).mkdir(exist_ok=True)
    for table in tables:
        text = yaml.safe_dump(odcs(table), sort_keys=False, allow_unicode=True, width=120)
        (folder / CONTRACTS_FOLDER / f"{table.table}.odcs.yaml").write_text(text, encoding="utf-8")


def _resource(
    folder: Path,
    name: str,
    description: str,
    columns: Iterable[Column],
    nullable: frozenset[str],
    key: tuple[str, ...],
    licence: str | None,
) -> dict[str, Any]:
    schema: dict[str, Any] = {"fields": [_field(column, column.name not in nullable) for column in columns]}
    # A part of a Frictionless key may not be missing; where one may be, the grain is in the contract alone.
    if key and not nullable.intersection(key):
        schema["primaryKey"] = list(key)
    files = [file.relative_to(folder).as_posix() for file in files_of(folder, name).values()]
    return {
        "name": name.lower(),
        "path": files[0] if len(files) == 1 else files,
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        "description": description,
        **({"licenses": [{"title": licence}]} if licence else {}),
        "schema": schema,
    }


def _field(column: Column, required: bool) -> dict[str, Any]:
    bounds = {
        "required": True if required else None,
        "minimum": column.minimum,
        "maximum": column.maximum,
        "enum": list(column.allowed) if column.allowed else None,
        "pattern": column.pattern,
    }
    return {
        "name": column.name,
        "type": _FRICTIONLESS.get(column.type, column.type),
        "description": column.description,
        **({"unit": column.unit} if column.unit != "none" else {}),
        "constraints": {name: value for name, value in bounds.items() if value is not None},
    }


def odcs(contract: Contract) -> dict[str, Any]:
    """A contract as the Open Data Contract Standard 3.0 has it: columns with types, keys and rules of quality."""
    return {
        "apiVersion": "v3.0.2",
        "kind": "DataContract",
        "id": f"breakeven.{contract.table}",
        "name": contract.table,
        "version": "1.0.0",
        "status": "active",
        "description": {"purpose": contract.description, **({"limitations": f"Licence: {contract.licence}"} if contract.licence else {})},
        "schema": [
            {
                "name": contract.name,
                "physicalName": contract.table,
                "physicalType": "table",
                "properties": [
                    {
                        "name": column.name,
                        "logicalType": _ODCS.get(column.type, column.type),
                        "description": column.comment,
                        "required": column.name not in contract.nullable,
                        **(
                            {"primaryKey": True, "primaryKeyPosition": contract.grain.index(column.name) + 1}
                            if column.name in contract.grain
                            else {}
                        ),
                    }
                    for column in contract.columns
                ],
                "quality": [
                    {"type": "text", "name": rule["name"], "description": rule["reason"], "severity": rule["severity"]}
                    for rule in contract.rules
                ],
            }
        ],
    }
