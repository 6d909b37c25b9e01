"""`docs/sources.md`, made from the sources themselves: `python -m pipelines.ingest.documentation`.

Belongs here: that page. Does not belong here: what a source says of itself (`SOURCE`, a manifest), what is known of the others
(`not_read.csv`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping

from pipelines.catalogue.contracts import catalogue
from pipelines.ingest.registry import SourceModule, discover
from pipelines.platform.paths import PACKAGE_FOLDER, PROJECT_FOLDER

PATH = PROJECT_FOLDER / "docs" / "sources.md"
_NOT_READ_FILE = PACKAGE_FOLDER / "ingest" / "not_read.csv"
_HEAD = """# Sources

Written by `make docs` from the sources themselves; edit those. Tier 1 needs no credential, tier 2 is skipped without one, tier 3 ships
with the project. *Certainty* says what a reader stands on: a recorded answer of the service, its documented shape, or what others
reported of it; *last check* is the day of the newest of these. `breakeven sources test NAME --live` holds one against the service.
"""
_SERVICES = """
## Services

| source | tier | what it gives | certainty | last check | needs | licence and terms |
|---|---|---|---|---|---|---|
"""
_SHIPPED = """
## What ships with the project or a package

| source | tier | published | licence |
|---|---|---|---|
"""
_NOT_READ = """
## Known and not read

What these say was reported by others; nothing of it is in any table.

| what | what it is said to give | why it is not read |
|---|---|---|
"""


def render(modules: Mapping[str, SourceModule]) -> str:
    """The page."""
    services = [module for module in modules.values() if not module.source.is_bundled]
    shipped = [module for module in modules.values() if module.source.is_bundled]
    return _HEAD + _SERVICES + "".join(_service(services)) + _SHIPPED + "".join(_ships(shipped)) + _NOT_READ + "".join(_not_read())


def _service(modules: Iterable[SourceModule]) -> Iterable[str]:
    for module in modules:
        source = module.source
        needs = ", ".join(f"`{name}`" for name in source.credentials) or "nothing"
        optional = "".join(f" (`{name}` where set)" for name in source.optional_credentials)
        terms = "; ".join(text for text in (source.licence, source.terms) if text)
        checked = source.checked_on.isoformat() if source.checked_on else "-"
        yield (
            f"| [{module.name}]({source.homepage}) | {source.tier} | {_cell(source.gives)} | {source.certainty} | {checked} "
            f"| {needs}{optional} | {_cell(terms)} |\n"
        )


def _ships(modules: Iterable[SourceModule]) -> Iterable[str]:
    for module in modules:
        source = module.source
        name = f"[{module.name}]({source.homepage})" if source.homepage else module.name
        yield f"| {name}: {_cell(source.title)} | 3 | {source.published_on} | {_cell(source.licence) or '-'} |\n"


def _not_read() -> Iterable[str]:
    with _NOT_READ_FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield f"| [{_cell(row['name'])}]({row['address']}) | {_cell(row['gives'])} | {_cell(row['why_not'])} |\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PATH.write_text(render(discover(catalogue())), encoding="utf-8")
    print(f"wrote {PATH}")
