"""Manifests of declared sources: read, checked, as facts of a source and the questions that it asks.

Belongs here: `pipelines/sources/declared/<name>.yml` and its schema. Does not belong here: asking and reading (`declared`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import jmespath
import jsonschema
import yaml

from pipelines.platform.documents import read_yaml
from pipelines.sources.lib.offers import OFFER_TABLE
from pipelines.sources.lib.source import Source

FOLDER = Path(__file__).resolve().parent.parent / "declared"
# What a request may say otherwise than the manifest.
_SHARED = ("paging", "records", "each", "where", "row", "offers")


class ManifestError(Exception):
    """A manifest is wrong; the message names the file, the key and what was expected."""


@dataclass(frozen=True)
class Question:
    """One request of a manifest with the values that stand for its variables, and how its answer is read."""

    name: str
    variables: Mapping[str, str]
    request: Mapping[str, Any]

    @property
    def label(self) -> str:
        """Name of its payloads, the same from day to day."""
        return "/".join([self.name, *self.variables.values()])


@dataclass(frozen=True)
class Manifest:
    """A declared source: its facts and its document."""

    name: str
    file: Path
    source: Source
    document: Mapping[str, Any]

    @property
    def is_enveloped(self) -> bool:
        """True where an answer does not say by itself what was asked: it is stored behind a line that does."""
        return self.asks_in_several_ways or "lookups" in self.document

    @property
    def asks_in_several_ways(self) -> bool:
        """True where an answer can be read only by knowing which request it is of, and with which variables."""
        requests = self.document["requests"]
        return len(requests) > 1 or "for_each" in requests[0]

    def questions(self) -> Iterator[Question]:
        """Each request with each combination of its variables."""
        for request in self.document["requests"]:
            variables = request.get("for_each", {})
            for values in product(*variables.values()):
                yield Question(request["name"], dict(zip(variables, values, strict=True)), self.reading(request["name"]))

    def lookups(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What is looked up once, and what with each question, as its path names a variable."""
        lookups = self.document.get("lookups", {})
        each = {name: lookup for name, lookup in lookups.items() if "{" in lookup["path"]}
        return {name: lookup for name, lookup in lookups.items() if name not in each}, each

    def reading(self, request: str) -> Mapping[str, Any]:
        """A request with what the manifest says of all of them. Raises KeyError for an unknown one."""
        own = next((r for r in self.document["requests"] if r["name"] == request), None)
        if own is None:
            raise KeyError(request)
        return {**{key: self.document[key] for key in _SHARED if key in self.document}, **own}


@cache
def manifests() -> tuple[Manifest, ...]:
    """All declared sources by name, read once. Raises ManifestError."""
    return tuple(load_manifest(path) for path in sorted(FOLDER.glob("*.yml")))


def load_manifest(path: Path) -> Manifest:
    """Read and check one manifest. Raises ManifestError naming file, key and what is wrong there."""
    try:
        return manifest_of(path.read_text(encoding="utf-8"), path)
    except UnicodeDecodeError as error:
        raise ManifestError(f"declared/{path.name}: not UTF-8: {error}") from error


def manifest_of(text: str, path: Path) -> Manifest:
    """The manifest that a text is, as if it stood at `path`. Raises ManifestError."""
    try:
        document = read_yaml(text)
    except yaml.YAMLError as error:
        raise ManifestError(f"declared/{path.name}: not readable as YAML: {error}") from error
    problems = sorted(_validator().iter_errors(document), key=lambda e: list(map(str, e.path)))
    if problems:
        worst = [jsonschema.exceptions.best_match([problem]) for problem in problems]
        where = "; ".join(f"key {'.'.join(map(str, e.absolute_path)) or '(top)'}: {e.message[:200]}" for e in worst)
        raise ManifestError(f"declared/{path.name}: {where}")
    for key, expression in _expressions(document):
        try:
            jmespath.compile(expression)
        except jmespath.exceptions.JMESPathError as error:
            raise ManifestError(f"declared/{path.name}: key {key}: {expression!r} is no JMESPath: {error}") from error
    if not isinstance(document["checked_on"], date):
        raise ManifestError(f"declared/{path.name}: key checked_on: {document['checked_on']!r} is not a day (YYYY-MM-DD)")
    return Manifest(path.stem, path, _source(document), document)


@cache
def _validator() -> jsonschema.Draft202012Validator:
    schema = json.loads((FOLDER / "manifest.schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


def _expressions(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    readings = [("", document), *((f"requests.{n}.", request) for n, request in enumerate(document["requests"]))]
    for at, reading in readings:
        parts = dict.fromkeys(("records", "each"), reading)
        found = [(f"{at}{key}", value[key]) for key, value in parts.items() if key in value]
        found += [(f"{at}paging.{key}", reading.get("paging", {}).get(key)) for key in ("items", "next")]
        found += [(f"{at}where.{n}.path", condition["path"]) for n, condition in enumerate(reading.get("where", []))]
        for name, columns in [("row", reading.get("row", {})), *((f"offers.{n}", o) for n, o in enumerate(reading.get("offers", [])))]:
            for column, spec in columns.items():
                inside = (
                    {"": spec}
                    if isinstance(spec, str)
                    else {f".{key}": spec.get(key) for key in ("path", "at", "field", "else", "divided_by", "less_percent")}
                )
                found += [(f"{at}{name}.{column}{key}", value) for key, value in inside.items()]
        yield from ((key, value) for key, value in found if value is not None)


def _source(document: Mapping[str, Any]) -> Source:
    credential = document.get("credential", {})
    variables = tuple(credential.get("variables", ()))
    needed = not credential.get("optional", False)
    return Source(
        title=document["title"],
        homepage=document["homepage"],
        licence=document["licence"],
        semantics="reading",
        precedence=document.get("precedence", 200),
        base_url=document["base_url"],
        timeout_seconds=document.get("timeout_seconds", 60.0),
        max_payload_bytes=document.get("max_megabytes", 16) * 1024 * 1024,
        credentials=variables if needed else (),
        optional_credentials=() if needed else variables,
        hosts=tuple(document.get("hosts", ())),
        table=OFFER_TABLE,
        tier=2 if needed and variables else 1,
        certainty=document["certainty"],
        gives=document["gives"],
        terms=document.get("terms", ""),
        checked_on=document["checked_on"],
        rows_at_least=document.get("rows_at_least", 1),
        must_have=tuple(document.get("must_have", ())),
        staleness_days=document.get("staleness_days", {}),
    )
