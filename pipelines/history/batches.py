"""Which snapshots make a batch, and which batches a history still has to ingest.

Belongs here: the fetches of one run as a batch, the chain of hashes that says whether a history continues. Does not belong here: reading
and validating what a batch holds (`ingestion`), fetching.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from pathlib import Path

import duckdb
import polars as pl

from pipelines.catalogue.contracts import Catalogue, ContractError
from pipelines.history.engine import HistoryEngine, open_history
from pipelines.ingest.registry import SourceModule
from pipelines.ingest.snapshots import Fetch

FEED = "observation"
CHECKPOINT = "ingestion_checkpoint"


@dataclass(frozen=True)
class SnapshotBatch:
    """The fetches of one run, known from the end of the day `as_of`."""

    as_of: date
    fetches: tuple[Fetch, ...] = ()

    @property
    def key(self) -> str:
        """Equal for batches that bring the same."""
        lines = [
            f"{fetch.source} {fetch.fetched_at.isoformat()} {p.name} {p.fetched_at.isoformat()} {p.sha256}"
            for fetch in self.fetches
            for p in fetch.payloads
        ]
        return "\n".join([self.as_of.isoformat(), *lines])


@dataclass(frozen=True)
class PendingBatch:
    """A batch that a history has yet to ingest: its number, counted from 1, and the hash that chains it to all before."""

    batch: SnapshotBatch
    number: int
    chain_hash: str

    def checkpoint(self) -> pl.DataFrame:
        """What the history keeps once it has ingested the batch."""
        return pl.DataFrame({"batch_number": [self.number], "chain_hash": [self.chain_hash]})


def price_services(catalogue: Catalogue, modules: Mapping[str, SourceModule]) -> dict[str, SourceModule]:
    """Sources of prices that are fetched: their snapshots make the batches."""
    tables = {c.name for c in catalogue.fed_by(FEED)}
    return {name: module for name, module in modules.items() if module.table in tables and not module.source.is_bundled}


def batches_of(fetches: Iterable[Fetch], sources: Iterable[str], until: date) -> list[SnapshotBatch]:
    """Batches in the order of ingestion: one for each run that fetched of `sources`, known by the end of the day `until`."""
    by_run: dict[str, list[Fetch]] = defaultdict(list)
    wanted = set(sources)
    for fetch in fetches:
        if fetch.source in wanted:
            by_run[fetch.run_id].append(fetch)
    found = [SnapshotBatch(max(max(f.as_of, f.fetched_at.date()) for f in own), tuple(own)) for own in by_run.values()]
    return sorted((batch for batch in found if batch.as_of <= until), key=lambda batch: batch.as_of)


@dataclass(frozen=True)
class OpenedHistory:
    """An open history and the batches that it has yet to ingest; `rebuilt_because` says why it begins anew, None where it continues."""

    engine: HistoryEngine
    pending: list[PendingBatch]
    rebuilt_because: str | None


@contextmanager
def open_for_batches(
    path: Path, catalogue: Catalogue, batches: Sequence[SnapshotBatch], as_of: date, *, rebuild: bool = False, is_durable: bool = True
) -> Iterator[OpenedHistory]:
    """The history of a file with the batches that it has yet to ingest; the last of them goes to the end of `as_of`.

    A changed rule, parser or reference table rebuilds nothing: it holds from its day on, and what was asserted stays. A file is rebuilt
    where it is asked for, did not begin with these snapshots, goes beyond `as_of`, or has other state tables.
    """
    chain = list(accumulate(batches, lambda link, batch: _hash(link + batch.key), initial=_hash(_state_tables(catalogue))))
    ingested, why = 0, None
    if path.exists():
        ingested, why = (0, "asked for") if rebuild else _ingested(path, catalogue, chain, as_of)
    if not ingested:
        for leftover in (path, path.with_name(path.name + ".wal")):
            leftover.unlink(missing_ok=True)
    pending = [PendingBatch(batch, number, chain[number]) for number, batch in enumerate(batches, 1)][max(ingested - 1, 0) :]
    # A day without a fetch is a batch too: prices end by their limits, windows go on. And there is always one: an empty one is validated
    # as well.
    if not pending or pending[-1].batch.as_of < as_of:
        pending.append(PendingBatch(SnapshotBatch(as_of), len(batches), chain[-1]))
    with open_history(path, catalogue, is_durable=is_durable) as engine:
        yield OpenedHistory(engine, pending, why)


def _ingested(path: Path, catalogue: Catalogue, chain: Sequence[str], as_of: date) -> tuple[int, str | None]:
    """One more than the chained batches that a file has ingested; 0 and the reason where it holds another history."""
    try:
        with open_history(path, catalogue) as engine:
            checkpoint, goes_to = engine.views.checkpoint(CHECKPOINT), engine.views.as_of
    except (duckdb.Error, ContractError) as error:
        return 0, f"its file cannot be read: {error}"
    if checkpoint.is_empty() or goes_to is None:
        return 0, None
    if goes_to > as_of:
        return 0, f"it goes to {goes_to}, beyond {as_of}"
    number, chain_hash = checkpoint.row(0)
    if number >= len(chain) or chain[number] != chain_hash:
        return 0, "it ingested other snapshots, or its state tables changed"
    return int(number) + 1, None


def _state_tables(catalogue: Catalogue) -> str:
    return "\n".join(repr((c.name, [(column.name, column.type) for column in c.columns])) for c in catalogue.layer("history"))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
