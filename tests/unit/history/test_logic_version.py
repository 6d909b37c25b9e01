"""What decides on the price history: found by reading imports, and nothing else of the project."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.history.logic_version import import_closure, logic_version, source_version
from pipelines.ingest.registry import discover
from pipelines.platform.paths import PACKAGE_FOLDER, PROJECT_FOLDER

ROOMS = {"catalogue", "history", "ingest", "platform", "prices", "quality", "sources"}


def names() -> set[str]:
    return {str(path.relative_to(PROJECT_FOLDER)) for path in import_closure()}


def test_the_closure_holds_what_validates_and_keeps_prices() -> None:
    modules = ("prices/normalization", "prices/benchmarks", "prices/gpu_resolver", "history/bitemporal", "history/validation")
    assert {f"pipelines/{module}.py" for module in modules} | {"dbt_like_models/staging/price_observation.py"} <= names()


def test_no_other_room_enters_it() -> None:
    packages = [path.relative_to(PACKAGE_FOLDER).parts for path in import_closure() if path.is_relative_to(PACKAGE_FOLDER)]
    assert {parts[0] for parts in packages if len(parts) > 1} <= ROOMS
    # Of the sources only what they share: each source has a version of its own.
    assert {parts[1] for parts in packages if parts[0] == "sources"} <= {"lib", "__init__.py"}


def test_a_rule_and_a_reference_table_make_another_version() -> None:
    tables = catalogue()
    observation = tables.tables["price_observation"]
    changed = replace(observation, rules=(*observation.rules[:-1], {**observation.rules[-1], "sql": "TRUE"}))
    other = replace(tables, tables={**tables.tables, "price_observation": changed})
    prose = replace(tables, tables={**tables.tables, "price_observation": replace(observation, description="other words")})
    mart = replace(tables, tables={name: contract for name, contract in tables.tables.items() if name != "cost_per_token"})
    assert len({logic_version(tables), logic_version(other), logic_version(tables, ["ab"])}) == 3
    assert logic_version(prose) == logic_version(mart) == logic_version(tables)


def test_a_source_has_a_version_of_its_own(tmp_path: Path) -> None:
    tables, modules = catalogue(), discover(catalogue())
    module = modules["skypilot_catalog"]
    assert module.file is not None
    edited = tmp_path / module.file.name
    edited.write_bytes(module.file.read_bytes() + b"# another parser\n")
    assert source_version(replace(module, file=edited), tables) != source_version(module, tables)
    assert len({source_version(found, tables) for found in modules.values()}) > 1


@pytest.mark.parametrize("version", [logic_version, None])
def test_versions_are_short_hashes(version: object) -> None:
    found = logic_version(catalogue()) if version else source_version(discover(catalogue())["azure_retail"], catalogue())
    assert len(found) == 16 and int(found, 16) >= 0
