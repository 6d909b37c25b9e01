"""The command line on a data folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import ROOT


@dataclass(frozen=True)
class Cli:
    """Runs `breakeven` on a data folder of its own, without network and without keys."""

    data: Path

    def __call__(self, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "BREAKEVEN_", "DAGSTER_"))}
        return subprocess.run(
            [sys.executable, "-m", "pipelines.cli.main", *arguments],
            env={**kept, "BREAKEVEN_DATA": str(self.data), **(environment or {})},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    @property
    def current(self) -> Path:
        return (self.data / "published" / "current").resolve()

    def manifest(self) -> dict[str, object]:
        found: dict[str, object] = json.loads((self.current / "manifest.json").read_text())
        return found
