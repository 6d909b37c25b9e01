"""A query reaches the tables of the version and nothing else, within bounds; what it gives is safe on a terminal and in a spreadsheet."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from pipelines.cli.main import main
from pipelines.platform.settings import Settings
from pipelines.publication import reader


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data" / "published"
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "breakeven.duckdb")) as connection:
        connection.execute("CREATE SCHEMA marts; CREATE TABLE marts.t AS SELECT range AS n, '=1+1' AS formula FROM range(25000)")
    monkeypatch.setenv("BREAKEVEN_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "THE-SECRET")
    return tmp_path


REFUSED = [
    "SELECT content FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/proc/self/environ')",
    "SELECT * FROM '{folder}/secret.csv'",
    "SELECT * FROM glob('{folder}/*')",
    "SELECT * FROM sniff_csv('{folder}/secret.csv')",
    "SELECT * FROM sqlite_scan('{folder}/x', 't')",
    "SELECT * FROM read_csv('https://example.org/x.csv')",
    "SELECT getenv('AWS_SECRET_ACCESS_KEY')",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM options",
    "COPY (SELECT 1) TO '{folder}/written.csv'",
    "COPY marts.t FROM '{folder}/secret.csv'",
    "ATTACH '{folder}/other.duckdb' AS h",
    "EXPORT DATABASE '{folder}/written'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET memory_limit = '100GB'",
    "SET enable_external_access = true",
    "RESET lock_configuration",
    "PRAGMA memory_limit = '100GB'",
    "CREATE TABLE marts.x (n INTEGER)",
    "UPDATE marts.t SET n = 1",
    "CALL pragma_version()",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{folder}/written.csv'",
    "SELECT 1; COPY (SELECT 1) TO '{folder}/written.csv'",
    "",
]


@pytest.mark.parametrize("sql", REFUSED)
def test_nothing_outside_the_version_is_reached(data: Path, sql: str, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "secret.csv").write_text("a\nTHE-SECRET\n")
    before = sorted(p.name for p in data.iterdir())
    assert main(["query", sql.format(folder=data)]) in (1, 2)
    said = capsys.readouterr()
    assert "THE-SECRET" not in said.out + said.err and "root:" not in said.out and said.out == ""
    assert sorted(p.name for p in data.iterdir()) == before


def test_a_query_ends_in_time(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    endless = "WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r"
    assert main(["query", endless, "--timeout", "0.5"]) == 2
    assert "stopped after" in capsys.readouterr().err


def test_a_single_call_gets_no_more_memory_than_a_query_may_have(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # The database's own limit does not count what one value takes.
    assert main(["query", "SELECT length(repeat('x', 4000000000))"]) == 1
    assert "memory" in capsys.readouterr().err.lower()


def test_rows_are_limited_and_it_is_said(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "FROM marts.t", "--format", "csv"]) == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 10_001 and "first 10,000 rows" in said.err
    assert main(["query", "FROM marts.t", "--format", "json", "--limit", "0"]) == 0
    said = capsys.readouterr()
    assert len(json.loads(said.out)) == 25_000 and said.err == ""
    assert main(["query", "FROM marts.t LIMIT 10", "--limit", "10", "--json"]) == 0
    assert capsys.readouterr().err == ""


def test_text_of_others_does_no_harm(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sql = "SELECT formula, chr(27) || '[31mred' AS said, -1.5 AS figure FROM marts.t LIMIT 1"
    assert main(["query", sql]) == 0
    assert "\x1b" not in capsys.readouterr().out
    assert main(["query", sql, "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("'=1+1,")
    assert main(["query", "SELECT '<b>|x' AS a", "--format", "markdown"]) == 0
    assert "&lt;b>\\|x" in capsys.readouterr().out


def test_parquet_goes_to_a_file(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "FROM marts.t", "--format", "parquet"]) == 2
    file = data / "rows.parquet"
    assert main(["query", "FROM marts.t", "--format", "parquet", "--limit", "0", "-o", str(file)]) == 0
    assert pq.read_table(file).num_rows == 25_000
    capsys.readouterr()


def test_a_library_may_use_parameters(data: Path) -> None:
    with reader.published(Settings(data=data / "data")) as connection:
        assert reader.rows(connection, "SELECT count(*) AS n FROM marts.t WHERE n < ?", [7]) == [{"n": 7}]
