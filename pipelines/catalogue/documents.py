"""Reading a declaration: YAML without double keys, held against a JSON schema.

Belongs here: what every declared file needs alike, and the error that names file and key. Does not belong here: what a file declares.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from pipelines.platform.documents import read_yaml
from pipelines.platform.errors import ExplainedError


class ContractError(ExplainedError):
    """A contract is wrong, or a frame does not keep it; the message names the file or table, the key or column, and what was expected."""


def read_document(path: Path, schema_path: Path) -> dict[str, Any]:
    """A YAML file that keeps a JSON schema. Raises ContractError naming file and key."""
    try:
        document = read_yaml(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ContractError(f"{path.name}: not readable as YAML: {error}") from error
    schema = json.loads(schema_path.read_text(encoding="utf-8"))
    problems = sorted(jsonschema.Draft202012Validator(schema).iter_errors(document), key=lambda e: list(map(str, e.path)))
    if problems:
        where = "; ".join(f"key {'.'.join(map(str, e.path)) or '(top)'}: {e.message}" for e in problems)
        raise ContractError(f"{path.parent.name}/{path.name}: {where}")
    assert isinstance(document, dict)
    return document
