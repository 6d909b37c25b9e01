"""The page of rules: every rule with table, reason, severity and effect, generated from the contracts and checks (`make docs`).

Belongs here: turning rules into Markdown. Does not belong here: saying anything that a rule does not say of itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipelines.catalogue.contracts import Catalogue, Contract, catalogue
from pipelines.catalogue.models import INGESTED
from pipelines.catalogue.rules import Effect, OnNull, Severity
from pipelines.platform.paths import PROJECT_FOLDER, SQL_FOLDER
from pipelines.quality import failing_rows
from pipelines.quality.results import RULES_PAGE, anchor
from pipelines.quality.row_rules import SHARE_RULE
from pipelines.quality.source_rules import SOURCE_RULES
from pipelines.quality.sql_checks import SQL_TABLE, SqlCheck, load_sql_checks

PATH = PROJECT_FOLDER / RULES_PAGE
_ON_NULL = {"pass": "keeps it", "fail": "breaks it", "not_judged": "is not judged, and counted"}
_OF_EVERY_TABLE = {
    "schema": "names, types and order of the columns are those of the contract; nothing is ever cast in silence",
    "error": "a rule or a table that cannot be computed gives no verdict, and nothing is published on it; see `can_be_made` for marts",
}
# Rules of a batch of prices, judged source by source before and after the rules of its rows.
_OF_A_BATCH: dict[str, tuple[Effect, str]] = {
    "answer_in_proportion": ("set_aside", "an answer with many times the rows known of its source is not what a market does in a day"),
    "one_row_per_key": ("quarantined", "of rows that are equal in every column of the key one is enough; the others are put aside"),
}
_INTRODUCTION = """\
# Rules

Generated from `dbt_like_models`, `sql/checks` and `pipelines/quality` by `make docs`; do not edit.

Each refresh records the verdict of every rule in `ops.check_results`; its column `rule_reference` names the place in this page.
Severity says how grave a broken rule is, effect what it does:

| effect | what happens |
|---|---|
| quarantined | the row is kept out of what is published; it is whole in `ops.quarantine` with its reason |
| set_aside | the fetch, or what a source brought to a batch, is not used: its last good one stands, the others go on |
| kept | the mart stays as it is published, marked with its day and the reason, and so do those that read it; the others are published |
| blocked | nothing new is published; the last good figures stay, marked as blocked |
| warned | the figure is published, the finding is counted and said |
"""


@dataclass(frozen=True)
class DocumentedRule:
    """One line of the page."""

    table: str
    rule: str
    kind: str
    severity: Severity
    effect: Effect
    reason: str
    on_null: OnNull | None = None
    is_derived: bool = False


def every_rule(tables: Catalogue, checks: Iterable[SqlCheck]) -> Iterator[DocumentedRule]:
    """Every rule that a refresh may record a verdict of, by table."""
    for layer in ("raw", "staging", "marts"):
        for contract in tables.layer(layer):
            yield from _rules_of(contract)
    for check in checks:
        yield DocumentedRule(
            SQL_TABLE, check.name, "sql", check.severity, "blocked" if check.severity == "critical" else "warned", check.reason
        )


def _rules_of(contract: Contract) -> Iterator[DocumentedRule]:
    table = contract.table
    for rule in contract.row_rules():
        yield DocumentedRule(table, rule.name, "row", rule.severity, rule.effect, rule.reason, rule.on_null, rule.is_derived)
    for expectation in contract.expectations():
        yield DocumentedRule(
            table, expectation.name, "table", expectation.severity, expectation.effect, expectation.reason, None, expectation.is_derived
        )
    if contract.row_effect == "quarantined":
        share = f"more than {contract.max_quarantined_share:.0%} bad rows are not a bad row here and there, but another answer"
        yield DocumentedRule(table, SHARE_RULE, "table", "critical", "set_aside" if contract.is_fetched else "blocked", share, None, True)
        yield DocumentedRule(table, failing_rows.RULE, "row", "critical", "quarantined", failing_rows.REASON, None, True)
    if contract.name == INGESTED:
        for name, (effect, reason) in _OF_A_BATCH.items():
            yield DocumentedRule(table, name, "table", "critical", effect, reason, None, True)
    for kind, reason in _OF_EVERY_TABLE.items():
        yield DocumentedRule(table, kind, kind, "critical", "blocked", reason, None, True)
    for source_rule in SOURCE_RULES:
        if source_rule.holds_for(contract):
            yield DocumentedRule(
                table, source_rule.name, "source", source_rule.severity, source_rule.effect, source_rule.reason, None, True
            )


def render(rules: Iterable[DocumentedRule]) -> str:
    """The page as Markdown: first the rules that somebody wrote, then those that follow from what columns declare."""
    found = list(rules)
    lines = [_INTRODUCTION, "## Rules of judgement", "", "What a price, a rate, a measurement or a table is held against."]
    lines += _by_table(rule for rule in found if not rule.is_derived)
    lines += [
        "",
        "## Rules that follow from declarations",
        "",
        "Columns that are never unknown, bounds, allowed values, keys, and what holds for every source.",
    ]
    lines += _by_table(rule for rule in found if rule.is_derived)
    return "\n".join(lines) + "\n"


def _by_table(rules: Iterable[DocumentedRule]) -> Iterator[str]:
    table = None
    for rule in rules:
        if rule.table != table:
            table = rule.table
            yield from (
                "",
                f"### {table}",
                "",
                "| rule | kind | severity | effect | an unknown value | reason |",
                "|---|---|---|---|---|---|",
            )
        name = f'<a id="{anchor(rule.table, rule.rule).partition("#")[2]}"></a>{rule.rule}'
        unknown = _ON_NULL[rule.on_null] if rule.on_null else ""
        yield f"| {name} | {rule.kind} | {rule.severity} | {rule.effect} | {unknown} | {rule.reason.replace('|', '/')} |"


def main() -> None:
    """Write the page."""
    PATH.write_text(render(every_rule(catalogue(), load_sql_checks(SQL_FOLDER / "checks"))), encoding="utf-8")
    print(f"wrote {PATH}")


if __name__ == "__main__":
    main()
