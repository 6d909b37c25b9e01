"""Fixtures for all tests: the shared folder where there is one, and a warehouse that was refreshed once from what ships."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recorded material beside the project; tests that need it are skipped without it."""
    folder = Path(os.environ.get("BREAKEVEN_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("the folder of recorded material is not there (BREAKEVEN_SHARED)")
    return folder


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


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path / "data")


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A warehouse refreshed once for 2026-11-23 from what ships with the project. Read it; do not change it."""
    made = Cli(tmp_path_factory.mktemp("archive") / "data")
    done = made("refresh", "--offline", "--as-of", "2026-11-23", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return made


@pytest.fixture
def published(archive: Cli) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file of `archive`, read-only."""
    connection = duckdb.connect(str(archive.current / "breakeven.duckdb"), read_only=True)
    try:
        yield connection
    finally:
        connection.close()
