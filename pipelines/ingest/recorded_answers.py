"""Recorded answers of sources, and which fields a live answer has beside them.

Belongs here: finding `tests/fixtures/<name>/answer*`, and the fields of an answer in JSON or CSV by their paths. Does not belong here: what
a field means (the source), writing answers (`scaffold`).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pipelines.platform.paths import PROJECT_FOLDER

FIXTURES = PROJECT_FOLDER / "tests" / "fixtures"
# An answer may stand behind a line that says what was asked (`declared.enveloped`).
_ASKED = "request"
_PREAMBLE_LINES = 10
_LONGEST_FIELD = 200


def stored_answers(name: str, fixtures: Path = FIXTURES) -> list[Path]:
    """The stored answers of a source: `tests/fixtures/<name>/answer*`, or the one file that is there."""
    files = sorted(path for path in (fixtures / name).glob("*") if path.name != "offers.csv")
    return [path for path in files if path.name.startswith("answer")] or (files if len(files) == 1 else [])


def missing_and_new(name: str, bodies: Iterable[bytes], fixtures: Path = FIXTURES) -> tuple[list[str], list[str]]:
    """Fields that these answers lack of the recorded one that each is most like, and the fields of theirs that no recorded one has.

    A recorded answer is trimmed: a new field is one to look at. Of pages there are no fields, and so of a source without recorded answers.
    """
    recorded = [fields_of(path.read_bytes()) for path in stored_answers(name, fixtures)]
    found = [fields_of(body) for body in bodies]
    if not any(recorded):
        return [], []
    live = set().union(*found)
    alike = set().union(*(max(recorded, key=lambda fields: len(fields & body)) for body in found))
    return sorted(alike - live), sorted(live - set().union(*recorded))


def fields_of(content: bytes) -> set[str]:
    """Paths of all fields (`data.prices[].usd`), or names of columns; none of what is neither JSON nor CSV."""
    line, _, rest = content.partition(b"\n")
    asked = _json(line)
    if isinstance(asked, dict) and _ASKED in asked and rest.strip():
        content = rest
    document = _json(content)
    if document is not None:
        return set(_paths(document, ""))
    if content.lstrip()[:1] in (b"<", b"{", b"["):
        return set()
    lines = content.decode("utf-8-sig", "replace").splitlines()[:_PREAMBLE_LINES]
    # Lines for people may stand before the header.
    rows = list(csv.reader(lines))
    header = next((row for row in rows if len(row) == max(len(row) for row in rows)), [])
    return {field[:_LONGEST_FIELD] for field in header} if len(header) > 1 else set()


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _paths(node: Any, path: str) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _paths(item, f"{path}[]")
    elif isinstance(node, dict):
        # An object by name or code is a list whose keys are data.
        values = list(node.values())
        by_key = len(values) > 1 and all(isinstance(v, dict) and v.keys() == values[0].keys() for v in values)
        for key, value in node.items():
            yield from _paths(value, f"{path}.*" if by_key else f"{path}.{key}".removeprefix("."))
    elif path:
        yield path[:_LONGEST_FIELD]
