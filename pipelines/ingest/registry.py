"""Which sources there are: found, never listed.

Belongs here: pairing each raw contract with the module in `pipelines/sources` of the same name, or with the curated CSV that the
contract names. Does not belong here: fetching, storing, checking.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import polars as pl

from pipelines import sources as sources_package
from pipelines.catalogue.contracts import RAW_LINEAGE, Catalogue, Contract, ContractError
from pipelines.sources.lib.bundled import package_payload, read_csv
from pipelines.sources.lib.source import FetchContext, Payload, Source


@dataclass(frozen=True)
class SourceModule:
    """A source as the framework uses it; see `pipelines.sources.lib.source` for what each part promises."""

    name: str
    source: Source
    fetch: Callable[[FetchContext], Iterable[Payload]]
    parse: Callable[[bytes], pl.DataFrame]
    normalise: Callable[[pl.LazyFrame], pl.LazyFrame] | None


def discover(catalogue: Catalogue) -> dict[str, SourceModule]:
    """All sources by name. Raises ContractError where a contract has no module, a module no contract, or a part is missing."""
    names = {
        info.name
        for info in pkgutil.iter_modules(sources_package.__path__)
        if not info.ispkg and hasattr(importlib.import_module(f"pipelines.sources.{info.name}"), "SOURCE")
    }
    contracts = {c.name: c for c in catalogue.layer("raw")}
    for name in sorted(names - contracts.keys()):
        raise ContractError(f"pipelines/sources/{name}.py has no contract dbt_like_models/raw/{name}.yml")
    found = {}
    for name, contract in contracts.items():
        if contract.bundled is not None:
            found[name] = _curated(contract)
        elif name in names:
            found[name] = _module(contract)
        else:
            raise ContractError(f"raw/{name}.yml: no module pipelines/sources/{name}.py and no key bundled")
    return dict(sorted(found.items()))


def _module(contract: Contract) -> SourceModule:
    module = importlib.import_module(f"pipelines.sources.{contract.name}")
    for part in ("fetch", "parse", *(["normalise"] if contract.feeds else [])):
        if not callable(getattr(module, part, None)):
            raise ContractError(f"pipelines/sources/{contract.name}.py: function {part} is missing")
    source: Source = module.SOURCE
    if source.is_bundled and source.published_on is None:
        raise ContractError(f"pipelines/sources/{contract.name}.py: SOURCE has no base_url, so published_on must be given")
    return SourceModule(contract.name, source, module.fetch, module.parse, module.normalise if contract.feeds else None)


def _curated(contract: Contract) -> SourceModule:
    assert contract.bundled is not None
    if contract.feeds is not None:
        raise ContractError(f"raw/{contract.name}.yml: a bundled CSV cannot feed {contract.feeds!r}; give it a source module")
    if contract.published_on is None:
        raise ContractError(f"raw/{contract.name}.yml: key published_on is missing (the day the curated table was last revised)")
    file = contract.bundled
    source = Source(
        title=contract.description,
        homepage="",
        licence=contract.licence or "",
        semantics="table",
        published_on=contract.published_on,
    )

    def fetch(_context: FetchContext) -> Iterable[Payload]:
        return [package_payload("pipelines", file, source)]

    return SourceModule(contract.name, source, fetch, lambda content: parse_curated(content, contract), None)


def parse_curated(content: bytes, contract: Contract) -> pl.DataFrame:
    """Read a curated CSV with the columns and types of its contract. Raises ParseError."""
    schema = {name: kind for name, kind in contract.polars_schema().items() if name not in RAW_LINEAGE}
    return read_csv(content, contract.bundled or contract.name, schema)
