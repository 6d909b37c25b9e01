"""Asset checks: the rules of a table by kind and severity, so that Dagster's pages say which kind of rule failed, and which rule.

A raw table has one check for all of its rules, none of which blocks, beside the state of its sources: each check of each table is three
events of a run, and raw tables are the most.

Belongs here: which checks an asset has, and verdicts as their results. Does not belong here: rules and verdicts (`pipelines.quality`).
"""

from collections.abc import Iterable, Mapping

import dagster as dg

from pipelines.catalogue.contracts import Contract
from pipelines.quality.results import RuleResult
from pipelines.quality.source_rules import SOURCE_RULES

# Fetching and reading a source: failed where it is stale, partial, failed or offline. Never blocks: its last good rows stand.
SOURCE_STATE = "source_state"
# All rules of a raw table.
_RULES = "rules"
_WELL = ("ok", "disabled", "not_tried")


def rule_checks(contract: Contract) -> list[str]:
    """Names of the checks of a table: `<kind>_<severity>` for each kind of rule that may give a verdict on it, one for a raw table."""
    if contract.layer == "raw":
        return [_RULES]
    rules: list[tuple[str, str]] = [("row", rule.severity) for rule in contract.row_rules()]
    rules += [("table", rule.severity) for rule in contract.expectations()]
    rules += [("source", rule.severity) for rule in SOURCE_RULES if rule.holds_for(contract)]
    # The share of quarantined rows is judged in every table.
    return sorted({f"{kind}_{severity}" for kind, severity in [*rules, ("table", "critical")]})


def check_specs(key: dg.AssetKey, names: Iterable[str], *, may_block: bool) -> list[dg.AssetCheckSpec]:
    """Specs of checks of these names; a critical one blocks what is downstream where the table's rules may block at all."""
    return [
        dg.AssetCheckSpec(
            name,
            asset=key,
            blocking=may_block and name.endswith("_critical"),
            description=f"{_which_rules(name)}; the failed ones are named in the metadata.",
        )
        for name in names
    ]


def _which_rules(check: str) -> str:
    kind, _, severity = check.partition("_")
    return "All rules" if check == _RULES else f"Rules of kind {kind} with severity {severity}"


def rule_results(key: dg.AssetKey, names: Iterable[str], verdicts: Iterable[RuleResult]) -> list[dg.AssetCheckResult]:
    """One result per check: failed where one of its rules is broken, an error where one of those blocks; the broken ones by name."""
    of_check: dict[str, list[RuleResult]] = {name: [] for name in names}
    for verdict in verdicts:
        of_check[_RULES if _RULES in of_check else f"{verdict.kind}_{verdict.severity}"].append(verdict)
    return [_result(key, name, own) for name, own in of_check.items()]


def _result(key: dg.AssetKey, name: str, verdicts: list[RuleResult]) -> dg.AssetCheckResult:
    broken = [v for v in verdicts if not v.passed]
    return dg.AssetCheckResult(
        check_name=name,
        asset_key=key,
        passed=not broken,
        severity=dg.AssetCheckSeverity.ERROR if any(v.blocks for v in broken) else dg.AssetCheckSeverity.WARN,
        description="; ".join(v.rule for v in broken) or None,
        metadata={"rules": len(verdicts), **{v.rule: v.detail for v in broken}},
    )


def source_state_spec(key: dg.AssetKey) -> dg.AssetCheckSpec:
    """The check whether a source was fetched and read; it warns."""
    return dg.AssetCheckSpec(
        SOURCE_STATE, asset=key, description="Fails where a source of the table is stale, partial, failed or offline; never blocks."
    )


def source_state_result(key: dg.AssetKey, states: Mapping[str, tuple[str, str | None]]) -> dg.AssetCheckResult:
    """The status of each source of a table, and why, as the result of its check."""
    unwell = {name: f"{status}: {why or 'no reason was given'}" for name, (status, why) in states.items() if status not in _WELL}
    return dg.AssetCheckResult(
        check_name=SOURCE_STATE,
        asset_key=key,
        passed=not unwell,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(f"{name} is {what}" for name, what in unwell.items()) or None,
        metadata=unwell,
    )
