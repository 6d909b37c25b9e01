"""Checks of a table, in this order: row rules in polars, quarantine, then table rules through Great Expectations.

Belongs here: applying a contract's rules to a frame. The only module that imports great_expectations, and only inside a function,
since the import costs seconds. Does not belong here: what the rules are (`contracts`), storing verdicts (`ops`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import polars as pl
import polars.selectors as cs

from pipelines.catalogue.contracts import Contract, Severity


class CheckError(Exception):
    """A rule could not be evaluated: an error of the check, never a verdict about the data. Names the table and the rule."""


@dataclass(frozen=True)
class RuleResult:
    """Verdict of one rule. `failing_count` counts rows (row rules) or unexpected values (table rules)."""

    rule: str
    kind: str
    severity: Severity
    passed: bool
    failing_count: int
    row_count: int
    detail: str

    @property
    def blocks(self) -> bool:
        """True where this verdict must stop what is downstream."""
        return not self.passed and self.severity == "critical"


@dataclass(frozen=True)
class Checked:
    """A frame after its checks: the good rows, the bad ones with rule and reason, and all verdicts."""

    good: pl.DataFrame
    quarantined: pl.DataFrame
    results: list[RuleResult] = field(default_factory=list)

    @property
    def blocks(self) -> bool:
        """True where any verdict must stop what is downstream."""
        return any(result.blocks for result in self.results)

    def summary(self) -> str:
        """The blocking verdicts in one line."""
        return "; ".join(f"{r.rule}: {r.detail}" for r in self.results if r.blocks)


QUARANTINE_SCHEMA = pl.Schema({"row_key": pl.String(), "rule": pl.String(), "reason": pl.String(), "row_json": pl.String()})


def check_rows(contract: Contract, frame: pl.LazyFrame, *, may_quarantine: bool, rows_beside: int = 0) -> Checked:
    """Apply the row rules.

    With `may_quarantine`, rows that break a critical rule are taken out and kept with rule and reason, and only too large a share of
    them blocks: of the frame, or of the `rows_beside` that are there already where they are more, so that one bad row of the three that
    are new on a quiet day stops nothing. Without it (marts, where a bad row is a bug) a broken critical rule blocks.
    """
    rules = contract.row_rules()
    flags = [(~rule.good.fill_null(True)).alias(f"__bad_{i}") for i, rule in enumerate(rules)]
    try:
        marked = frame.with_columns(flags).collect()
    except pl.exceptions.PolarsError as error:
        raise CheckError(f"{contract.table}: a row rule could not be evaluated: {error}") from error
    names = [f"__bad_{i}" for i in range(len(rules))]
    counts = marked.select(pl.col(names).sum()).row(0) if names else ()
    results = [
        RuleResult(
            rule.name,
            "row",
            # What can be quarantined does not block by itself; what cannot, does.
            "warning" if may_quarantine else rule.severity,
            count == 0,
            count,
            marked.height,
            f"{count} of {marked.height} rows break it: {rule.reason}",
        )
        for rule, count in zip(rules, counts, strict=True)
    ]
    critical = [(name, rule) for name, rule in zip(names, rules, strict=True) if rule.severity == "critical"]
    good, quarantined = marked.drop(names), pl.DataFrame(schema=QUARANTINE_SCHEMA)
    if may_quarantine and any(marked.get_column(name).any() for name, _ in critical):
        first_broken = pl.coalesce(pl.when(pl.col(name)).then(pl.lit(index)) for index, (name, _) in enumerate(critical)).alias("__broken")
        with_verdict = marked.with_columns(first_broken)
        good = with_verdict.filter(pl.col("__broken").is_null()).drop([*names, "__broken"])
        bad = with_verdict.filter(pl.col("__broken").is_not_null())
        quarantined = _quarantine(contract, bad, [rule.name for _, rule in critical], [rule.reason for _, rule in critical])
        rows = max(marked.height, rows_beside)
        results.append(
            RuleResult(
                "quarantined_share",
                "table",
                "critical",
                bad.height <= rows * contract.max_quarantined_share,
                bad.height,
                rows,
                f"{bad.height} of {rows} rows are quarantined, at most {contract.max_quarantined_share:.0%} may be",
            )
        )
    return Checked(good, quarantined, results)


def _quarantine(contract: Contract, bad: pl.DataFrame, rules: list[str], reasons: list[str]) -> pl.DataFrame:
    columns = contract.column_names
    # JSON has neither dates nor NaN: every value is kept as the text in which it is shown.
    as_text = pl.struct(pl.col(c).cast(pl.String) for c in columns).struct.json_encode()
    key = pl.concat_str([pl.col(c).cast(pl.String).fill_null("") for c in contract.grain], separator=" | ")
    return bad.select(
        row_key=key,
        rule=pl.col("__broken").replace_strict(dict(enumerate(rules)), return_dtype=pl.String),
        reason=pl.col("__broken").replace_strict(dict(enumerate(reasons)), return_dtype=pl.String),
        row_json=as_text,
    )


def merged(parts: Iterable[Iterable[RuleResult]]) -> list[RuleResult]:
    """Verdicts on parts of a table as verdicts on the table: passed where each part did, with the detail of the first that did not."""
    by_rule: dict[tuple[str, str], list[RuleResult]] = {}
    for part in parts:
        for result in part:
            by_rule.setdefault((result.rule, result.kind), []).append(result)
    return [
        replace(
            next((r for r in own if not r.passed), own[-1]),
            failing_count=sum(r.failing_count for r in own),
            row_count=sum(r.row_count for r in own),
        )
        for own in by_rule.values()
    ]


def check_table(contract: Contract, frame: pl.DataFrame) -> list[RuleResult]:
    """Apply the table rules through Great Expectations. Raises CheckError where a rule raised instead of giving a verdict."""
    expectations = contract.expectations()
    suite_result = _validate(frame, expectations, contract)
    results = []
    for expectation, outcome in zip(expectations, suite_result, strict=True):
        info = outcome.get("exception_info") or {}
        raised = _raised(info)
        if raised:
            raise CheckError(f"{contract.table}: rule {expectation['type']} could not be evaluated: {raised}")
        result = outcome.get("result") or {}
        failing = int(result.get("unexpected_count") or 0)
        observed = result.get("observed_value")
        detail = expectation["meta"]["reason"]
        if not outcome["success"]:
            shown = f"{failing} values" if failing else f"observed {json.dumps(observed, default=str)[:300]}"
            detail = f"{shown} against the rule: {detail}"
        results.append(
            RuleResult(
                _rule_name(expectation),
                "table",
                expectation["severity"],
                bool(outcome["success"]),
                failing or int(not outcome["success"]),
                frame.height,
                detail,
            )
        )
    return results


def _rule_name(expectation: Mapping[str, Any]) -> str:
    kwargs = expectation["kwargs"]
    columns = [kwargs[k] for k in ("column", "column_A", "column_B") if k in kwargs] + list(kwargs.get("column_list", []))
    kind: str = expectation["type"]
    return kind.removeprefix("expect_") + (f"({', '.join(columns)})" if columns else "")


def _raised(info: Mapping[str, Any]) -> str | None:
    # Great Expectations gives one record, or one per metric; any of them may say that the rule raised.
    records = [info, *(value for value in info.values() if isinstance(value, Mapping))]
    return next((str(r.get("exception_message")) for r in records if r.get("raised_exception")), None)


def _validate(frame: pl.DataFrame, expectations: list[dict[str, Any]], contract: Contract) -> list[dict[str, Any]]:
    gx, context = _great_expectations()
    batch = (
        context.data_sources.add_or_update_pandas("polars")
        .add_dataframe_asset(contract.table)
        .add_batch_definition_whole_dataframe("all")
        .get_batch({"dataframe": _pandas(frame, expectations)})
    )
    suite = gx.ExpectationSuite(name=contract.table, expectations=[_plain(e) for e in expectations])
    outcome = batch.validate(suite, result_format="SUMMARY")
    context.data_sources.delete("polars")  # it would keep the frame until the next table
    by_identity = [result.to_json_dict() for result in outcome.results]
    return _in_order(by_identity, expectations)


@cache
def _great_expectations() -> tuple[Any, Any]:
    """The library and one context in memory, once a process: the import costs 3 to 9 s and 260 MB."""
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
    return gx, gx.get_context(mode="ephemeral", project_config=config)


def _plain(expectation: Mapping[str, Any]) -> dict[str, Any]:
    return {key: expectation[key] for key in ("type", "kwargs", "meta", "severity")}


def _in_order(results: list[dict[str, Any]], expectations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    remaining, ordered = list(results), []
    for expectation in expectations:
        found = next(
            r
            for r in remaining
            if r["expectation_config"]["type"] == expectation["type"]
            and expectation["kwargs"].items() <= r["expectation_config"]["kwargs"].items()
        )
        remaining.remove(found)
        ordered.append(found)
    return ordered


def _pandas(frame: pl.DataFrame, expectations: list[dict[str, Any]]) -> Any:
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

    named = {str(value) for e in expectations for value in _flatten(e["kwargs"].values())}
    columns = [c for c in frame.columns if c in named] or frame.columns[:1]
    table: pa.Table = frame.select(columns).with_columns(cs.string().cast(pl.Categorical)).to_arrow()
    return table.to_pandas(date_as_object=False, types_mapper=kind_of)


def _flatten(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list):
            yield from _flatten(value)
        else:
            yield value
