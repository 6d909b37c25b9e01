"""What one refresh works with: its settings, day, lock, stores and record.

Belongs here: opening and closing these together. The only part of a run that reads the environment. Does not belong here: any step
of the refresh itself.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.catalogue.contracts import Catalogue, Contract, ContractError, catalogue
from pipelines.catalogue.models import INGESTED, models
from pipelines.history.batches import OpenedHistory, batches_of, open_for_batches, price_services
from pipelines.history.engine import open_history
from pipelines.history.logic_version import logic_version
from pipelines.history.views import HistoryViews
from pipelines.ingest.fetch import FetchOutcome
from pipelines.ingest.registry import SourceModule, discover
from pipelines.ingest.snapshots import SnapshotStore
from pipelines.platform.clock import utc_now
from pipelines.platform.lock import refresh_lock
from pipelines.platform.parquet import rows_in
from pipelines.platform.paths import MODELS_FOLDER, PROJECT_FOLDER, SQL_FOLDER
from pipelines.platform.settings import Settings, load_settings
from pipelines.publication.ops import OpsRecorder, read_ops
from pipelines.publication.parts import WHOLE, Part, sha256_of
from pipelines.publication.versions import PublishedFolder
from pipelines.refresh.kept_marts import KeptMart
from pipelines.refresh.month_parts import PartStore
from pipelines.refresh.warehouse import Warehouse, open_warehouse

_VERSIONED_PACKAGES = ("duckdb", "polars", "great-expectations", "genai-prices", "currencyconverter")


@dataclass
class RefreshSession:
    """Everything that a step may touch. `as_of` is the day computed for; `only_source` limits fetching to one source."""

    settings: Settings
    environment: Mapping[str, str]
    run_id: str
    as_of: date
    offline: bool
    rebuild: bool
    only_source: str | None
    started_at: datetime
    warehouse: Warehouse
    # What was fetched before the build began, None where the build fetches.
    fetched: list[FetchOutcome] | None = None
    # Marts that could not be made in this refresh, and the parts of those that were made in parts, by name.
    kept: dict[str, KeptMart] = field(default_factory=dict)
    parts: dict[str, list[Part]] = field(default_factory=dict)

    @cached_property
    def catalogue(self) -> Catalogue:
        """All contracts."""
        return catalogue()

    @cached_property
    def modules(self) -> dict[str, SourceModule]:
        """All sources."""
        return discover(self.catalogue)

    @cached_property
    def store(self) -> SnapshotStore:
        """Stored responses."""
        return SnapshotStore(self.settings.folders.snapshots)

    @cached_property
    def ops(self) -> OpsRecorder:
        """Record of this run."""
        return OpsRecorder(self.settings.folders.ops, self.run_id)

    @cached_property
    def fetch_outcomes(self) -> dict[str, dict[str, Any]]:
        """By source how its fetch went in this run, as recorded; not to be asked before all were fetched."""
        return {row["source"]: row for row in self.ops.rows("fetch_outcome")}

    @cached_property
    def decisions(self) -> pl.DataFrame:
        """What people decided about quarantined rows before this refresh, as `ops.quarantine_decision`."""
        return read_ops(self.settings.folders.ops, self.catalogue)["quarantine_decision"]

    @cached_property
    def published(self) -> PublishedFolder:
        """Published versions."""
        return PublishedFolder(self.settings.folders.published)

    @cached_property
    def code(self) -> str:
        """Hash of the code that computes."""
        return code_fingerprint()

    @property
    def version(self) -> str:
        """Name of the version that this refresh would publish; sorts by time."""
        return f"{self.started_at:%Y%m%dT%H%M%SZ}-{self.run_id[:8]}"

    @property
    def history_file(self) -> Path:
        """The file in which the price history grows."""
        return self.settings.folders.history

    def mart_parts(self, contract: Contract) -> list[Part]:
        """The files of a mart, as they are published."""
        if contract.name in self.kept:
            return self.kept[contract.name].parts
        if contract.name in self.parts:
            return self.parts[contract.name]
        file = self.warehouse.mart_file(contract)
        return [Part(WHOLE, file, rows_in(file), sha256_of(file))]

    def part_store(self, contract: Contract) -> PartStore:
        """Where the parts of a mart by month are kept."""
        folder = self.warehouse.mart_file(contract).with_suffix("")
        return PartStore(folder, contract, self.code, self.started_at.date(), anew=self.rebuild)

    @contextmanager
    def growing_history(self) -> Iterator[OpenedHistory]:
        """The price history with the batches that it has yet to ingest; rebuilt with `rebuild`, and where it is not of these snapshots."""
        batches = batches_of(self.store.fetches(), price_services(self.catalogue, self.modules), self.as_of)
        with open_for_batches(self.history_file, self.catalogue, batches, self.as_of, rebuild=self.rebuild) as found:
            yield found

    @contextmanager
    def history(self) -> Iterator[HistoryViews]:
        """The price history as it has grown. Raises ContractError where there is none."""
        if not self.history_file.exists():
            raise ContractError("the price history has not been built yet; run a whole refresh first")
        with open_history(self.history_file, self.catalogue) as found:
            yield found.views

    @cached_property
    def logic_version(self) -> str:
        """The version of the logic that validates prices in this refresh: code, contracts, rules and the reference tables it reads."""
        read = models()[INGESTED].inputs
        tables = [name for name, module in self.modules.items() if module.source.is_bundled and name in read and self._is_reference(name)]
        return logic_version(
            self.catalogue, (payload.sha256 for name in tables for fetch in self.store.fetches(name)[-1:] for payload in fetch.payloads)
        )

    def _is_reference(self, name: str) -> bool:
        return self.catalogue.tables[self.modules[name].table].feeds is None

    def fingerprint(self) -> str:
        """Equal for refreshes that would publish the same: same day, code, package versions, snapshots and state of the sources."""
        digest = hashlib.sha256(f"{self.as_of.isoformat()}\n{self.code}\n".encode())
        for name, module in self.modules.items():
            bundled = module.source.is_bundled
            fetches = self.store.fetches(name, until=None if bundled else self.as_of)
            for key in sorted({f.content_key for f in (fetches[-1:] if bundled else fetches)}):
                digest.update(f"{key}\n".encode())
        for row in sorted((name, outcome["status"]) for name, outcome in self.fetch_outcomes.items()):
            digest.update(f"{row}\n".encode())
        return digest.hexdigest()


@contextmanager
def refresh_session(
    run_id: str,
    as_of: date | None = None,
    *,
    offline: bool = False,
    rebuild: bool = False,
    only_source: str | None = None,
    lock_wait_seconds: float = 0.0,
    settings: Settings | None = None,
) -> Iterator[RefreshSession]:
    """Take the refresh lock and open what a refresh needs. Raises RefreshLockedError, SettingsError."""
    settings = settings or load_settings(os.environ)
    with ExitStack() as stack:
        stack.enter_context(refresh_lock(settings.data, lock_wait_seconds))
        # Tables are small, or come in parts that are: the streaming engine would cost more than the work, in time and in memory.
        stack.enter_context(pl.Config(engine_affinity="in-memory"))
        warehouse = stack.enter_context(open_warehouse(settings.data))
        yield RefreshSession(
            settings=settings,
            environment=os.environ,
            run_id=run_id,
            as_of=as_of or utc_now().date(),
            offline=offline or settings.offline,
            rebuild=rebuild,
            only_source=only_source,
            started_at=utc_now(),
            warehouse=warehouse,
        )


def software_version() -> str:
    """Version of the installed project."""
    return metadata.version("breakeven")


def code_fingerprint() -> str:
    """Hash of every file that can change a figure, and of the versions of the packages that compute or carry figures."""
    digest = hashlib.sha256()
    for folder in (PROJECT_FOLDER / "pipelines", MODELS_FOLDER, SQL_FOLDER):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(PROJECT_FOLDER)}\n".encode())
                digest.update(path.read_bytes())
    for package in _VERSIONED_PACKAGES:
        digest.update(f"{package}=={metadata.version(package)}\n".encode())
    return digest.hexdigest()
