"""What pip-audit reports, as a verdict: what it could not ask about is never good news."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from scripts import audit
from scripts.audit import FOUND, NONE_KNOWN, NOT_ASKED, verdict
from tests.support.paths import ROOT

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


@pytest.mark.parametrize(
    ("fails", "said"),
    [
        ("install", "audit: not checked: pip-audit==2.10.1 cannot be installed: ERROR: no index can be reached"),
        ("install in time", "timed out"),
        ("venv", "no module ensurepip"),
        ("database", "audit: not checked: ConnectionError: the database cannot be reached"),
        ("report", "audit: not checked: "),
        ("nothing", None),
    ],
)
def test_what_could_not_be_asked_is_one_sentence_and_a_code_of_its_own(
    fails: str, said: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def create(folder: str, with_pip: bool) -> None:
        if fails == "venv":
            raise subprocess.CalledProcessError(1, ["python", "-m", "no module ensurepip"])

    def run(command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
        is_install = "install" in command
        if is_install and fails == "install in time":
            raise subprocess.TimeoutExpired(list(command), options["timeout"])
        if is_install and fails == "install":
            return subprocess.CompletedProcess(command, 1, "", "Traceback\n  File x\nERROR: no index can be reached\n")
        if not is_install and fails == "database":
            return subprocess.CompletedProcess(command, 1, "", "Traceback\n  File x\nConnectionError: the database cannot be reached\n")
        if not is_install:
            report = "{" if fails == "report" else json.dumps({"dependencies": [GOOD]})
            Path(command[command.index("--output") + 1]).write_text(report)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(audit.venv, "create", create)
    monkeypatch.setattr(audit.subprocess, "run", run)
    code, shown = audit.main(), capsys.readouterr()
    if said is None:
        assert code == NONE_KNOWN and shown.err == ""
    else:
        assert code == NOT_ASKED and said in shown.err and len(shown.err.splitlines()) == 1 and "Traceback" not in shown.err


@pytest.mark.parametrize(("code", "ends_with", "says"), [(0, 0, ""), (1, 1, ""), (3, 0, "not checked")])
def test_a_check_in_passes_where_nobody_could_be_asked_and_says_so(tmp_path: Path, code: int, ends_with: int, says: str) -> None:
    [part] = re.findall(r"(?m)^audited=0\n.*?^fi\n", (ROOT / ".ci" / "run").read_text(), re.DOTALL)
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "audit.py").write_text(f"raise SystemExit({code})")
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", part], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == ends_with and says in done.stdout
