"""Rules of the repository, as tests."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from pipelines.catalogue.contracts import ContractError, catalogue, load_catalogue
from pipelines.catalogue.models import INGESTED, load_models, models
from pipelines.catalogue.published_sql import bi_views, macros
from pipelines.ingest.registry import discover
from pipelines.platform.paths import MODELS_FOLDER
from tests.support.paths import ROOT


def files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_top_level_is_as_agreed() -> None:
    names = {p.relative_to(ROOT).parts[0] for p in files()}
    assert {
        "pipelines",
        "sql",
        "dbt_like_models",
        "tests",
        "workspace.yaml",
        "pyproject.toml",
        "README.md",
        "Makefile",
        "LICENSE",
        "NOTICE",
        "CHANGELOG.md",
    } <= names


def test_every_source_has_its_parts() -> None:
    for name, module in discover(catalogue()).items():
        contract = catalogue().tables[module.table]
        assert contract.licence and contract.sources, name
        assert module.source.licence, name
        assert module.source.title and module.source.semantics, name


def test_every_column_is_used_and_has_a_unit() -> None:
    tables = [*catalogue().tables.values(), *catalogue().feeds.values()]
    used = {column.name for table in tables for column in table.columns}
    assert set(catalogue().columns) - used == {"source", "semantics", "precedence", "staleness_limit_days"} - used
    for column in catalogue().columns.values():
        assert column.unit, column.name
        if column.name.endswith("_share"):
            assert (column.minimum, column.maximum) in ((0, 1), (None, 1)), column.name
        if column.name.endswith("_at"):
            assert column.type == "timestamp", column.name
        if column.name.endswith("_on") and column.type != "date":
            raise AssertionError(f"{column.name} ends in _on and is {column.type}")
        if column.name.startswith(("is_", "has_")):
            assert column.type == "boolean", column.name


def test_no_reserved_word_is_a_column() -> None:
    import duckdb

    reserved = {
        w for (w,) in duckdb.connect().execute("SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category = 'reserved'").fetchall()
    }
    assert reserved & set(catalogue().columns) == set()


def test_data_dictionary_is_up_to_date() -> None:
    from pipelines.catalogue.dictionary import render

    assert (ROOT / "docs" / "data-dictionary.md").read_text() == render(catalogue(), models(), bi_views(), macros()), "run make docs"


@pytest.mark.parametrize("path", sorted((ROOT / "deploy" / "superset" / "datasets").rglob("*.yaml")), ids=lambda path: path.stem)
def test_a_data_set_of_superset_has_the_columns_of_its_view(path: Path) -> None:
    import yaml

    from deploy.superset.write_datasets import render

    said = path.read_text(encoding="utf-8")
    assert said == render(yaml.safe_load(said), bi_views()), "run make docs"


def test_no_mart_reads_prices_that_nobody_judged() -> None:
    """What a batch sets aside stands in the raw tables all the same: a mart reads the history, or what made it."""
    unjudged = {contract.name for contract in catalogue().fed_by("observation")}
    assert {name for name, model in models().items() if unjudged & set(model.inputs)} == {INGESTED}


def test_the_core_imports_in_one_direction() -> None:
    for module, forbidden in {
        "catalogue/contracts": r"from pipelines\.(?!platform|catalogue\.(?:rules|columns|documents) )|import pipelines",
        "catalogue/rules": r"(?m)^(?:from|import) pipelines",
        "economics": r"from pipelines\.(?!economics)|import duckdb|import requests|open\(",
        "sources": r"import duckdb|from pipelines\.(?!sources|platform)|great_expectations",
    }.items():
        paths = [ROOT / "pipelines" / f"{module}.py"] if "/" in module else sorted((ROOT / "pipelines" / module).rglob("*.py"))
        for path in paths:
            assert not re.search(forbidden, path.read_text()), path
    for path in sorted((ROOT / "pipelines").rglob("*.py")):
        uses = re.search(r"^\s*(import|from) great_expectations", path.read_text(), flags=re.MULTILINE)
        assert uses is None or path.name == "table_rules.py", path


def test_no_loop_over_rows() -> None:
    for path in [*sorted(MODELS_FOLDER.rglob("*.py")), *sorted((ROOT / "pipelines" / "economics").glob("*.py"))]:
        assert not re.search(r"map_elements|iter_rows|\.apply\(|to_dicts", path.read_text()), path


def test_no_statement_leaves_the_choice_among_equals_to_the_engine() -> None:
    """`arg_min(provider, price)` names any of two that ask the same; `first(provider ORDER BY price, provider)` says which."""
    files = [path for folder in ("pipelines", "dbt_like_models", "sql") for path in (ROOT / folder).rglob("*.sql")]
    files += [ROOT / "pipelines" / "cli" / "commands" / "show.py"]
    assert [path.name for path in files if re.search(r"\barg_(min|max)\(", path.read_text(encoding="utf-8"))] == []


def test_the_european_union_stands_once_in_python_and_once_in_sql() -> None:
    files = [path for folder in ("pipelines", "dbt_like_models", "sql") for path in (ROOT / folder).rglob("*.*") if path.suffix != ".pyc"]
    listed = [path for path in files if path.is_file() and re.search(rb"AT\W+BE\W+BG\W+CY\W+CZ", path.read_bytes())]
    assert sorted(path.name for path in listed) == ["places.py", "places.sql"]


def test_views_read_what_they_declare() -> None:
    for name, view in bi_views().items():
        assert view.comment.endswith("."), f"{name} says what it is"
        assert view.reads and view.columns, name
    for macro in macros():
        assert macro.comment.endswith((".", ").")), f"{macro.name} says what it is"


def broken(tmp_path: Path, **files: str) -> Path:
    for name in ("columns.schema.json", "contract.schema.json"):
        (tmp_path / name).write_text((MODELS_FOLDER / name).read_text())
    for layer in ("raw", "staging", "marts", "ops", "feeds"):
        (tmp_path / layer).mkdir(exist_ok=True)
    (tmp_path / "columns.yml").write_text(
        'a: {type: integer, unit: none, description: "a column"}\nb: {type: text, unit: none, description: "another column"}\n'
        'fetched_at: {type: timestamp, unit: none, description: "of the lineage"}\n'
        'snapshot_sha256: {type: text, unit: none, description: "of the lineage"}\n'
    )
    for name, text in files.items():
        layer, stem, ending = name.split("__")
        (tmp_path / layer / f"{stem}.{ending}").write_text(text)
    return tmp_path


TABLE = "description: a table of a test\ngrain: [a]\ncolumns: [a]\n"
RULE_OF_A_TABLE = (
    "table_rules: [{name: r, type: expect_column_sum_to_be_between, kwargs: {column: a}, severity: critical, reason: because it is so}]\n"
)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"staging__t__yml": TABLE.replace("[a]", "[c]")}, "'c' is not in columns.yml"),
        ({"staging__t__yml": TABLE + "nonsense: 1\n"}, "nonsense"),
        ({"staging__t__yml": TABLE + "grain: [b]\n"}, "stands twice"),
        ({"staging__t__yml": TABLE.replace("grain: [a]", "grain: [b]")}, "'b' is not a column of the table"),
        ({"staging__t__yml": TABLE, "marts__t__yml": TABLE}, "same name"),
        (
            {"staging__t__yml": TABLE + "rules: [{name: r, sql: '(((', severity: critical, on_null: pass, reason: because it is so}]\n"},
            "key rules",
        ),
        (
            {"staging__t__yml": TABLE + "rules: [{name: r, sql: a > 1, severity: critical, reason: because it is so}]\n"},
            "'on_null' is a required",
        ),
        (
            {"feeds__t__yml": TABLE + "rules: [{name: r, sql: a > 1, severity: critical, on_null: pass, reason: because it is so}]\n"},
            "never asked",
        ),
        ({"ops__t__yml": TABLE + RULE_OF_A_TABLE}, "never asked"),
        ({"marts__t__yml": TABLE + "must_have: {column: a, values: [x]}\n"}, "only a raw table may declare must_have"),
        ({"raw__t__yml": TABLE.replace("[a]", "[b]") + "must_have: {column: c, values: [x]}\n"}, "key must_have: 'c'"),
        (
            {"marts__t__yml": TABLE + RULE_OF_A_TABLE, "marts__t__py": "def t(history, partition):\n    return history\n"},
            "a part at a time",
        ),
        (
            {"marts__t__yml": TABLE + "encoding: {dictionary: {}, delta_from: b, derived: {}}\n"},
            "key encoding: 'b' is not a column of the table",
        ),
        ({"staging__t__yml": TABLE + "products: {a: [a, a]}\n"}, "only a mart may declare products"),
        ({"marts__t__yml": TABLE + "products: {a: [b, a]}\n"}, "key products: 'b' is not a column of the table"),
        ({"marts__t__yml": TABLE.replace("[a]", "[a, b]") + "products: {a: [b, b], b: [a, a]}\n"}, "key products: 'b' is a product itself"),
        ({"staging__t__yml": TABLE}, "no model"),
        ({"staging__t__yml": TABLE, "staging__t__py": "def other(x):\n    return x\n"}, "expected a function 't', found"),
        ({"staging__t__yml": TABLE, "staging__t__py": "def t(nothing):\n    return nothing\n"}, "input 'nothing'"),
        ({"staging__t__yml": TABLE, "staging__t__py": "def t(all_things):\n    return all_things\n"}, "no feed 'things'"),
        ({"staging__t__yml": TABLE, "staging__t__sql": "DELETE FROM x"}, "expected one SELECT"),
        ({"staging__t__yml": TABLE, "staging__t__sql": "SELECT a FROM bare"}, "without its schema"),
        (
            {
                "staging__t__yml": TABLE,
                "staging__t__sql": "SELECT a FROM staging.u",
                "staging__u__yml": TABLE,
                "staging__u__sql": "SELECT a FROM staging.t",
            },
            "in a circle",
        ),
        (
            {
                "marts__m__yml": TABLE,
                "marts__m__sql": "SELECT 1 AS a",
                "staging__t__yml": TABLE,
                "staging__t__sql": "SELECT a FROM marts.m",
            },
            "input 'm'",
        ),
    ],
)
def test_a_wrong_contract_or_model_is_named_at_load(tmp_path: Path, files: dict[str, str], said: str) -> None:
    with pytest.raises(ContractError, match=re.escape(said)):
        load_models(load_catalogue(broken(tmp_path, **files)), tmp_path)


def test_lineage_is_sound() -> None:
    order = list(models())
    for name, model in models().items():
        for wanted in model.inputs:
            if wanted in models():
                assert order.index(wanted) < order.index(name)
