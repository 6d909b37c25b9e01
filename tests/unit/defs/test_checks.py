"""Rules of a table as asset checks: by kind and severity, with the names of those that are broken."""

from __future__ import annotations

import dagster as dg

from pipelines.catalogue.contracts import catalogue
from pipelines.defs.checks import check_specs, rule_checks, rule_results, source_state_result
from pipelines.quality.results import RuleResult

KEY = dg.AssetKey(["marts", "a_table"])
NAMES = ["row_critical", "row_warning", "table_critical"]


def verdict(rule: str, kind: str, severity: str, passed: bool) -> RuleResult:
    return RuleResult(rule, kind, severity, passed, int(not passed), 9, f"what {rule} found")  # type: ignore[arg-type]


def test_a_broken_rule_fails_the_check_of_its_kind_and_severity_by_name() -> None:
    verdicts = [verdict("a", "row", "critical", False), verdict("b", "row", "critical", True), verdict("c", "table", "critical", True)]
    by_name = {r.check_name: r for r in rule_results(KEY, NAMES, verdicts)}
    assert {name: r.passed for name, r in by_name.items()} == {"row_critical": False, "row_warning": True, "table_critical": True}
    broken = by_name["row_critical"]
    assert broken.severity is dg.AssetCheckSeverity.ERROR and broken.description == "a"
    assert broken.metadata["a"].value == "what a found" and "b" not in broken.metadata and broken.metadata["rules"].value == 2


def test_a_warning_is_a_warning() -> None:
    (_, warned, _) = rule_results(KEY, NAMES, [verdict("a", "row", "warning", False)])
    assert not warned.passed and warned.severity is dg.AssetCheckSeverity.WARN


def test_a_raw_table_has_one_check_of_all_its_rules_which_names_the_broken_ones() -> None:
    for contract in catalogue().layer("raw"):
        assert rule_checks(contract) == ["rules"]
    (spec,) = check_specs(KEY, ["rules"], may_block=False)
    assert not spec.blocking and str(spec.description).startswith("All rules;")
    verdicts = [verdict("a", "source", "critical", False), verdict("b", "row", "warning", False), verdict("c", "table", "critical", True)]
    (found,) = rule_results(KEY, ["rules"], verdicts)
    assert not found.passed and found.severity is dg.AssetCheckSeverity.ERROR and found.description == "a; b"
    assert found.metadata["a"].value == "what a found" and "c" not in found.metadata and found.metadata["rules"].value == 3


def test_a_source_that_is_not_well_fails_its_check_and_warns() -> None:
    for status, passed in {"ok": True, "disabled": True, "not_tried": True, "stale": False, "failed": False, "offline": False}.items():
        found = source_state_result(KEY, {"a_source": (status, "why")})
        assert (found.passed, found.severity) == (passed, dg.AssetCheckSeverity.WARN), status
    two = source_state_result(KEY, {"a": ("ok", None), "b": ("failed", "no answer")})
    assert not two.passed and two.description == "b is failed: no answer"


def test_every_kind_of_rule_that_a_contract_declares_has_its_check() -> None:
    for contract in (*catalogue().layer("staging"), *catalogue().layer("marts")):
        assert {f"row_{rule.severity}" for rule in contract.row_rules()} <= set(rule_checks(contract)), contract.table
