"""Nothing that could be committed says where this copy's packages came from or on which machine it was made."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.paths import ROOT

# Put together from pieces, so that this file is not a finding of its own.
INDEX = re.compile(
    r"/simple(?:/|\b)\s*$|pypi\." + r"org/simple|files\.python" + r"hosted|registry\.npm" + r"js|https?://[^\s/]+/simple\b", re.MULTILINE
)
MACHINE = re.compile(r"(?<![\w.:/-])/(?:root|home|Users|tmp)/(?![*])")
HERE = re.compile(re.escape(str(ROOT.parent)) + r"\b" if len(ROOT.parent.parts) > 1 else r"(?!)")
SWITCH = re.compile(r"--(?:extra-)?index" + r"-url|--find-links|--trusted-host")


def committable() -> list[Path]:
    """Files that are tracked, or would be by `git add`."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout: which files would be committed is not known")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def findings(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in committable():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # parquet and pictures
        found += [f"{path.relative_to(ROOT)}: {match.group(0)!r}" for match in [pattern.search(text)] if match]
    return found


@pytest.mark.parametrize(
    "pattern", [INDEX, MACHINE, HERE, SWITCH], ids=["package index", "path of a machine", "path of this copy", "switch with an address"]
)
def test_no_file_names(pattern: re.Pattern[str]) -> None:
    assert [f for f in findings(pattern) if not f.startswith("tests/conventions/")] == []


def test_the_patterns_find_what_they_look_for() -> None:
    assert INDEX.search("https://mirror.example/simple/") and INDEX.search("https://pypi." + "org/simple")
    assert MACHINE.search("open('/" + "root/x')") and MACHINE.search(" /" + "home/me/x")
    assert not MACHINE.search("https://example.org/home/page") and not MACHINE.search("docs/work/x")
    assert SWITCH.search("pip install --index" + "-url x") and not SWITCH.search("--no-emit-index" + "-url")


def test_the_lock_pins_each_package_with_hashes_and_no_address() -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text().strip())
    assert len(entries) > 80
    for entry in entries:
        first, *hashes = [line.strip().removesuffix("\\").strip() for line in entry.splitlines()]
        assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*==[\w.!+]+(?: ; .+)?", first), first
        assert hashes, f"{first} has no hash"
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", line) for line in hashes), first
