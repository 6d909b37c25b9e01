"""Fixtures for all tests: the shared folder where there is one, and a warehouse that was refreshed once from what ships."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import pytest
from hypothesis import settings

from tests.support.cli import SMALL_MARKET, Cli
from tests.support.once import made_once
from tests.support.paths import ROOT

# Lean by default; `HYPOTHESIS_PROFILE=nightly` is the long one.
settings.register_profile("lean", deadline=None)
settings.register_profile("nightly", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "lean"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recorded material beside the project; tests that need it are skipped without it."""
    folder = Path(os.environ.get("BREAKEVEN_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("the folder of recorded material is not there (BREAKEVEN_SHARED)")
    return folder


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path / "data")


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A warehouse refreshed once for 2026-11-23 from what ships with the project. Read it; do not change it."""

    return _refreshed_once(tmp_path_factory, "archive", {})


@pytest.fixture(scope="session")
def small_market(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A warehouse refreshed once for 2026-11-23 from two archives. Read it or copy it; do not change it."""
    return _refreshed_once(tmp_path_factory, "small_market", SMALL_MARKET)


def _refreshed_once(factory: pytest.TempPathFactory, name: str, settings: Mapping[str, str]) -> Cli:
    def refresh(folder: Path) -> None:
        done = Cli(folder / "data", settings)("refresh", "--offline", "--as-of", "2026-11-23", "--json")
        assert done.returncode == 0, done.stdout + done.stderr

    return Cli(made_once(factory, name, refresh) / "data", settings)


@pytest.fixture
def published(archive: Cli) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file of `archive`, read-only."""
    connection = duckdb.connect(str(archive.current / "breakeven.duckdb"), read_only=True)
    try:
        yield connection
    finally:
        connection.close()
