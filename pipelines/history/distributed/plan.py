"""How a history is divided among workers: runs of batches for what goes by day, beginnings of ids for what goes by series.

Belongs here: the parts, and what every worker needs of the whole. Does not belong here: the work on a part (`observations`, `series`),
who does it (`ray`).

Files, below one address that all workers see:

| key | rows | written by |
|---|---|---|
| `inputs/<name>.parquet` | what normalisation reads, observations that ship, decisions of people | the driver |
| `priced/<run>.parquet` | observations of a run of batches, each by itself | the first step, by run |
| `newest/<run>.parquet` | of these the last of each series by each source | the first step, by run |
| `said/<run>.parquet`, `listed/<run>.parquet` | what bears on whether a series can be had | the first step, by run |
| `reference/<run>.parquet` | the reference observations before a run | the driver |
| `good/<run>/<bucket>.parquet` | good observations of a run, by bucket of series | the second step, by run |
| `snapshots/...` | answers, where the store lies in no folder that all see; `<run>.parquet` names those of a run | the driver |
| `quarantine/<step>/<run>.parquet` | rows that were put aside, with the rule and the reason | both steps, by run |
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from itertools import product
from pathlib import Path

import polars as pl

from pipelines.catalogue.contracts import Catalogue, catalogue
from pipelines.history.batches import SnapshotBatch
from pipelines.history.shipped import ShippedObservations, end_of
from pipelines.ingest.registry import SourceModule, discover
from pipelines.ingest.snapshots import SnapshotStore
from pipelines.platform.shared_files import SharedFiles

SHIPPED, DECISIONS, RATES = "shipped", "quarantine_decision", "currency_rate"
_HEX_DIGITS = "0123456789abcdef"


@dataclass(frozen=True)
class Job:
    """What all parts of one computation share. `snapshots`: the folder of the store; without one, the store is among the files.

    `tables`: the names of what normalisation reads.
    """

    files: SharedFiles
    tables: tuple[str, ...]
    snapshots: Path | None


@dataclass(frozen=True)
class Batch:
    """A batch, and the day up to which everything was known before it."""

    batch: SnapshotBatch
    before: date | None

    @property
    def since(self) -> datetime:
        """From which time on things became known by this batch."""
        return datetime.min if self.before is None else end_of(self.before)

    @property
    def end(self) -> datetime:
        """The end of its day."""
        return end_of(self.batch.as_of)


@dataclass(frozen=True)
class Run:
    """Batches that follow each other, each with its place among all, counted from 0; `number`: of the run itself."""

    number: int
    batches: tuple[tuple[int, Batch], ...]


def runs_of(batches: Sequence[SnapshotBatch], as_of: date, count: int) -> list[Run]:
    """All batches, up to the end of `as_of`, in at most `count` runs of about as many bytes of answers; as `batches.open_for_batches`."""
    whole = list(batches)
    if not whole or whole[-1].as_of < as_of:
        whole.append(SnapshotBatch(as_of))
    known_before = [None, *(batch.as_of for batch in whole[:-1])]
    each = [Batch(batch, before) for batch, before in zip(whole, known_before, strict=True)]
    sizes = [1 + sum(payload.byte_count for fetch in one.batch.fetches for payload in fetch.payloads) for one in each]
    runs: list[list[tuple[int, Batch]]] = [[] for _ in range(count)]
    total, taken = sum(sizes), 0
    for place, (one, size) in enumerate(zip(each, sizes, strict=True)):
        runs[taken * count // total].append((place, one))
        taken += size
    return [Run(number, tuple(run)) for number, run in enumerate(run for run in runs if run)]


def buckets_of(digits: int) -> list[str]:
    """Buckets of series in the order of their ids: all beginnings of so many digits."""
    return ["".join(one) for one in product(_HEX_DIGITS, repeat=digits)]


@dataclass(frozen=True)
class Inputs:
    """What every part reads, held."""

    catalogue: Catalogue
    modules: dict[str, SourceModule]
    tables: dict[str, pl.LazyFrame]
    shipped: ShippedObservations
    decisions: pl.DataFrame

    @property
    def rates(self) -> pl.LazyFrame:
        """Exchange rates by day."""
        return self.tables[RATES]


@lru_cache(maxsize=1)
def inputs_of(job: Job) -> Inputs:
    """Read what the driver put; a worker does so once."""
    with scratch_folder() as scratch:
        read = {name: pl.read_parquet(job.files.get(f"inputs/{name}.parquet", scratch)) for name in (*job.tables, SHIPPED, DECISIONS)}
    known = catalogue()
    shipped, decisions = ShippedObservations(read.pop(SHIPPED)), read.pop(DECISIONS)
    return Inputs(known, discover(known), {name: frame.lazy() for name, frame in read.items()}, shipped, decisions)


def put_frame(files: SharedFiles, frame: pl.DataFrame, key: str) -> None:
    """Put a frame as a Parquet file."""
    with scratch_folder() as scratch:
        frame.write_parquet(scratch / "frame.parquet", compression="zstd")
        files.put(scratch / "frame.parquet", key)


def put_snapshots(job: Job, store: SnapshotStore, runs: Sequence[Run]) -> None:
    """Have the answers of all batches among the files, where they lie in no folder that every machine sees."""
    if job.snapshots is None:
        for file in sorted({file for run in runs for file in _snapshot_files(store.folder, run)}):
            job.files.put(file, f"snapshots/{file.relative_to(store.folder).as_posix()}")
        for run in runs:
            listed = [file.relative_to(store.folder).as_posix() for file in _snapshot_files(store.folder, run)]
            put_frame(job.files, pl.DataFrame({"file": listed}, schema={"file": pl.String}), f"snapshots/{run.number}.parquet")


def snapshots_of(job: Job, run: Run, scratch: Path) -> SnapshotStore:
    """A store that has at least the answers of a run."""
    if job.snapshots is not None:
        return SnapshotStore(job.snapshots)
    listing = job.files.get(f"snapshots/{run.number}.parquet", scratch)
    for file in pl.read_parquet(listing).get_column("file"):
        job.files.get(f"snapshots/{file}", scratch)
    return SnapshotStore(listing.parent)


def _snapshot_files(folder: Path, run: Run) -> list[Path]:
    """The files of a store that hold the answers of a run: their own ones, or else all packs."""
    hashes = {payload.sha256 for _, one in run.batches for fetch in one.batch.fetches for payload in fetch.payloads}
    own = [folder / "objects" / sha256[:2] / f"{sha256}.gz" for sha256 in sorted(hashes)]
    packed = [] if all(file.is_file() for file in own) else sorted(file for file in (folder / "packs").glob("*") if file.is_file())
    return [*(file for file in own if file.is_file()), *packed]


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder of a part's own, removed with it."""
    with tempfile.TemporaryDirectory(prefix="breakeven-") as folder:
        yield Path(folder)
