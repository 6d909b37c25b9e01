"""Rules of whole tables through Great Expectations: each is broken here by a table that it must not let pass."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from pipelines.catalogue.contracts import Contract, catalogue, load_catalogue
from pipelines.catalogue.rules import TableRule
from pipelines.ingest.parse import read_source
from pipelines.ingest.registry import discover
from pipelines.ingest.snapshots import SnapshotStore
from pipelines.platform.paths import MODELS_FOLDER
from pipelines.quality.table_rules import check_table
from pipelines.sources.lib.source import Payload

TABLE_RULES = [
    (contract, rule) for layer in ("raw", "staging", "marts") for contract in catalogue().layer(layer) for rule in contract.expectations()
]
DAY = dt.date(2026, 6, 1)

# Columns of a table that breaks the rule, and the rows of the last run where the rule asks for them.
BROKEN: dict[str, tuple[dict[str, list[Any]], int | None]] = {}


def table(contract: Contract, columns: dict[str, list[Any]]) -> pl.DataFrame:
    height = max((len(values) for values in columns.values()), default=1)
    return pl.DataFrame(
        {name: pl.Series(columns.get(name, [None] * height), dtype=kind) for name, kind in contract.polars_schema().items()}
    )


@pytest.mark.parametrize(("contract", "rule"), [pytest.param(c, r, id=f"{c.table}.{r.name}") for c, r in TABLE_RULES])
def test_every_table_rule_is_broken_by_its_bad_table(contract: Contract, rule: TableRule) -> None:
    if not rule.is_derived:
        assert f"{contract.table}.{rule.name}" in BROKEN, "give the rule a table that breaks it in BROKEN"
        columns, rows_of_last_run = BROKEN[f"{contract.table}.{rule.name}"]
        bad = table(contract, columns)
    elif rule.type == "expect_table_row_count_to_be_between":
        bad, rows_of_last_run = pl.DataFrame(schema=contract.polars_schema()), None
    else:
        bad, rows_of_last_run = table(contract, {contract.grain[0]: [None] * 2}), None
        if len(contract.grain) == 1:
            kind = contract.polars_schema()[contract.grain[0]]
            bad = bad.with_columns(pl.lit("x" if kind == pl.String else 1).cast(kind).alias(contract.grain[0]))
    verdict = next(r for r in check_table(contract, bad, rows_of_last_run) if r.rule == rule.name)
    assert (verdict.passed, verdict.severity, verdict.declared_effect) == (False, rule.severity, rule.effect)


def test_no_bad_table_is_left_of_a_rule_that_is_gone() -> None:
    assert {f"{c.table}.{r.name}" for c, r in TABLE_RULES if not r.is_derived} == BROKEN.keys()


def test_an_impossible_rule_of_a_curated_table_rejects_it(tmp_path: Any) -> None:
    folder = tmp_path / "models"
    for path in MODELS_FOLDER.rglob("*"):
        if path.suffix in (".yml", ".json"):
            (folder / path.relative_to(MODELS_FOLDER)).parent.mkdir(parents=True, exist_ok=True)
            (folder / path.relative_to(MODELS_FOLDER)).write_text(path.read_text())
    with (folder / "raw" / "reference_gpu.yml").open("a") as contract:
        contract.write(
            "table_rules: [{name: heavier_than_any, type: expect_column_min_to_be_between, kwargs: {column: gpu_memory_gb,"
            " min_value: 1000000}, severity: critical, reason: no device has a million gigabytes}]\n"
        )
    impossible = load_catalogue(folder)
    module = discover(impossible)["reference_gpu"]
    store = SnapshotStore(tmp_path / "snapshots")
    payload = next(iter(module.fetch(None)))  # type: ignore[arg-type]
    assert isinstance(payload, Payload)
    store.add("reference_gpu", DAY, "a run", [payload])
    read = read_source(module, impossible.tables["reference_gpu"], impossible, store, DAY)
    assert read.frame.is_empty() and not read.used
    (verdict,) = (r for r in read.results if r.rule == "heavier_than_any")
    assert verdict.blocks and "observed" in verdict.detail
