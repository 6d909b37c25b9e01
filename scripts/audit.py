"""Asks for known vulnerabilities of every locked dependency, through pip-audit: `make audit`.

Exit codes: 0 none known; 1 some found; 3 not every dependency could be asked about, said in one sentence, which is no good news. pip-audit
itself calls a list that it could not ask about good, so the answer is read here. It stands in an environment of its own: nothing of it
ships.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

PIP_AUDIT = "pip-audit==2.10.1"
LOCK = Path(__file__).resolve().parent.parent / "requirements.lock"
NONE_KNOWN, FOUND, NOT_ASKED = 0, 1, 3
_LONGEST_SECONDS, _LONGEST_REASON = 300, 300


class NotCheckedError(Exception):
    """Nobody could be asked; the message says why in one sentence."""


def verdict(report: dict[str, Any]) -> tuple[int, list[str]]:
    """Exit code and lines to print, from the JSON report of pip-audit."""
    found, not_asked = [], []
    for dependency in report.get("dependencies", []):
        if "skip_reason" in dependency:
            not_asked.append(dependency["name"])
        for one in dependency.get("vulns", []):
            fixed = ", ".join(one.get("fix_versions", [])) or "no version yet"
            found.append(f"{dependency['name']} {dependency['version']}: {one['id']}, mended in {fixed}")
    asked = len(report.get("dependencies", [])) - len(not_asked)
    lines = [*found, f"{asked} dependencies were asked about, {len(found)} known vulnerabilities"]
    if not_asked:
        lines.append(f"nothing is known of {len(not_asked)}: {', '.join(not_asked[:5])}{' and others' if len(not_asked) > 5 else ''}")
    return (FOUND if found else NOT_ASKED if not_asked or not asked else NONE_KNOWN), lines


def main() -> int:
    """Set pip-audit up in a folder that goes again, ask it, print the verdict."""
    with tempfile.TemporaryDirectory(prefix="breakeven-audit-") as folder:
        python, report = f"{folder}/bin/python", Path(folder, "report.json")
        asked = [python, "-m", "pip_audit", "--requirement", str(LOCK), "--require-hashes", "--disable-pip"]
        try:
            venv.create(folder, with_pip=True)
            _said(f"{PIP_AUDIT} cannot be installed", [python, "-m", "pip", "install", "--quiet", "--no-input", PIP_AUDIT])
            # Its exit code says found or failed alike; only the report tells.
            why = _said(None, [*asked, "--format", "json", "--output", str(report), "--progress-spinner", "off"])
            found = json.loads(report.read_text(encoding="utf-8")) if report.is_file() else None
        except (OSError, ValueError, subprocess.SubprocessError, NotCheckedError) as error:
            found, why = None, str(error)
        if not isinstance(found, dict):
            print(f"audit: not checked: {why or 'pip-audit gave no report'}", file=sys.stderr)
            return NOT_ASKED
        code, lines = verdict(found)
    print("\n".join(lines))
    return code


def _said(failure: str | None, command: list[str]) -> str:
    """Run a command; gives the last line of its complaints. Raises NotCheckedError where it fails and `failure` says what that is."""
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_LONGEST_SECONDS)  # noqa: S603  (our own words)
    last = ([line.strip() for line in done.stderr.splitlines() if line.strip()] or [f"exit code {done.returncode}"])[-1][:_LONGEST_REASON]
    if failure is not None and done.returncode != 0:
        raise NotCheckedError(f"{failure}: {last}")
    return last


if __name__ == "__main__":
    sys.exit(main())
