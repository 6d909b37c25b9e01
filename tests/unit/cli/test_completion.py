"""The completion script, in a real bash."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from pipelines.cli.commands.completion import script
from pipelines.cli.main import build_parser


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["sho"], {"show"}),
        (["show", "pri"], {"prices"}),
        (["query", "--form"], {"--format"}),
        (["query", "--format", "mark"], {"markdown"}),
        (["show", "--language", ""], {"en", "fr"}),
    ],
)
def test_bash_completes(typed: list[str], expected: set[str]) -> None:
    words = " ".join(f'"{word}"' for word in ["breakeven", *typed])
    asked = f'{script(build_parser())}\nCOMP_WORDS=({words}); COMP_CWORD={len(typed)}; _breakeven; printf "%s\\n" "${{COMPREPLY[@]}}"'
    found = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True)
    assert set(found.stdout.split()) == expected
