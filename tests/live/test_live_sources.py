"""The live sources as they are today: asked one after the other, parsed, held against their contracts. Run by hand or by a schedule:
`python -m pytest tests/live`. A source without its key, or without a network, is skipped and says so.
"""

from __future__ import annotations

import os

import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.ingest.fetch import probe
from pipelines.ingest.registry import discover
from pipelines.platform.settings import load_settings

MODULES = discover(catalogue())


@pytest.mark.parametrize("name", sorted(name for name, module in MODULES.items() if not module.source.is_bundled))
def test_a_source_answers_as_its_contract_says(name: str) -> None:
    result = probe(MODULES[name], catalogue().tables[MODULES[name].table], load_settings(os.environ), os.environ)
    if result["status"] in ("skipped_no_credential", "offline"):
        pytest.skip(f"{name}: {result['detail']}")
    assert result["status"] == "ok", result["detail"]
    assert result["rows"] > 0
