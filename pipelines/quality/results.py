"""Verdicts: what a rule said of a table, and what came of it.

Belongs here: the verdict of one rule, verdicts on several parts of a table as one, and the row of `ops.check_results` that records
them. Does not belong here: applying rules (the other modules of this package), writing the record (`publication.ops`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from pipelines.catalogue.rules import Effect, Severity

# Rules of each row, of the whole table, of several tables (sql/checks), of a source's snapshots; columns and types; a check that broke.
Kind = Literal["row", "table", "sql", "source", "schema", "error"]
# Of the parts of a table that break a rule so many are named; the status of a source names each.
_DETAILS_SHOWN = 5
RULES_PAGE = "docs/quality-rules.md"


class CheckError(Exception):
    """A rule could not be evaluated: an error of the check, never a verdict about the data. Names the table and the rule."""


@dataclass(frozen=True)
class RuleResult:
    """Verdict of one rule. `failing_count` counts rows (row rules) or unexpected values (table rules), `unknown_count` rows that lacked
    what the rule compares. `effect`: what a critical rule does where it is broken; a warning only warns.
    """

    rule: str
    kind: Kind
    severity: Severity
    passed: bool
    failing_count: int
    row_count: int
    detail: str
    effect: Effect = "blocked"
    unknown_count: int = 0

    @property
    def declared_effect(self) -> Effect:
        """What the rule does where it is broken."""
        return "warned" if self.severity == "warning" else self.effect

    @property
    def blocks(self) -> bool:
        """True where this verdict must stop the publication."""
        return not self.passed and self.declared_effect == "blocked"

    @property
    def rejects(self) -> bool:
        """True where what was judged must not be used: a fetch, a source's part of a batch, a table."""
        return not self.passed and self.declared_effect in ("blocked", "set_aside")


def merged(parts: Iterable[Iterable[RuleResult]]) -> list[RuleResult]:
    """Verdicts on parts of a table as verdicts on the table: passed where each part did, with the details of those that did not."""
    by_rule: dict[tuple[str, str], list[RuleResult]] = {}
    for part in parts:
        for result in part:
            by_rule.setdefault((result.rule, result.kind), []).append(result)
    return [
        replace(
            next((r for r in own if not r.passed), own[-1]),
            detail=_details([r.detail for r in own if not r.passed]) or own[-1].detail,
            failing_count=sum(r.failing_count for r in own),
            row_count=sum(r.row_count for r in own),
            unknown_count=sum(r.unknown_count for r in own),
        )
        for own in by_rule.values()
    ]


def _details(broken: list[str]) -> str:
    shown = list(dict.fromkeys(broken))
    more = f" | and {len(shown) - _DETAILS_SHOWN} more" if len(shown) > _DETAILS_SHOWN else ""
    return " | ".join(shown[:_DETAILS_SHOWN]) + more


def anchor(table: str, rule: str) -> str:
    """Where the page of rules explains a rule of a table: `docs/quality-rules.md#staging.price_observation.far_from_median`."""
    return f"{RULES_PAGE}#{table}.{rule}".replace("(", ".").replace(")", "").replace(", ", ".")


def as_check_results(table: str, results: Iterable[RuleResult]) -> Iterable[dict[str, Any]]:
    """Rows of `ops.check_results` about one table."""
    for result in results:
        yield {
            "table_name": table,
            "rule": result.rule,
            "rule_kind": result.kind,
            "severity": result.severity,
            "effect": result.declared_effect,
            "is_passed": result.passed,
            "failing_count": result.failing_count,
            "unknown_count": result.unknown_count,
            "row_count": result.row_count,
            "detail": result.detail,
            "rule_reference": anchor(table, result.rule),
        }
