"""Asks for known vulnerabilities of every locked dependency, through pip-audit: `make audit`.

Exit codes: 0 none known; 1 some found; 3 not every dependency could be asked about, which is no good news. pip-audit itself calls a
list that it could not ask about good, so the answer is read here. It stands in an environment of its own: nothing of it ships.
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
        venv.create(folder, with_pip=True)
        python, report = f"{folder}/bin/python", Path(folder, "report.json")
        subprocess.run([python, "-m", "pip", "install", "--quiet", PIP_AUDIT], check=True)  # noqa: S603  (our own words)
        asked = [python, "-m", "pip_audit", "--requirement", str(LOCK), "--require-hashes", "--disable-pip"]
        done = subprocess.run([*asked, "--format", "json", "--output", str(report), "--progress-spinner", "off"], check=False)  # noqa: S603
        if not report.is_file() or not report.read_text(encoding="utf-8").strip():
            print(f"audit: pip-audit gave no report (exit code {done.returncode}): nothing is known", file=sys.stderr)
            return NOT_ASKED
        code, lines = verdict(json.loads(report.read_text(encoding="utf-8")))
    print("\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
