"""Observations of a run of batches: read and priced, then judged, given the reference observations before the run.

Belongs here: the two steps that go by runs of batches, and what leads from one run to the next. Does not belong here: reading and judging
one batch (`judging`), keeping prices (`series`).

Within a run each batch is judged given those before it, as in one process. Between runs only the last observation of each series by each
source counts: it is taken of what is priced, before anything is judged. A verdict bears on it in one way alone: a source that is set
aside for a batch gives nothing to the batches after it. So all runs are judged at the same time as if none was, and those after a
source that was are judged once more (`judged_runs`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

import duckdb
import polars as pl

from pipelines.catalogue.models import AS_OF, INGESTED
from pipelines.history.distributed.plan import Inputs, Job, Run, inputs_of, put_frame, scratch_folder, snapshots_of
from pipelines.history.distributed.ray import Workers, every
from pipelines.history.engine import needed_columns, reference_after
from pipelines.history.judging import judge_batch, known_rows, read_batch, released_by
from pipelines.history.series import identity, series_key
from pipelines.history.validation import SourceOutcome, too_large
from pipelines.prices.observations import compared_observations, priced_observations
from pipelines.quality.failing_rows import computed_without_failing_rows, put_aside
from pipelines.quality.results import RuleResult, merged
from pipelines.quality.table_rules import check_table

BATCH = "__batch"
_BAND = "reference_gpu_price_band"
# What a row of the feed says of whether its series can be had, beside the series.
_SAID = ("source", "stock", "last_confirmed_at", "precedence")
# Of a batch by its place among all: the sources that were set aside for it.
SetAside = dict[int, tuple[str, ...]]


@dataclass(frozen=True)
class PricedRun:
    """What is small of a run that was priced: rows of the feed by batch and source, why snapshots were not used, verdicts on rows that
    cannot be computed.
    """

    number: int
    row_counts: dict[int, dict[str, int]]
    rejected: tuple[str, ...]
    results: list[RuleResult]
    quarantined: int


@dataclass(frozen=True)
class JudgedRun:
    """What is small of a run that was judged: its verdicts, the sources set aside, rows in quarantine, and buckets with good rows."""

    number: int
    results: list[RuleResult]
    outcomes: tuple[tuple[int, SourceOutcome], ...]
    quarantined: int
    buckets: tuple[str, ...]

    @property
    def set_aside(self) -> SetAside:
        """The sources that were set aside, by batch."""
        found: dict[int, list[str]] = {}
        for place, outcome in self.outcomes:
            if outcome.set_aside_because is not None:
                found.setdefault(place, []).append(outcome.source)
        return {place: tuple(sorted(sources)) for place, sources in found.items()}


def price_run(job: Job, run: Run) -> PricedRun:
    """Read and price each batch of a run; nothing of it needs another batch."""
    inputs, counts = inputs_of(job), {}
    contract, columns = inputs.catalogue.tables[INGESTED], _priced_columns(inputs)
    rejected: list[str] = []
    priced, said, listed, failing = [], [], [], []
    results: list[list[RuleResult]] = []
    with scratch_folder() as scratch:
        store = snapshots_of(job, run, scratch)
        for place, one in run.batches:
            read = read_batch(one.batch, inputs.modules, inputs.catalogue, store)
            counts[place] = read.row_counts
            rejected += read.rejected
            shipped = inputs.shipped.known_since(one.since)
            rows = [shipped.lazy(), *(rows.select(shipped.columns) for rows in read.rows.values())]
            observed = pl.concat(rows).filter(pl.col("known_from") < one.end).collect(engine="in-memory")
            found = computed_without_failing_rows(observed, partial(_priced, inputs, one.batch.as_of))
            failed, aside = put_aside(contract, found)
            results.append(failed)
            failing.append(aside)
            numbered = pl.lit(place, dtype=pl.Int64).alias(BATCH)
            priced.append(found.frame.select(columns).with_columns(numbered))
            said.append(observed.select(*_SAID, *series_key()).with_columns(numbered))
            listed += [
                answer.listed.with_columns(numbered, pl.lit(name).alias("source"), pl.lit(answer.answered_at).alias("answered_at"))
                for name, answer in read.answers.items()
            ]
    whole = pl.concat(priced)
    put_frame(job.files, whole, f"priced/{run.number}.parquet")
    put_frame(job.files, newest_of(inputs, run, whole, {}), f"newest/{run.number}.parquet")
    put_frame(job.files, pl.concat(said), f"said/{run.number}.parquet")
    empty = inputs.catalogue.tables["reference_observation"].polars_schema()
    none = pl.DataFrame(schema={name: empty[name] for name in (*series_key(), "source")} | {"answered_at": pl.Datetime("us")})
    put_frame(job.files, pl.concat(listed) if listed else none.with_columns(numbered), f"listed/{run.number}.parquet")
    quarantined = pl.concat(failing)
    put_frame(job.files, quarantined, f"quarantine/priced/{run.number}.parquet")
    return PricedRun(run.number, counts, tuple(rejected), merged(results), quarantined.height)


def newest_of(inputs: Inputs, run: Run, priced: pl.DataFrame, set_aside: SetAside) -> pl.DataFrame:
    """The last observation of each series by each source in a run, without what was set aside."""
    newest = pl.DataFrame(schema=inputs.catalogue.tables["reference_observation"].polars_schema())
    for place, _ in run.batches:
        newest = reference_after(newest, _of(priced, place, set_aside))
    return newest


def newest_of_run(job: Job, run: Run, set_aside: SetAside) -> int:
    """`newest_of`, once it is known what of a run is set aside; gives the number of the run."""
    with scratch_folder() as scratch:
        priced = pl.read_parquet(job.files.get(f"priced/{run.number}.parquet", scratch))
    put_frame(job.files, newest_of(inputs_of(job), run, priced, set_aside), f"newest/{run.number}.parquet")
    return run.number


def judge_run(job: Job, run: Run, priced: PricedRun, digits: int) -> JudgedRun:
    """Judge the batches of a run one after the other; good rows go into the buckets of their series."""
    inputs = inputs_of(job)
    contract, needed = inputs.catalogue.tables[INGESTED], needed_columns(inputs.catalogue)
    results, outcomes = [], []
    good, judged_good, quarantined = [], [], []
    with scratch_folder() as scratch:
        rows = pl.read_parquet(job.files.get(f"priced/{run.number}.parquet", scratch))
        reference = pl.read_parquet(job.files.get(f"reference/{run.number}.parquet", scratch))
    for place, one in run.batches:
        known = known_rows(reference)
        counted = priced.row_counts[place].items()
        oversized = [o for name, count in counted if (o := too_large(name, count, known.get(name, 0))) is not None]
        own = _of(rows, place, {place: tuple(o.source for o in oversized)})
        computed = computed_without_failing_rows(own, partial(_compared, inputs, reference))
        judged = judge_batch(contract, computed, reference, oversized, released_by(inputs.decisions, one.end, contract))
        reference = judged.reference
        kept = inputs.shipped.with_confirmation(judged.good, how="left").select(*needed, "confirmed_until")
        good.append(kept.with_columns(pl.lit(place, dtype=pl.Int64).alias(BATCH)))
        judged_good.append(judged.good)
        quarantined.append(judged.quarantined)
        results.append(judged.results)
        outcomes += [(place, outcome) for outcome in judged.outcomes]
    bad = pl.concat(quarantined)
    put_frame(job.files, bad, f"quarantine/judged/{run.number}.parquet")
    results.append(check_table(contract, pl.concat(judged_good)))
    return JudgedRun(run.number, merged(results), tuple(outcomes), bad.height, _write_buckets(job, run, pl.concat(good), digits))


def judged_runs(job: Job, runs: Sequence[Run], priced: Sequence[PricedRun], digits: int, workers: Workers) -> list[JudgedRun]:
    """All runs, judged.

    Each round settles at least one run more: the first whose set aside sources were not known before.
    """
    judged: dict[int, JudgedRun] = {}
    waiting = list(runs)
    while waiting:
        _put_references(job, runs, waiting[0].number)
        before = {number: run.set_aside for number, run in judged.items()}
        judged |= {one.number: one for one in every(workers, judge_run, [(job, run, priced[run.number], digits) for run in waiting])}
        surprising = [run for run in waiting if judged[run.number].set_aside != before.get(run.number, {})]
        every(workers, newest_of_run, [(job, run, judged[run.number].set_aside) for run in surprising])
        waiting = [run for run in waiting if surprising and run.number > surprising[0].number]
    return [judged[run.number] for run in runs]


def _put_references(job: Job, runs: Sequence[Run], first: int) -> None:
    """The reference observations before each run from `first` on."""
    schema = inputs_of(job).catalogue.tables["reference_observation"].polars_schema()
    for run in runs[max(first - 1, 0) :]:
        with scratch_folder() as scratch:
            if run.number:
                before = pl.read_parquet(job.files.get(f"reference/{run.number}.parquet", scratch))
            else:
                before = pl.DataFrame(schema=schema)
                put_frame(job.files, before, "reference/0.parquet")
            newest = pl.read_parquet(job.files.get(f"newest/{run.number}.parquet", scratch))
        put_frame(job.files, reference_after(before, newest), f"reference/{run.number + 1}.parquet")


def _priced(inputs: Inputs, as_of: date, observed: pl.DataFrame) -> pl.DataFrame:
    tables = {name: table for name, table in inputs.tables.items() if name != _BAND}
    return priced_observations(observed.lazy(), **tables, **{AS_OF: as_of}).collect(engine="in-memory")  # type: ignore[arg-type]


def _compared(inputs: Inputs, reference: pl.DataFrame, priced: pl.DataFrame) -> pl.DataFrame:
    found = compared_observations(priced.lazy(), inputs.tables[_BAND], reference.lazy()).collect(engine="in-memory")
    inputs.catalogue.tables[INGESTED].conform(found.lazy())
    return found


def _priced_columns(inputs: Inputs) -> list[str]:
    """The columns of a row that need no other row."""
    none = _priced(inputs, date.min, inputs.shipped.rows.clear())
    return [name for name in inputs.catalogue.tables[INGESTED].column_names if name in none.columns]


def _of(priced: pl.DataFrame, place: int, set_aside: SetAside) -> pl.DataFrame:
    """The rows of one batch, without those of sources that are set aside."""
    return priced.filter((pl.col(BATCH) == place) & ~pl.col("source").is_in(set_aside.get(place, ()))).drop(BATCH)


def _write_buckets(job: Job, run: Run, good: pl.DataFrame, digits: int) -> tuple[str, ...]:
    """Put the rows of each bucket, and give the buckets that have any; a bucket is the beginning of the ids of its series."""
    named = good.with_columns(identity())
    known = named.select("identity").unique()
    with duckdb.connect() as connection:
        connection.register("known", known.to_arrow())
        bucket = connection.sql(
            "SELECT identity, substr(sha256(identity), 1, $digits) AS bucket FROM known", params={"digits": digits}
        ).pl()
    parts = named.join(bucket, on="identity", how="left", maintain_order="left").drop("identity").partition_by("bucket", as_dict=True)
    for (name,), part in parts.items():
        put_frame(job.files, part.drop("bucket"), f"good/{run.number}/{name}.parquet")
    return tuple(sorted(str(name) for (name,) in parts))
