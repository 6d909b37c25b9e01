"""The driver: the small tables made here, the long ones by workers, in the order in which they read each other.

Belongs here: the order of the steps, what is put where workers find it, and the record of what they report. Does not belong here: the
work on a part (`parts`), Dagster, publishing. The folder of the session is its own: what is published, and the history that grows by the
day, stay as they are.
"""

from __future__ import annotations

import heapq
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from pipelines.catalogue.contracts import Contract
from pipelines.catalogue.models import Model, models
from pipelines.history.availability import AVAILABILITY
from pipelines.history.batches import batches_of, price_services
from pipelines.history.distributed.availability import STATEMENTS, put_statements
from pipelines.history.distributed.observations import JudgedRun, judged_runs, price_run
from pipelines.history.distributed.plan import DECISIONS, SHIPPED, Job, buckets_of, put_frame, put_snapshots, runs_of, scratch_folder
from pipelines.history.distributed.ray import Workers, every
from pipelines.history.shipped import shipped_rows
from pipelines.history.storage import open_history_file
from pipelines.ingest.fetch import fetch_all
from pipelines.ingest.registry import sharing
from pipelines.platform.lock import refresh_lock
from pipelines.platform.settings import Settings
from pipelines.platform.shared_files import SharedFiles, SharedFolder
from pipelines.publication.parts import WHOLE, file_of
from pipelines.quality.results import CheckError, RuleResult, merged
from pipelines.refresh.distributed.parts import (
    BY_DEVICE,
    SERIES_ATTRIBUTE,
    Piece,
    input_key,
    is_divided,
    join_pieces,
    put_devices,
    series_attributes,
    sort_pieces,
    write_bucket,
    write_turns,
)
from pipelines.refresh.model_tables import build_model_table
from pipelines.refresh.part_verdicts import verdicts_on
from pipelines.refresh.raw_tables import build_raw_table
from pipelines.refresh.record import record_results
from pipelines.refresh.session import RefreshSession, refresh_session


@dataclass(frozen=True)
class Rebuilt:
    """What there is to say of a computation: seconds by step, answers that were not used, and the number of rows put aside."""

    seconds: dict[str, float]
    not_used: tuple[str, ...]
    quarantined: int


def rebuild_marts(settings: Settings, as_of: date, files: SharedFiles, workers: Workers, *, parts: int, digits: int = 1) -> Rebuilt:
    """Make all marts of what is stored up to `as_of` and put them among the files, in `marts/`, as a version has them.

    Of the data folder nothing is changed but `distributed/`; its snapshots take in what ships, as in any refresh. Raises CheckError where
    a verdict blocks, and what a refresh raises.
    """
    with (
        refresh_lock(settings.data),
        refresh_session(uuid.uuid4().hex, as_of, offline=True, settings=_own_folder(settings)) as session,
    ):
        shipped = {name: module for name, module in session.modules.items() if module.source.is_bundled}
        store, chosen = session.store, (session.settings, session.environment, as_of, session.run_id)
        fetch_all(shipped, store, *chosen, offline=True, only_source=None, report=lambda _: None)
        rebuild = Rebuild(session, workers, files, parts, digits)
        rebuild.run()
    return Rebuilt(rebuild.seconds, tuple(rebuild.not_used), rebuild.quarantined)


def _own_folder(settings: Settings) -> Settings:
    """Settings with a data folder of its own below the data folder, where the same snapshots and decisions are read."""
    of_all, own = settings.folders, settings.model_copy(update={"data": settings.folders.distributed.absolute()})
    shutil.rmtree(own.data, ignore_errors=True)
    own.data.mkdir(parents=True)
    of_all.snapshots.mkdir(parents=True, exist_ok=True)
    own.folders.snapshots.symlink_to(of_all.snapshots.absolute(), target_is_directory=True)
    if of_all.ops.is_dir():
        shutil.copytree(of_all.ops, own.folders.ops)
    return own


@dataclass
class Rebuild:
    """One computation of all marts. `parts`: into how many a step is divided that goes by days or devices; `digits`: of an id of a
    series, how many make its bucket. What a step comes to is added to `seconds`, `not_used` and `quarantined`, as in Rebuilt.
    """

    session: RefreshSession
    workers: Workers
    files: SharedFiles
    parts: int
    digits: int = 1
    seconds: dict[str, float] = field(default_factory=dict)
    not_used: list[str] = field(default_factory=list)
    quarantined: int = 0
    _of_series: dict[str, list[Piece]] = field(default_factory=dict)
    _keys: dict[str, list[str]] = field(default_factory=dict)

    def run(self) -> None:
        """Make every table, and put every mart among the files."""
        with self._timed("raw tables"):
            self._make_raw_tables()
        for model in models().values():
            with self._timed(model.contract.table if is_divided(model) else "other tables"):
                self._make(model)
        with self._timed("marts put"):
            for contract in self.session.catalogue.layer("marts"):
                if not is_divided(models()[contract.name]):
                    self.files.put(self.session.warehouse.mart_file(contract), file_of(contract, WHOLE))

    def _make_raw_tables(self) -> None:
        unusable: list[str] = []
        for contract in self.session.catalogue.layer("raw"):
            unusable += build_raw_table(contract, sharing(self.session.modules.values(), contract.name), self.session).unusable
        if unusable:
            raise CheckError("; ".join(unusable))

    def _make(self, model: Model) -> None:
        if model.is_incremental:
            self._make_history(model)
        elif model.is_partitioned:
            self._join(model, self._of_series.get(model.name, []))
        elif model.name in BY_DEVICE:
            self._make_by_device(model)
        elif model.is_in_parts:
            self._make_by_turns(model)
        else:
            build_model_table(model, self.session)

    def _make_history(self, model: Model) -> None:
        """The history of every bucket of series, with its tables; what is small of it into the history of the session."""
        session = self.session
        fed = {name: session.warehouse.read(session.catalogue.tables[name]) for name in model.inputs}
        is_seen_by_all = isinstance(self.files, SharedFolder)
        tables = tuple(name for name in model.parameters if name in fed)
        job = self._job = Job(self.files, tables, session.store.folder.absolute() if is_seen_by_all else None)
        for name in tables:
            put_frame(self.files, fed[name].collect(), input_key(name))
        put_frame(self.files, shipped_rows(fed, session.modules, session.catalogue), input_key(SHIPPED))
        put_frame(self.files, session.decisions, input_key(DECISIONS))
        batches = batches_of(session.store.fetches(), price_services(session.catalogue, session.modules), session.as_of)
        runs = runs_of(batches, session.as_of, self.parts)
        with self._timed("answers put"):
            put_snapshots(job, session.store, runs)
        with self._timed("priced"):
            priced = every(self.workers, price_run, [(job, run) for run in runs])
        with self._timed("judged"):
            judged: list[JudgedRun] = judged_runs(job, runs, priced, self.digits, self.workers)
        self.not_used += [line for run in priced for line in run.rejected]
        self.not_used += [f"{o.source}: set aside: {o.set_aside_because}" for run in judged for _, o in run.outcomes if o.set_aside_because]
        self.quarantined += sum(run.quarantined for run in (*priced, *judged))
        results = merged(run.results for run in (*priced, *judged))
        record_results(session, model.contract.table, results)
        _stop_where_blocked(model.contract, results)
        with self._timed("history"):
            said = self.workers.start(put_statements, job, runs, {place: who for run in judged for place, who in run.set_aside.items()})
            buckets = buckets_of(self.digits)
            parts = [(job, runs, bucket, [run.number for run in judged if bucket in run.buckets]) for bucket in buckets]
            for pieces in every(self.workers, write_bucket, parts):
                for piece in pieces:
                    self._of_series.setdefault(piece.table, []).append(piece)
        with self._timed("availability, beyond the history"):
            self.workers.results([said])
        with scratch_folder() as scratch, open_history_file(session.history_file, session.catalogue) as file:
            file.replace("history_progress", pl.DataFrame({"as_of_on": [session.as_of]}))
            file.replace(SERIES_ATTRIBUTE, series_attributes(job, buckets))
            file.replace(AVAILABILITY, pl.read_parquet(self.files.get(STATEMENTS, scratch)))
            file.replace("reference_observation", pl.read_parquet(self.files.get(f"reference/{len(runs)}.parquet", scratch)))
        # Which observations are new is a matter of a history that grows; no mart reads them.
        session.warehouse.write(model.contract, pl.DataFrame(schema=model.contract.polars_schema()))

    def _make_by_device(self, model: Model) -> None:
        keys = self._keys_of(model)
        groups = _in_groups(self._series_by_device(model), self.parts)
        tasks = [(self._job, model.name, keys, self.session.as_of, number, devices) for number, devices in enumerate(groups)]
        found = [piece for pieces in every(self.workers, put_devices, tasks) for piece in pieces if piece.rows]
        by_part = _by_part(found) or {WHOLE: []}
        parts = [(self._job, model.name, part, [piece.key for piece in pieces]) for part, pieces in by_part.items()]
        self._finish(model, every(self.workers, sort_pieces, parts))

    def _make_by_turns(self, model: Model) -> None:
        keys = self._keys_of(model)
        turns = [(self._job, model.name, keys, self.session.as_of, turn, self.parts) for turn in range(self.parts)]
        self._join(model, [piece for pieces in every(self.workers, write_turns, turns) for piece in pieces])

    def _join(self, model: Model, pieces: list[Piece]) -> None:
        """Put the pieces of each part of a table together, in the order of their keys."""
        by_part = _by_part([piece for piece in pieces if piece.rows])
        if not by_part:
            self._finish(model, every(self.workers, sort_pieces, [(self._job, model.name, WHOLE, [])]))
            return
        parts = [(self._job, model.name, part, sorted(piece.key for piece in own)) for part, own in by_part.items()]
        keys = every(self.workers, join_pieces, parts)
        whole = [
            Piece(model.name, part, key, sum(piece.rows for piece in own), merged(piece.results for piece in own))
            for key, (part, own) in zip(keys, by_part.items(), strict=True)
        ]
        self._finish(model, whole)

    def _finish(self, model: Model, parts: list[Piece]) -> None:
        """Record the verdicts on a table and have it read."""
        contract = model.contract
        results = merged(part.results for part in parts)
        if not sum(part.rows for part in parts):
            results = verdicts_on(contract, pl.DataFrame(schema=contract.polars_schema()))
        record_results(self.session, contract.table, results)
        _stop_where_blocked(contract, results)
        self._keys[model.name] = [part.key for part in parts]
        folder = self.session.warehouse.mart_file(contract).parent
        self.session.warehouse.attach_parquet(contract, [self.files.get(part.key, folder) for part in parts])

    def _keys_of(self, model: Model) -> dict[str, list[str]]:
        """Where workers find what a model reads; what the driver made is put there, once."""
        for name in model.inputs:
            if name not in self._keys:
                table = self.session.warehouse.read(self.session.catalogue.tables[name]).collect()
                put_frame(self.files, table, input_key(name))
                self._keys[name] = [input_key(name)]
        return {name: self._keys[name] for name in model.inputs}

    def _series_by_device(self, model: Model) -> dict[str, int]:
        """The devices that the inputs of a model speak of, with the number of their series."""
        tables = [self.session.catalogue.tables[name] for name in model.inputs]
        named = [self.session.warehouse.read(table).select("gpu").unique() for table in tables if "gpu" in table.column_names]
        series = self.session.warehouse.read(self.session.catalogue.tables["price_series"]).group_by("gpu").len()
        found = pl.concat(named).unique().drop_nulls().join(series, on="gpu", how="left").sort("gpu").collect()
        return dict(found.with_columns(pl.col("len").fill_null(0)).rows())

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[step] = self.seconds.get(step, 0.0) + time.monotonic() - started


def _stop_where_blocked(contract: Contract, results: list[RuleResult]) -> None:
    blocking = [result for result in results if result.blocks]
    if blocking:
        raise CheckError("; ".join(f"{contract.table}, {result.rule}: {result.detail}" for result in blocking))


def _by_part(pieces: list[Piece]) -> dict[str, list[Piece]]:
    """Pieces by the part that they are of, in the order of the parts."""
    found: dict[str, list[Piece]] = {}
    for piece in sorted(pieces, key=lambda piece: (piece.part, piece.key)):
        found.setdefault(piece.part, []).append(piece)
    return found


def _in_groups(weights: dict[str, int], count: int) -> list[list[str]]:
    """Names in at most so many groups of about equal weight, the heaviest first."""
    groups: list[tuple[int, list[str]]] = [(0, []) for _ in range(min(count, max(len(weights), 1)))]
    for name, weight in sorted(weights.items(), key=lambda item: (-item[1], item[0])):
        size, names = heapq.heappop(groups)
        heapq.heappush(groups, (size + weight + 1, [*names, name]))
    return [names for _, names in sorted(groups, reverse=True)]
