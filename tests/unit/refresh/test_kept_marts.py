"""Which content stands for a mart that cannot be made, and of which day it says that it is."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.publication.manifest import kept_marts
from pipelines.publication.parts import WHOLE, Part, sha256_of
from pipelines.publication.versions import PublishedFolder
from pipelines.refresh.kept_marts import KeptMart, kept_mart, why_not_made

TABLES = catalogue().tables
DAY = dt.date(2026, 11, 23)


def published(folder: Path, **facts: Any) -> PublishedFolder:
    version = folder / "versions" / "one"
    version.mkdir(parents=True)
    keys = ("version", "run_id", "created_at", "blocked", "blocked_reason", "fingerprint", "sources", "files")
    manifest = {**dict.fromkeys(keys, ""), "as_of": "2026-11-22", "tables": {"marts.gpu": {"rows": 7}}, **facts}
    (version / "manifest.json").write_text(json.dumps(manifest))
    (version / "marts").mkdir()
    pl.DataFrame({"gpu": ["a"]}).write_parquet(version / "marts" / "gpu.parquet")
    (folder / "current").symlink_to(version)
    return PublishedFolder(folder)


def test_the_published_content_stands_for_it(tmp_path: Path) -> None:
    found = kept_mart(TABLES["gpu"], published(tmp_path), DAY, "ValueError: x")
    file = tmp_path.resolve() / "versions" / "one" / "marts" / "gpu.parquet"
    assert found == KeptMart([Part(WHOLE, file, 1, sha256_of(file))], 7, "2026-11-22", "ValueError: x")
    verdict = found.verdict()
    assert not verdict.passed and not verdict.blocks and not verdict.rejects and verdict.declared_effect == "kept"
    assert verdict.detail.startswith("the content of 2026-11-22 is kept: ValueError: x")


def test_what_was_kept_before_keeps_its_own_day(tmp_path: Path) -> None:
    found = kept_mart(TABLES["gpu"], published(tmp_path, kept_marts={"marts.gpu": {"as_of": "2026-10-01", "reason": "y"}}), DAY, "x")
    assert found is not None and found.as_of == "2026-10-01"


@pytest.mark.parametrize(("name", "facts"), [("fx_rate", {}), ("price_series", {}), ("gpu", {"as_of": "2026-11-24"})])
def test_nothing_stands_for_what_was_not_published_for_an_earlier_day(tmp_path: Path, name: str, facts: dict[str, Any]) -> None:
    assert kept_mart(TABLES[name], published(tmp_path, **facts), DAY, "x") is None


def test_nothing_is_kept_before_the_first_publication(tmp_path: Path) -> None:
    assert kept_mart(TABLES["gpu"], PublishedFolder(tmp_path), DAY, "x") is None


def test_what_reads_a_kept_mart_is_not_made() -> None:
    kept = {"gpu": KeptMart([], 7, "2026-11-22", "x")}
    assert why_not_made(["fx_rate"], kept) is None
    assert why_not_made(["fx_rate", "gpu"], kept) == "it reads marts.gpu, which could not be made"


def test_versions_of_before_kept_nothing() -> None:
    assert kept_marts({"version": "one"}) == {}
