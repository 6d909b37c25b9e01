"""Stored answers with one value of another kind: the row that it is in is put aside by the rules, or says no price; no other is lost.

A parser that fails on such a value takes the whole answer with it: its guard turns the failure into a ParseError that has a cause.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from pipelines.ingest.scaffold import stored_answers
from pipelines.sources.lib.decode import Parser, parser
from pipelines.sources.lib.errors import ParseError, SourceError
from tests.support.recorded import MODULES

VALUES: tuple[Any, ...] = ([], {}, [[]], None, "", True, -1, "1,234.50", "NaN", 1e300)
MOST_LEAVES = 60
Path = tuple[str | int, ...]


def answers(name: str) -> Iterator[Any]:
    for path in stored_answers(name):
        try:
            yield json.loads(path.read_bytes())
        except ValueError:
            continue


def leaves(node: Any, path: Path = ()) -> Iterator[Path]:
    """Where the values of a document are; of a list the first two items, as the others have the same fields."""
    inside = node.items() if isinstance(node, dict) else enumerate(node[:2]) if isinstance(node, list) else ()
    for name, value in inside:
        yield from leaves(value, (*path, name))
    if not isinstance(node, dict | list):
        yield path


def with_value(document: Any, path: Path, value: Any) -> Any:
    changed = copy.deepcopy(document)
    parent = changed
    for name in path[:-1]:
        parent = parent[name]
    parent[path[-1]] = value
    return changed


def failures(parse: Parser, document: Any) -> Iterator[str]:
    for path in list(leaves(document))[:MOST_LEAVES]:
        for value in VALUES:
            try:
                parse(json.dumps(with_value(document, path, value)).encode())
            except (ParseError, SourceError) as error:
                if not isinstance(error.__cause__, ParseError | SourceError | json.JSONDecodeError | None):
                    yield f"{'.'.join(map(str, path))} = {value!r}: {error}"


@pytest.mark.parametrize("name", sorted(name for name in MODULES if any(True for _ in answers(name))))
def test_a_value_of_another_kind_takes_no_answer_with_it(name: str) -> None:
    assert [failure for document in answers(name) for failure in failures(MODULES[name].parse, document)] == []


def test_a_parser_that_fails_is_found() -> None:
    @parser("offers")
    def careless(content: bytes) -> pl.DataFrame:
        return pl.DataFrame([item for item in json.loads(content) if item["name"] in {"H100", "H200"}])

    found = list(failures(careless, [{"name": "H100", "usd": 2.5}, {"name": "H200", "usd": 3.5}]))
    assert "0.name = []: offers: TypeError: unhashable type: 'list'" in found
