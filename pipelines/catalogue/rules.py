"""What a rule of a contract is: a condition of each row, or an expectation of the whole table, with severity, effect and reason.

Belongs here: rules as data, and the ones that follow from a column's declaration. Does not belong here: applying them to a frame
(`pipelines.quality`), reading contracts (`contracts`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

if TYPE_CHECKING:
    from pipelines.catalogue.columns import Column

Severity = Literal["critical", "warning"]
# What a broken rule does. A row is quarantined; a fetch, or a source's part of a batch, is set aside; a mart is kept as it is published;
# the publication is blocked.
Effect = Literal["quarantined", "set_aside", "kept", "blocked", "warned"]
# What a rule says of a row whose figures it does not know: it keeps the rule, breaks it, or is not judged by it (which is counted).
OnNull = Literal["pass", "fail", "not_judged"]


@dataclass(frozen=True)
class RowRule:
    """A condition that each row must keep. `good` is True, False, or NULL where the row lacks what the rule compares."""

    name: str
    good: pl.Expr
    severity: Severity
    reason: str
    on_null: OnNull
    effect: Effect
    is_derived: bool = False

    @property
    def broken(self) -> pl.Expr:
        """True for a row that breaks the rule; never NULL."""
        return ~self.good.fill_null(self.on_null != "fail")

    @property
    def not_judged(self) -> pl.Expr:
        """True for a row that lacks what the rule compares, where that is no verdict."""
        return self.good.is_null() if self.on_null == "not_judged" else pl.lit(False)


@dataclass(frozen=True)
class TableRule:
    """An expectation of Great Expectations about the whole table. `kwargs` may name `$rows_of_last_run` in an expression."""

    name: str
    type: str
    kwargs: Mapping[str, Any]
    severity: Severity
    reason: str
    effect: Effect
    is_derived: bool = False


def column_rules(column: Column, nullable: bool, effect: Effect) -> Iterable[RowRule]:
    """The rules that follow from a column's declaration. An unknown value keeps all but the first."""
    value, name = pl.col(column.name), column.name

    def rule(ending: str, good: pl.Expr, reason: str) -> RowRule:
        return RowRule(f"{name}_{ending}", good, "critical", reason, "pass", effect, is_derived=True)

    if not nullable:
        yield rule("not_null", value.is_not_null(), "the contract says that it is never unknown")
    if column.type == "double":
        yield rule("finite", value.is_finite(), "NaN and infinity are not figures")
    if column.minimum is not None:
        yield rule("minimum", value >= column.minimum, f"at least {column.minimum}")
    if column.exclusive_minimum is not None:
        yield rule("above", value > column.exclusive_minimum, f"above {column.exclusive_minimum}")
    if column.maximum is not None:
        yield rule("maximum", value <= column.maximum, f"at most {column.maximum}")
    if column.allowed is not None:
        yield rule("allowed", value.is_in(list(column.allowed)), "one of " + ", ".join(column.allowed))
    if column.pattern is not None:
        yield rule("pattern", value.str.contains(f"^(?:{column.pattern})$"), f"matches {column.pattern}")


def key_rule(grain: tuple[str, ...], severity: Severity, effect: Effect) -> RowRule:
    """One row per key, as a rule of each row: both of two rows of one key break it."""
    unique = ~pl.struct(grain).is_duplicated()
    return RowRule("key_is_unique", unique, severity, "one row per " + ", ".join(grain), "fail", effect, is_derived=True)


def key_expectation(grain: tuple[str, ...], effect: Effect) -> TableRule:
    """One row per key, as an expectation of the table."""
    several = len(grain) > 1
    return TableRule(
        f"{'compound_columns_to_be_unique' if several else 'column_values_to_be_unique'}({', '.join(grain)})",
        "expect_compound_columns_to_be_unique" if several else "expect_column_values_to_be_unique",
        {"column_list": list(grain), "ignore_row_if": "never"} if several else {"column": grain[0]},
        "critical",
        "one row per " + ", ".join(grain),
        effect,
        is_derived=True,
    )


def not_empty_expectation(effect: Effect) -> TableRule:
    """At least one row."""
    return TableRule(
        "table_row_count_to_be_between",
        "expect_table_row_count_to_be_between",
        {"min_value": 1},
        "critical",
        "an empty table would take every figure away in silence",
        effect,
        is_derived=True,
    )
