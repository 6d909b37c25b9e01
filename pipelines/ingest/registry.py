"""Which sources there are: found, never listed.

Belongs here: pairing each source (a module in `pipelines/sources`, a manifest in `pipelines/sources/declared`, a curated CSV that a raw
contract names) with its raw table. Does not belong here: fetching, storing, checking.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from pipelines import sources as sources_package
from pipelines.catalogue.contracts import RAW_LINEAGE, Catalogue, Contract, ContractError
from pipelines.sources.lib import declared
from pipelines.sources.lib.bundled import package_payload, read_csv
from pipelines.sources.lib.offers import OFFER_TABLE, observations
from pipelines.sources.lib.source import FetchContext, Payload, Source


@dataclass(frozen=True)
class SourceModule:
    """A source as the framework uses it; see `pipelines.sources.lib.source` for what each part promises.

    `table`: its raw table, which several sources may share. `file`: the module or manifest that holds its logic, None for a curated CSV.
    """

    name: str
    source: Source
    fetch: Callable[[FetchContext], Iterable[Payload]]
    parse: Callable[[bytes], pl.DataFrame]
    normalise: Callable[[pl.LazyFrame], pl.LazyFrame] | None
    table: str
    file: Path | None = None

    @property
    def shares_table(self) -> bool:
        """True where other sources have rows in its raw table, which then says whose each is."""
        return self.source.table is not None


def discover(catalogue: Catalogue) -> dict[str, SourceModule]:
    """All sources by name. Raises ContractError where a source has no raw table, a raw table no source, or a part is missing."""
    contracts = {c.name: c for c in catalogue.layer("raw")}
    found = [_curated(contract) for contract in contracts.values() if contract.bundled is not None]
    for info in pkgutil.iter_modules(sources_package.__path__):
        if not info.ispkg:
            module = importlib.import_module(f"pipelines.sources.{info.name}")
            if hasattr(module, "SOURCE"):
                found.append(_module(info.name, module, contracts))
    found += [_declared(manifest, contracts) for manifest in declared.manifests()]
    by_name: dict[str, SourceModule] = {}
    for source in found:
        if source.name in by_name:
            raise ContractError(f"{_file(source.name)} and {by_name[source.name].file} are both the source {source.name}")
        by_name[source.name] = source
    for name in sorted(contracts.keys() - {source.table for source in found}):
        raise ContractError(f"raw/{name}.yml: no module pipelines/sources/{name}.py and no key bundled")
    return dict(sorted(by_name.items()))


def sharing(modules: Iterable[SourceModule], table: str) -> list[SourceModule]:
    """Sources of one raw table, by name."""
    return sorted((m for m in modules if m.table == table), key=lambda m: m.name)


def _module(name: str, module: object, contracts: dict[str, Contract]) -> SourceModule:
    source = getattr(module, "SOURCE")  # noqa: B009  (a module as any object)
    contract = _contract(name, source, contracts)
    own = contract.feeds is not None and contract.name != OFFER_TABLE
    for part in ("fetch", "parse", *(["normalise"] if own else [])):
        if not callable(getattr(module, part, None)):
            raise ContractError(f"{_file(name)}: function {part} is missing")
    if source.is_bundled and source.published_on is None:
        raise ContractError(f"{_file(name)}: SOURCE has no base_url, so published_on must be given")
    return SourceModule(
        name,
        source,
        getattr(module, "fetch"),  # noqa: B009
        getattr(module, "parse"),  # noqa: B009
        getattr(module, "normalise") if own else _normalise(source, contract),  # noqa: B009
        contract.name,
        Path(str(getattr(module, "__file__"))),  # noqa: B009
    )


def _declared(manifest: declared.Manifest, contracts: dict[str, Contract]) -> SourceModule:
    contract = _contract(manifest.name, manifest.source, contracts)
    return SourceModule(
        manifest.name,
        manifest.source,
        partial(declared.fetch, manifest),
        partial(declared.parse, manifest),
        _normalise(manifest.source, contract),
        contract.name,
        manifest.file,
    )


def _normalise(source: Source, contract: Contract) -> Callable[[pl.LazyFrame], pl.LazyFrame] | None:
    return (lambda raw: observations(raw, source)) if contract.name == OFFER_TABLE else None


def _contract(name: str, source: Source, contracts: dict[str, Contract]) -> Contract:
    table = source.table or name
    if table not in contracts:
        raise ContractError(f"{_file(name)} has no contract dbt_like_models/raw/{table}.yml")
    return contracts[table]


def _file(name: str) -> str:
    return f"pipelines/sources/{name}.py"


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
        tier=3,
        published_on=contract.published_on,
    )

    def fetch(_context: FetchContext) -> Iterable[Payload]:
        return [package_payload("pipelines", file, source)]

    return SourceModule(contract.name, source, fetch, lambda content: parse_curated(content, contract), None, contract.name)


def parse_curated(content: bytes, contract: Contract) -> pl.DataFrame:
    """Read a curated CSV with the columns and types of its contract. Raises ParseError."""
    schema = {name: kind for name, kind in contract.polars_schema().items() if name not in RAW_LINEAGE}
    return read_csv(content, contract.bundled or contract.name, schema)
