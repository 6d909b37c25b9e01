"""The verdict on one batch, source by source: what of it may enter the history.

Belongs here: row rules, duplicates and the limits beyond which one source's part of a batch is set aside whole. Does not belong here: the
rules themselves (contract), reading snapshots (`ingestion`). One source never stops or bends another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl

from pipelines.catalogue.contracts import Contract
from pipelines.quality.results import RuleResult
from pipelines.quality.row_rules import QUARANTINE_SCHEMA, SHARE_RULE, check_rows

# Of fewer bad rows each is a verdict on itself; from here on they say that the answer cannot be trusted.
_LEAST_BAD_ROWS = 5
# An answer may bring so many rows, or so many times those known of its source where that is more.
_MOST_ROWS, _MOST_TIMES_KNOWN = 150_000, 3
# Of one source and batch, so many bad rows are kept in quarantine; the snapshot holds all of them.
_QUARANTINED_ROWS_KEPT = 1_000
_SIZE_RULE, _DUPLICATE_RULE = "answer_in_proportion", "one_row_per_key"


@dataclass(frozen=True)
class SourceOutcome:
    """What became of one source's part of a batch: its rows, how many of them are bad, and why it was set aside (None: it was not)."""

    source: str
    rows: int
    quarantined: int
    set_aside_because: str | None = None


@dataclass(frozen=True)
class ValidatedRows:
    """Good rows of the sources that were not set aside, bad rows of all, verdicts and outcomes."""

    good: pl.DataFrame
    quarantined: pl.DataFrame
    results: list[RuleResult]
    outcomes: tuple[SourceOutcome, ...]

    @property
    def set_aside(self) -> list[str]:
        """Sources whose part gives nothing."""
        return [outcome.source for outcome in self.outcomes if outcome.set_aside_because is not None]


def too_large(source: str, rows: int, known: int) -> SourceOutcome | None:
    """The outcome of an answer that brings far more rows than are known of its source; asked before anything is computed from it."""
    most = max(_MOST_ROWS, _MOST_TIMES_KNOWN * known)
    if rows <= most:
        return None
    return SourceOutcome(source, rows, 0, f"{_SIZE_RULE}: {rows:,} rows, {known:,} are known, at most {most:,} are ingested at a time")


def validate_rows(
    contract: Contract, priced: pl.DataFrame, known_rows: Mapping[str, int], released: pl.DataFrame | None = None
) -> ValidatedRows:
    """Judge the rows of a batch. `known_rows`: how many series of each source are known already; `released`: rows that a person let pass.

    A bad row is quarantined alone. Where more of a source's rows are bad than the contract allows, of its new rows or of those known, the
    source is set aside for this batch.
    """
    checked = check_rows(contract, priced.lazy(), may_quarantine=True, share_effect="set_aside", released=released)
    good, duplicates = _without_duplicates(contract, checked.good)
    rows, kept = _by_source(priced), _by_source(good)
    counts = ((source, count, count - kept.get(source, 0), known_rows.get(source, 0)) for source, count in rows.items())
    outcomes = tuple(_outcome(contract, *counted) for counted in counts)
    aside = [outcome for outcome in outcomes if outcome.set_aside_because is not None]
    results = [result for result in checked.results if result.rule != SHARE_RULE]
    results += [_share_result(outcome) for outcome in aside] or [_passed_share(priced.height)]
    quarantined = _bounded(pl.concat([checked.quarantined, duplicates]))
    return ValidatedRows(good.filter(~pl.col("source").is_in([o.source for o in aside])), quarantined, results, outcomes)


def set_aside_result(outcome: SourceOutcome) -> RuleResult:
    """The verdict on a source that was set aside before its rows were judged."""
    detail = f"{outcome.source}: {outcome.set_aside_because}"
    return RuleResult(_SIZE_RULE, "table", "critical", False, outcome.rows, outcome.rows, detail, "set_aside")


def _outcome(contract: Contract, source: str, rows: int, bad: int, known: int) -> SourceOutcome:
    limit = contract.max_quarantined_share
    is_beyond = bad > limit * max(rows, known) and (bad >= _LEAST_BAD_ROWS or bad == rows)
    why = f"{SHARE_RULE}: {bad} of {rows} new rows are bad, {known} series are known, at most {limit:.0%} may be" if is_beyond else None
    return SourceOutcome(source, rows, bad, why)


def _share_result(outcome: SourceOutcome) -> RuleResult:
    detail = f"{outcome.source} is set aside: {outcome.set_aside_because}"
    return replace(_passed_share(outcome.rows), passed=False, failing_count=outcome.quarantined, detail=detail)


def _passed_share(rows: int) -> RuleResult:
    return RuleResult(SHARE_RULE, "table", "critical", True, 0, rows, "no source is set aside", "set_aside")


def _without_duplicates(contract: Contract, good: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The first row of each key, and the others as rows of the quarantine."""
    if not good.select(pl.struct(contract.grain).is_duplicated().any()).item():
        return good, pl.DataFrame(schema=QUARANTINE_SCHEMA)
    ordered = good.sort(good.columns, nulls_last=True, maintain_order=True)
    is_first = pl.struct(contract.grain).is_first_distinct()
    others = ordered.filter(~is_first)
    return ordered.filter(is_first), others.select(
        row_key=pl.concat_str([pl.col(c).cast(pl.String).fill_null("") for c in contract.grain], separator=" | "),
        rule=pl.lit(_DUPLICATE_RULE),
        reason=pl.lit("the same source says the same of the same instant twice; one of the two rows is enough"),
        row_json=pl.struct(pl.col(c).cast(pl.String) for c in contract.column_names).struct.json_encode(),
    )


def _bounded(quarantined: pl.DataFrame) -> pl.DataFrame:
    source = pl.col("row_key").str.split(" | ").list.first()
    return quarantined.filter(pl.int_range(pl.len()).over(source) < _QUARANTINED_ROWS_KEPT) if quarantined.height else quarantined


def _by_source(rows: pl.DataFrame) -> dict[str, int]:
    return dict(rows.group_by("source").len().sort("source").iter_rows())
