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

from pipelines.catalogue.contracts import Catalogue
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


@contextmanager
def open_for_batches(
    path: Path,
    catalogue: Catalogue,
    logic_version: str,
    batches: Sequence[SnapshotBatch],
    as_of: date,
    *,
    rebuild: bool = False,
    is_durable: bool = True,
) -> Iterator[tuple[HistoryEngine, list[PendingBatch]]]:
    """The history of a file with the batches that it has yet to ingest; the last of them goes to the end of `as_of`.

    A file that did not begin with these batches under this logic version, or goes beyond `as_of`, holds another history: it is rebuilt,
    as with `rebuild`.
    """
    chain = list(accumulate(batches, lambda link, batch: _hash(link + batch.key), initial=_hash(logic_version)))
    ingested = None if rebuild or not path.exists() else _ingested(path, catalogue, chain, as_of)
    if ingested is None:
        for leftover in (path, path.with_name(path.name + ".wal")):
            leftover.unlink(missing_ok=True)
    pending = [PendingBatch(batch, number, chain[number]) for number, batch in enumerate(batches, 1)][ingested or 0 :]
    # A day without a fetch is a batch too: prices end by their limits, windows go on. And there is always one: an empty one is validated
    # as well.
    if not pending or pending[-1].batch.as_of < as_of:
        pending.append(PendingBatch(SnapshotBatch(as_of), len(batches), chain[-1]))
    with open_history(path, catalogue, is_durable=is_durable) as engine:
        yield engine, pending


def _ingested(path: Path, catalogue: Catalogue, chain: Sequence[str], as_of: date) -> int | None:
    """How many of the chained batches a file has ingested; None where it has ingested others, goes too far, or cannot be read."""
    try:
        with open_history(path, catalogue) as engine:
            checkpoint, goes_to = engine.views.checkpoint(CHECKPOINT), engine.views.as_of
    except duckdb.Error:
        return None
    if checkpoint.is_empty() or goes_to is None or goes_to > as_of:
        return None
    number, chain_hash = checkpoint.row(0)
    return int(number) if number < len(chain) and chain[number] == chain_hash else None


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
