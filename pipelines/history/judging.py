"""One batch by itself: what its snapshots say, and the verdict on its rows, given what was known before it.

Belongs here: the two steps that every way of ingesting takes with a batch. Does not belong here: the order of batches and what each
knows of those before it (`ingestion`), the limits of a source's part (`validation`), the history (`engine`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from pipelines.catalogue.contracts import Catalogue, Contract
from pipelines.history.availability import WholeAnswer
from pipelines.history.batches import FEED, SnapshotBatch
from pipelines.history.engine import reference_after
from pipelines.history.series import series_key
from pipelines.history.validation import SourceOutcome, set_aside_result, validate_rows
from pipelines.ingest.parse import RawRejectedError, read_fetch, with_facts
from pipelines.ingest.registry import SourceModule
from pipelines.ingest.snapshots import SnapshotStore
from pipelines.quality.failing_rows import Computed, put_aside
from pipelines.quality.quarantine import released_keys
from pipelines.quality.results import RuleResult


@dataclass(frozen=True)
class ReadBatch:
    """Rows of the feed by source, with its facts; why snapshots were not used; by source its answer, where nothing of it is missing."""

    rows: dict[str, pl.LazyFrame]
    row_counts: dict[str, int]
    rejected: tuple[str, ...]
    answers: dict[str, WholeAnswer]


def read_batch(batch: SnapshotBatch, modules: Mapping[str, SourceModule], catalogue: Catalogue, snapshots: SnapshotStore) -> ReadBatch:
    """Read all fetches of a batch; one that cannot be read stops no other."""
    fed: dict[str, list[pl.DataFrame]] = defaultdict(list)
    rejected, answers = [], {}
    for fetch in batch.fetches:
        try:
            module = modules[fetch.source]
            read = read_fetch(fetch, module, catalogue.tables[module.table], catalogue, snapshots)
        except RawRejectedError as error:
            rejected.append(f"{fetch.source} {fetch.fetched_at}: {error}")
            continue
        assert read.fed is not None
        fed[fetch.source].append(read.fed)
        if module.source.semantics == "reading" and read.listed is not None:
            answers[fetch.source] = WholeAnswer(fetch.source, fetch.fetched_at, read.listed.select(series_key()))
    rows = {name: with_facts(pl.concat(own).lazy(), modules[name], FEED) for name, own in fed.items()}
    return ReadBatch(rows, {name: sum(part.height for part in own) for name, own in fed.items()}, tuple(rejected), answers)


@dataclass(frozen=True)
class JudgedBatch:
    """Good rows, bad ones, verdicts, what became of each source, the sources that give nothing, and the reference observations after it."""

    good: pl.DataFrame
    quarantined: pl.DataFrame
    results: list[RuleResult]
    outcomes: tuple[SourceOutcome, ...]
    set_aside: list[str]
    reference: pl.DataFrame


def known_rows(reference: pl.DataFrame) -> dict[str, int]:
    """How many series of each source are known."""
    return dict(reference.group_by("source").len().iter_rows())


def judge_batch(
    contract: Contract, computed: Computed, reference: pl.DataFrame, too_large: Sequence[SourceOutcome], released: pl.DataFrame | None
) -> JudgedBatch:
    """Judge what was computed of a batch, given the reference observations before it and the sources whose part is out of proportion."""
    priced, (failed, failing) = computed.frame, put_aside(contract, computed)
    checked = validate_rows(contract, priced, known_rows(reference), released)
    set_aside = [*checked.set_aside, *(outcome.source for outcome in too_large)]
    return JudgedBatch(
        checked.good,
        pl.concat([checked.quarantined, failing]),
        [*checked.results, *failed, *map(set_aside_result, too_large)],
        (*too_large, *checked.outcomes),
        set_aside,
        reference_after(reference, priced.filter(~pl.col("source").is_in(set_aside))),
    )


def released_by(decisions: pl.DataFrame | None, end: datetime, contract: Contract) -> pl.DataFrame | None:
    """Rows that a person had let pass by then. A decision holds from its time on: a history that is rebuilt is the one that grew."""
    if decisions is None:
        return None
    return released_keys(decisions.filter(pl.col("decided_at") < end), contract.table)
