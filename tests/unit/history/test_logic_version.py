"""What decides on the price history: found by reading imports, and nothing else of the project."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.catalogue.contracts import catalogue, load_catalogue
from pipelines.history import logic_version as version_module
from pipelines.history.logic_version import import_closure, logic_version, source_version
from pipelines.ingest.registry import discover
from pipelines.platform.paths import MODELS_FOLDER, PACKAGE_FOLDER, PROJECT_FOLDER

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


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of code and contracts, to be edited; what ships as data is left out."""
    for path in [*PACKAGE_FOLDER.rglob("*.py"), *MODELS_FOLDER.rglob("*.*")]:
        if path.suffix in (".py", ".sql", ".yml", ".json"):
            copy = tmp_path / path.relative_to(PROJECT_FOLDER)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    return tmp_path


def version_of(package: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    models = package / MODELS_FOLDER.name
    monkeypatch.setattr(version_module, "PACKAGE_FOLDER", package / PACKAGE_FOLDER.name)
    monkeypatch.setattr(version_module, "_MODEL", models / "staging" / "price_observation.py")
    monkeypatch.setattr(version_module, "import_closure", import_closure.__wrapped__)
    return logic_version(load_catalogue(models))


# What is added to files that decide nothing about recorded prices, and to some that do.
ELSEWHERE = {
    "pipelines/dashboard/page.py": "# another text\n",
    "pipelines/dashboard/pages/a_new_page.py": '"""A page that is new."""\n',
    "pipelines/cli/commands/query.py": "# another help\n",
    "pipelines/economics/capital.py": "# another default\n",
    "pipelines/decision/plan.py": "# another answer\n",
    "pipelines/defs/checks.py": "# another check\n",
    "pipelines/publication/views.py": "# another view\n",
    "pipelines/sources/vast.py": "# another parser\n",
    "pipelines/sources/a_new_seller.py": '"""A source that is new."""\n',
    "dbt_like_models/marts/a_new_mart.sql": "SELECT provider FROM marts.seller\n",
    "dbt_like_models/marts/a_new_mart.yml": "description: A mart that is new.\ngrain: [provider]\ncolumns: [provider]\n",
}
DECIDING = (
    "pipelines/prices/benchmarks.py",
    "pipelines/history/validation.py",
    "pipelines/sources/lib/offers.py",
    "dbt_like_models/staging/price_observation.py",
)


def add(path: Path, text: str) -> None:
    path.write_text((path.read_text(encoding="utf-8") if path.exists() else "") + text, encoding="utf-8")


def test_only_what_decides_on_prices_makes_another_version(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = version_of(package, monkeypatch)
    for file, text in ELSEWHERE.items():
        add(package / file, text)
    assert version_of(package, monkeypatch) == before
    seen = {before}
    for file in DECIDING:
        add(package / file, "# another judgement\n")
        seen.add(version_of(package, monkeypatch))
    assert len(seen) == 1 + len(DECIDING)
