"""Rules of a whole table through Great Expectations: keys, allowed sets, proportions, distributions, order, row counts.

Belongs here: applying the expectations of a contract to a frame. The only module that imports great_expectations, and only inside a
function and where there are rows to look at, since the import costs seconds. Does not belong here: what the expectations are
(`catalogue.rules`), rules of one row (`row_rules`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import polars as pl
import polars.selectors as cs

from pipelines.catalogue.contracts import Contract
from pipelines.catalogue.rules import TableRule
from pipelines.quality.results import CheckError, RuleResult

# In an expectation: the rows of this table in the version that is published, for example `$rows_of_last_run * 0.7`.
ROWS_OF_LAST_RUN = "rows_of_last_run"
_ROW_COUNT = "expect_table_row_count_to_be_between"


def check_table(contract: Contract, frame: pl.DataFrame, rows_of_last_run: int | None = None) -> list[RuleResult]:
    """Apply the table rules. Raises CheckError where a rule raised instead of giving a verdict.

    Without `rows_of_last_run` a rule that names them passes and says so. Of a table without rows only its number of rows is judged.
    """
    rules = contract.expectations()
    asked = [r for r in rules if not (rows_of_last_run is None and _names_last_run(r)) and (not frame.is_empty() or r.type == _ROW_COUNT)]
    outcomes = dict(zip((r.name for r in asked), _outcomes(contract, frame, asked, rows_of_last_run), strict=True))
    return [_verdict(contract, rule, outcomes.get(rule.name), frame.height) for rule in rules]


def _names_last_run(rule: TableRule) -> bool:
    return ROWS_OF_LAST_RUN in json.dumps(rule.kwargs, default=str)


def _outcomes(contract: Contract, frame: pl.DataFrame, rules: Sequence[TableRule], rows_of_last_run: int | None) -> list[dict[str, Any]]:
    if frame.is_empty():
        # The one question that an empty table answers needs no library: every least number of rows is missed.
        return [{"success": not r.kwargs.get("min_value"), "result": {"observed_value": 0}} for r in rules]
    return _validate(frame, rules, contract, rows_of_last_run) if rules else []


def _verdict(contract: Contract, rule: TableRule, outcome: Mapping[str, Any] | None, rows: int) -> RuleResult:
    if outcome is None:
        why = "no rows to look at" if not rows else "no earlier run to compare with"
        return RuleResult(rule.name, "table", rule.severity, True, 0, rows, f"{why}: {rule.reason}", rule.effect)
    raised = _raised(outcome.get("exception_info") or {})
    if raised:
        raise CheckError(f"{contract.table}: rule {rule.name} could not be evaluated: {raised}")
    result, passed = outcome.get("result") or {}, bool(outcome["success"])
    failing = int(result.get("unexpected_count") or 0)
    shown = f"{failing} values" if failing else f"observed {json.dumps(result.get('observed_value'), default=str)[:300]}"
    detail = rule.reason if passed else f"{shown} against the rule: {rule.reason}"
    return RuleResult(rule.name, "table", rule.severity, passed, 0 if passed else failing or 1, rows, detail, rule.effect)


def _raised(info: Mapping[str, Any]) -> str | None:
    # Great Expectations gives one record, or one per metric; any of them may say that the rule raised.
    records = [info, *(value for value in info.values() if isinstance(value, Mapping))]
    return next((str(r.get("exception_message")) for r in records if r.get("raised_exception")), None)


def _validate(frame: pl.DataFrame, rules: Sequence[TableRule], contract: Contract, rows_of_last_run: int | None) -> list[dict[str, Any]]:
    gx, tables = _great_expectations()
    batch = tables.get_batch({"dataframe": _pandas(frame, rules)})
    suite = gx.ExpectationSuite(name=contract.table, expectations=[_plain(rule) for rule in rules])
    parameters = {} if rows_of_last_run is None else {ROWS_OF_LAST_RUN: rows_of_last_run}
    outcome = batch.validate(suite, result_format="SUMMARY", expectation_parameters=parameters)
    by_name = {result["expectation_config"]["meta"]["rule"]: result for result in (r.to_json_dict() for r in outcome.results)}
    return [by_name[rule.name] for rule in rules]


@cache
def _great_expectations() -> tuple[Any, Any]:
    """The library, and what takes any frame as a batch: once a process, since the import costs 3 to 9 s and 260 MB.

    One definition serves all tables: a context writes its whole configuration anew for each that it is given. It keeps the last frame.
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # read by the library at import; there is no other switch before it
    import great_expectations as gx  # noqa: PLC0415  (only where a check runs)
    from great_expectations.data_context.types.base import (  # noqa: PLC0415
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    # Without data docs: each of those would leave a folder behind.
    stores = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    config = DataContextConfig(store_backend_defaults=stores, progress_bars=ProgressBarsConfig(globally=False))
    source = gx.get_context(mode="ephemeral", project_config=config).data_sources.add_pandas("polars")
    return gx, source.add_dataframe_asset("table").add_batch_definition_whole_dataframe("all")


def _plain(rule: TableRule) -> dict[str, Any]:
    # The library knows an expression of a parameter by its own key.
    kwargs = {k: {"$PARAMETER": v.removeprefix("$")} if isinstance(v, str) and v.startswith("$") else v for k, v in rule.kwargs.items()}
    return {"type": rule.type, "kwargs": kwargs, "meta": {"rule": rule.name}, "severity": rule.severity}


def _pandas(frame: pl.DataFrame, rules: Sequence[TableRule]) -> Any:
    # One conversion per table, of the columns that a rule looks at. Texts become categories: Great Expectations hashes every value of a
    # frame several times, and a category is hashed once. Integers stay nullable: one that identifies a row would else become a float.
    import pandas as pd  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415

    def kind_of(arrow: pa.DataType) -> Any:
        if pa.types.is_integer(arrow):
            return pd.Int64Dtype()
        if pa.types.is_boolean(arrow):
            return pd.BooleanDtype()
        return pd.ArrowDtype(arrow) if pa.types.is_decimal(arrow) else None

    named = {str(value) for rule in rules for value in _flatten(rule.kwargs.values())}
    columns = [c for c in frame.columns if c in named] or frame.columns[:1]
    table: pa.Table = frame.select(columns).with_columns(cs.string().cast(pl.Categorical)).to_arrow()
    return table.to_pandas(date_as_object=False, types_mapper=kind_of)


def _flatten(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list):
            yield from _flatten(value)
        else:
            yield value
