"""`docs/answers.md` says what the code says of the archive: each recommendation, each figure, each argument beside its own answer."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from .answers_page import PAGE, WORKLOADS, arguments, head, section

AGAIN = "write it anew: python -m tests.integration.answers_page PUBLISHED.duckdb, and read what changed"


def page() -> list[str]:
    """The head, and the section of each workload."""
    first, *others = PAGE.read_text(encoding="utf-8").rstrip("\n").split("\n\n## ")
    return [first, *(f"## {other}" for other in others)]


def test_the_page_has_a_section_of_each_workload_and_no_other() -> None:
    assert [part.split("`")[1].rsplit("/", 1)[1] for part in page()[1:]] == [path.name for path in WORKLOADS]
    assert list(arguments()) == [path.stem for path in WORKLOADS]


def test_the_head_has_the_errors_of_rates_and_the_examples_of_today(published: duckdb.DuckDBPyConnection) -> None:
    assert page()[0] == head(published), AGAIN


@pytest.mark.parametrize("number", range(len(WORKLOADS)), ids=[path.stem for path in WORKLOADS])
def test_an_answer_of_the_page_is_that_of_the_code(published: duckdb.DuckDBPyConnection, number: int) -> None:
    path = WORKLOADS[number]
    assert page()[1 + number] == section(path, published, arguments()[path.stem]), AGAIN


def test_an_argument_is_not_printed_beside_another_answer(published: duckdb.DuckDBPyConnection) -> None:
    path: Path = WORKLOADS[0]
    argued = arguments()[path.stem]
    for other in ({"kind": "api"}, {"sure": "toss-up"}):
        with pytest.raises(ValueError, match=f"{path.stem}: argued for .*, the answer is on_demand"):
            section(path, published, argued | other)
