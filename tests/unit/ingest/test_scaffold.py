"""A new source as it is begun: its files pass what every source must, and nothing that is there is written over."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import polars as pl
import pytest

from pipelines.ingest.scaffold import ScaffoldError, write_new
from pipelines.sources.lib import declared
from pipelines.sources.lib.manifest import load_manifest
from pipelines.sources.lib.offers import OFFER_SCHEMA


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pipelines" / "sources" / "declared").mkdir(parents=True)
    (tmp_path / "tests" / "fixtures").mkdir(parents=True)
    return tmp_path


def test_a_manifest_that_reads_its_answer(project: Path) -> None:
    logic, answer, offers = write_new("acme_cloud", module=False, project=project)
    found = declared.parse(load_manifest(logic), answer.read_bytes())
    assert found.rows() == pl.read_csv(offers, schema=OFFER_SCHEMA).rows() and found.height == 2


def test_a_module_that_reads_its_answer(project: Path) -> None:
    logic, answer, offers = write_new("acme_cloud", module=True, project=project)
    spec = importlib.util.spec_from_file_location("acme_cloud", logic)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.parse(answer.read_bytes()).rows() == pl.read_csv(offers, schema=OFFER_SCHEMA).rows()
    assert module.SOURCE.gives and module.SOURCE.base_url


def test_nothing_is_written_over(project: Path) -> None:
    write_new("acme_cloud", module=False, project=project)
    with pytest.raises(ScaffoldError, match="is there already"):
        write_new("acme_cloud", module=True, project=project)


@pytest.mark.parametrize("name", ["", "Acme", "../evil", "a-b", "1st"])
def test_a_name_that_is_none(project: Path, name: str) -> None:
    with pytest.raises(ScaffoldError, match="no name of a source"):
        write_new(name, module=False, project=project)


def test_without_a_checkout_nothing_is_begun(tmp_path: Path) -> None:
    with pytest.raises(ScaffoldError, match="no checkout"):
        write_new("acme_cloud", module=False, project=tmp_path)
