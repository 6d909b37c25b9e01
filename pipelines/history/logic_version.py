"""Which logic judged a batch: a version over what validates and keeps prices, and one per source over what reads its snapshots.

Belongs here: the static import closure of the price history, and hashes over it. Does not belong here: deciding what follows from a
changed version (`batches`: nothing; what was asserted stays asserted, and only a rebuild validates again).
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from pipelines.catalogue.contracts import Catalogue, Contract
from pipelines.ingest.registry import SourceModule
from pipelines.platform.paths import MODELS_FOLDER, PACKAGE_FOLDER

_ROOT_MODULE = "pipelines.history.ingestion"
_MODEL = MODELS_FOLDER / "staging" / "price_observation.py"
_CONTRACTS = ("price_observation", "price_series")
_FEED = "observation"
_DIGITS = 16


@cache
def import_closure() -> tuple[Path, ...]:
    """Files of the project that the model of observations and the ingestion of batches import, directly or not; found by reading them."""
    found: set[Path] = set()
    waiting = [_MODEL, *_files_of(_ROOT_MODULE)]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [file for name in _imported(path) for file in _files_of(name)]
    return tuple(sorted(found))


def logic_version(catalogue: Catalogue, reference_hashes: Iterable[str] = ()) -> str:
    """Hash of the import closure, the contracts with their rules, and the reference tables that normalisation reads."""
    digest = hashlib.sha256()
    for path in import_closure():
        digest.update(path.read_bytes())
    contracts = [catalogue.feeds[_FEED], *(catalogue.tables[name] for name in _CONTRACTS), *catalogue.layer("history")]
    digest.update("\n".join([*map(_stated, contracts), *sorted(reference_hashes)]).encode())
    return digest.hexdigest()[:_DIGITS]


def source_version(module: SourceModule, catalogue: Catalogue) -> str:
    """Hash of a source's own module or manifest and of its raw contract."""
    digest = hashlib.sha256(_stated(catalogue.tables[module.table]).encode())
    if module.file is not None and module.file.is_file():
        digest.update(module.file.read_bytes())
    return digest.hexdigest()[:_DIGITS]


def _stated(contract: Contract) -> str:
    """What a contract demands, without its prose; equal in every process."""
    columns = [(c.name, c.type, c.minimum, c.exclusive_minimum, c.maximum, c.allowed, c.pattern) for c in contract.columns]
    rules = [*map(dict, contract.rules), *map(dict, contract.table_rules)]
    return repr((contract.table, contract.grain, columns, sorted(contract.nullable), contract.max_quarantined_share, rules))


def _imported(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [name for name in names if name.split(".")[0] == PACKAGE_FOLDER.name]


def _files_of(module: str) -> list[Path]:
    """The file of a module of the project, and those of the packages around it; none where the name is not a module."""
    parts = module.split(".")[1:]
    packages = [PACKAGE_FOLDER.joinpath(*parts[:depth], "__init__.py") for depth in range(len(parts) + 1)]
    files = [*packages, PACKAGE_FOLDER.joinpath(*parts).with_suffix(".py")] if parts else packages
    return [file for file in files if file.is_file()]
