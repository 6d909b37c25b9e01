"""Rules of a source as a whole: what it brought against what it brought before, and against what it is known to sell.

Belongs here: verdicts on the snapshots of one source, and on a table that lost all its rows. Does not belong here: rules of one row
(`row_rules`), finding the snapshots (`pipelines.ingest`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from pipelines.catalogue.contracts import Contract
from pipelines.catalogue.rules import Effect, Severity
from pipelines.quality.results import RuleResult

# Below this share of the last good snapshot's rows a snapshot is partial.
LEAST_SHARE_OF_LAST = 0.7
_FIGURES_NAMED = 5


@dataclass(frozen=True)
class SourceRule:
    """A rule that holds for every source, or for every table."""

    name: str
    severity: Severity
    effect: Effect
    reason: str
    layer: str = "raw"

    def holds_for(self, contract: Contract) -> bool:
        """True where the rule may give a verdict on a table."""
        declared = {"must_have": contract.must_have, "near_its_last_release": contract.near_its_last_release}
        if declared.get(self.name, ()) is None:
            return False
        return contract.layer == self.layer and not (self.name == "not_suddenly_empty" and contract.may_become_empty)

    def verdict(self, passed: bool, failing: int, rows: int, found: str) -> RuleResult:
        """The verdict with what was found in front of the reason."""
        return RuleResult(
            self.name, "source", self.severity, passed, 0 if passed else failing, rows, f"{found}; {self.reason}", self.effect
        )


SNAPSHOT_IS_GOOD = SourceRule(
    "snapshot_is_good", "critical", "set_aside", "a snapshot that cannot be read is passed over, and the last good one stands"
)
ROW_COUNT = SourceRule(
    "row_count_against_last",
    "warning",
    "warned",
    f"below {LEAST_SHARE_OF_LAST:.0%} of the snapshot before, a source has lost a part of what it sells",
)
MUST_HAVE = SourceRule("must_have", "warning", "warned", "what a source is known to sell has not vanished from the market over night")
NOT_SUDDENLY_EMPTY = SourceRule(
    "not_suddenly_empty", "critical", "blocked", "a table that had rows on an earlier day has some today", "marts"
)
CAN_BE_MADE = SourceRule(
    "can_be_made",
    "critical",
    "kept",
    "a mart whose model fails keeps what is published, as do those that read it; the others go on",
    "marts",
)
PAYLOADS = SourceRule("payloads_can_be_read", "warning", "warned", "a part of an answer that cannot be read is left out by itself")
ROWS_AT_LEAST = SourceRule("rows_at_least", "warning", "warned", "with fewer rows than ever a source has lost a part of what it sells")
NEAR_ITS_LAST_RELEASE = SourceRule(
    "near_its_last_release",
    "warning",
    "warned",
    "what multiplies every figure is held against its own past: a share written as per cent moves all answers at once",
)
GIVES_A_FIGURE = SourceRule(
    "gives_a_figure", "warning", "warned", "a source whose rows give no figure is not well, however many rows it brings"
)
FIGURE_COUNT = SourceRule(
    "figure_count_against_last",
    "warning",
    "warned",
    f"below {LEAST_SHARE_OF_LAST:.0%} of the figures of the snapshot before, rows still come but are no longer understood",
)
SOURCE_RULES = (
    SNAPSHOT_IS_GOOD,
    PAYLOADS,
    ROWS_AT_LEAST,
    ROW_COUNT,
    MUST_HAVE,
    NOT_SUDDENLY_EMPTY,
    CAN_BE_MADE,
    NEAR_ITS_LAST_RELEASE,
    GIVES_A_FIGURE,
    FIGURE_COUNT,
)
# Each of these makes a source partial that has else been read well.
PARTIAL_RULES = frozenset({PAYLOADS.name, ROWS_AT_LEAST.name, ROW_COUNT.name, MUST_HAVE.name, GIVES_A_FIGURE.name, FIGURE_COUNT.name})


def unusable_snapshot(why: str) -> RuleResult:
    """The verdict on a snapshot that could not be used."""
    return SNAPSHOT_IS_GOOD.verdict(False, 1, 1, why)


def row_count_against_last(before: int, now: int) -> RuleResult:
    """The verdict on the rows of a snapshot by those of the good one before it."""
    return ROW_COUNT.verdict(now >= LEAST_SHARE_OF_LAST * before, before - now, now, f"{now} rows, {before} in the snapshot before")


def figure_count_against_last(before: int, now: int) -> RuleResult:
    """The verdict on what a source's rows came to, after its own reading of them, by that of the good snapshot before it."""
    return FIGURE_COUNT.verdict(now >= LEAST_SHARE_OF_LAST * before, before - now, now, f"{now} figures, {before} in the snapshot before")


def must_have(contract: Contract, frame: pl.DataFrame) -> list[RuleResult]:
    """The verdict on what a contract says that its source always sells; none where it says nothing."""
    if contract.must_have is None:
        return []
    return [has_all(*contract.must_have, frame)]


def payloads_can_be_read(problems: str, count: int, rows: int) -> RuleResult:
    """The verdict on the parts of a fetch by what went wrong with `count` of them."""
    return PAYLOADS.verdict(count == 0, count, rows, problems or "every part could be read")


def rows_at_least(least: int, rows: int) -> RuleResult:
    """The verdict on the rows of a fetch by what its source says that it never goes below."""
    return ROWS_AT_LEAST.verdict(rows >= least, least - rows, rows, f"{rows} rows, at least {least}")


def has_all(column: str, wanted: Collection[str], frame: pl.DataFrame) -> RuleResult:
    """The verdict on a column by the values that it always has."""
    missing = sorted(set(wanted) - set(frame.get_column(column).drop_nulls().unique().to_list()))
    found = f"{column} lacks {', '.join(missing)}" if missing else f"{column} has all {len(wanted)}"
    return MUST_HAVE.verdict(not missing, len(missing), frame.height, found)


def not_suddenly_empty(rows: int, before: int, as_of_before: str) -> RuleResult:
    """The verdict on a table by the rows that it has in the version that is published for an earlier day."""
    passed = rows > 0 or before == 0
    return NOT_SUDDENLY_EMPTY.verdict(passed, 1, rows, f"{rows or 'no'} rows, {before} in the published version for {as_of_before}")


def near_its_last_release(contract: Contract, before: pl.DataFrame, now: pl.DataFrame) -> list[RuleResult]:
    """The verdict on the figures of a curated table by those of the release before it; none where its contract holds it against none."""
    if contract.near_its_last_release is None:
        return []
    columns, most_ratio = contract.near_its_last_release

    def figures(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.unpivot(columns, index=contract.grain, variable_name="__column").with_columns(pl.col("value").cast(pl.Float64))

    both = figures(now).join(figures(before), on=[*contract.grain, "__column"], suffix="__before", nulls_equal=True)
    ratio = pl.col("value") / pl.col("value__before")
    away = both.filter(pl.col("value__before") > 0, (ratio > most_ratio) | (ratio < 1 / most_ratio)).sort(*contract.grain, "__column")
    named = [
        f"{' '.join(str(row[name]) for name in contract.grain if row[name] is not None)}: {row['__column']} is {row['value']:g},"
        f" {row['value__before']:g} in the release before"
        for row in away.head(_FIGURES_NAMED).iter_rows(named=True)
    ]
    found = "; ".join(named) or f"{both.height} figures within {most_ratio:g} times those of the release before"
    return [NEAR_ITS_LAST_RELEASE.verdict(away.is_empty(), away.height, now.height, found)]


def could_not_be_made(rows: int, as_of_before: str, why: str) -> RuleResult:
    """The verdict on a mart that stays as it is published for an earlier day."""
    return CAN_BE_MADE.verdict(False, max(1, rows), rows, f"the content of {as_of_before} is kept: {why}")


def gives_a_figure(rows: int, usable: int) -> RuleResult:
    """The verdict on a source by what its rows come to after its own reading of them."""
    return GIVES_A_FIGURE.verdict(rows == 0 or usable > 0, rows, rows, f"{rows} rows give {usable} figures")
