"""What pip-audit reports, as a verdict: what it could not ask about is never good news."""

from __future__ import annotations

import pytest

from scripts.audit import FOUND, NONE_KNOWN, NOT_ASKED, verdict

GOOD = {"name": "polars", "version": "1.40.0", "vulns": []}
BAD = {"name": "jinja2", "version": "2.10", "vulns": [{"id": "PYSEC-2019-217", "fix_versions": ["2.10.1"]}]}
UNKNOWN = {"name": "duckdb", "skip_reason": "Dependency not found on PyPI and could not be audited: duckdb (2.0)"}


@pytest.mark.parametrize(
    ("dependencies", "code", "said"),
    [
        ([GOOD], NONE_KNOWN, "1 dependencies were asked about, 0 known vulnerabilities"),
        ([GOOD, BAD], FOUND, "jinja2 2.10: PYSEC-2019-217, mended in 2.10.1"),
        ([BAD, UNKNOWN], FOUND, "nothing is known of 1: duckdb"),
        ([GOOD, UNKNOWN], NOT_ASKED, "nothing is known of 1: duckdb"),
        ([], NOT_ASKED, "0 dependencies were asked about, 0 known vulnerabilities"),
    ],
)
def test_the_verdict_names_what_was_found_and_what_nobody_was_asked_about(dependencies: list[object], code: int, said: str) -> None:
    found, lines = verdict({"dependencies": dependencies})
    assert found == code and said in lines
