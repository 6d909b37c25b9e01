"""The questions of `sql/queries`: each has an answer, and the page of examples shows the columns that it has."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from .queries_page import PAGE, columns_of, queries, question, render


@pytest.mark.parametrize("path", queries(), ids=lambda path: path.stem)
def test_a_question_has_an_answer_and_an_example(published: duckdb.DuckDBPyConnection, path: Path) -> None:
    sql = path.read_text(encoding="utf-8")
    assert question(sql), "a query begins with its question"
    cursor = published.execute(sql)
    columns = [column[0] for column in cursor.description]
    assert cursor.fetchall()
    shown = columns_of(PAGE.read_text(encoding="utf-8"))
    assert shown.get(path.stem) == columns, "run python -m tests.integration.queries_page PUBLISHED.duckdb"


def test_the_page_has_no_question_that_went(published: duckdb.DuckDBPyConnection) -> None:
    assert list(columns_of(PAGE.read_text(encoding="utf-8"))) == [path.stem for path in queries()]
    assert columns_of(render(published)) == columns_of(PAGE.read_text(encoding="utf-8"))
