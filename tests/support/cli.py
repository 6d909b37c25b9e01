"""The command line on a data folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.paths import ROOT
from tests.support.warm import run_command


def without(*names: str) -> dict[str, str]:
    """Settings that switch sources off."""
    return {f"BREAKEVEN_SOURCE_{name.upper()}_ENABLED": "false" for name in names}


# The archives of prices that hold most of the sellers, and most of the measurements: a refresh without them takes a third of the time.
MANY_SELLERS = ("archive_aggregators_2026", "archive_gcp_monthly", "archive_market_2026", "archive_neoclouds_2026")
MANY_MEASUREMENTS = ("aiconfigurator_serving",)
SMALL_MARKET = without(*MANY_SELLERS, *MANY_MEASUREMENTS)


@dataclass(frozen=True)
class Cli:
    """Runs `breakeven` on a data folder of its own, without network and without keys.

    `is_warm`: in a process that finds its libraries loaded. Whoever measures a process wants a cold one: it is a child of this one.
    """

    data: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    is_warm: bool = True

    def __call__(self, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        environment = {**self.environment, **(environment or {})}
        if self.is_warm:
            return run_command(arguments, environment, ROOT, timeout_seconds=600)
        return subprocess.run(
            [sys.executable, "-m", "pipelines.cli.main", *arguments],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "BREAKEVEN_", "DAGSTER_"))}
        return {**kept, **self.settings, "BREAKEVEN_DATA": str(self.data)}

    @property
    def current(self) -> Path:
        return (self.data / "published" / "current").resolve()

    def manifest(self) -> dict[str, object]:
        found: dict[str, object] = json.loads((self.current / "manifest.json").read_text())
        return found
