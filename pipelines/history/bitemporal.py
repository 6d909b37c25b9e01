"""Bitemporal logic: valid time (when a price held) and system time (when the warehouse asserted it).

Belongs here: one batch applied to the intervals of its series, so that late-arriving observations mend them and what was asserted before
stays findable. Does not belong here: how a price holds (`intervals`), where the state is kept (`storage`). Frames in, frames out.

A row of the state is an interval as it is known now: `valid_to` is its end by what is known (the staleness limit where nothing followed
yet), `asserted_at` the system time from which the warehouse asserted it, `end_known_at` that from which it knew the end, `next_from`
where the next interval of the series begins. For a reading of 2.00 USD on 1 March, confirmed for two days and never seen again:

| valid_from | valid_to | price | asserted_at | end_known_at | next_from |
|---|---|---|---|---|---|
| 03-01 | 03-03 | 2.00 | 03-01 | 03-03 | NULL |

A row that a late-arriving observation contradicts becomes a superseded assertion with the system time in which it stood.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import polars as pl

from pipelines.history.intervals import ASSERTION, FIGURES, PROVENANCE, as_assertions, best_source, held_by_source, merge_equal_neighbours
from pipelines.history.series import DESCRIPTION

_BEFORE_ALL = datetime(1, 1, 1)
_ROW = ["series_id", "valid_from", "valid_to", *FIGURES, "observed_at", "known_from", "source", *PROVENANCE]
_SYSTEM_TIME = ["next_from", "asserted_at", "end_known_at"]
# A version says what was asserted when; what else is known of the series stands in `marts.price_history`.
_NOT_OF_A_VERSION = ("form_factor", "operating_system", "tenancy", "trust_tier")
VERSION = ["series_id", "valid_from", "valid_to", *FIGURES, "source", *PROVENANCE, "known_from", "known_to"]
# What an interval asserts, without its end.
_CONTENT = ["usd_per_gpu_hour", "usd_per_hour", "native_amount", "source"]


@dataclass(frozen=True)
class StateDelta:
    """The state of the series of one batch after it.

    `assertions`: theirs, with `held_until`; `intervals`: theirs, with `asserted_at`, `end_known_at`, `next_from`; `superseded`: assertions
    that the batch contradicts, rows of VERSION; `changed`: per series, `from_day`, the first day whose figures may differ.
    """

    assertions: pl.DataFrame
    intervals: pl.DataFrame
    superseded: pl.DataFrame
    changed: pl.DataFrame


def split_late_arriving(observed: pl.LazyFrame, before: pl.LazyFrame | None = None) -> pl.LazyFrame:
    """Add `segment` and `is_late_arriving`: the observations of a series in system time, cut where one arrives late.

    A segment that is not late-arriving can be applied in one batch: each observation is of an instant after all that was known before, or
    confirms an assertion in time. A late-arriving one is a segment of its own system time: of an instant that was already covered, or
    before a staleness limit that had passed meanwhile; a price that no longer held when it became known; a change, or a confirmation by a
    source of changes, after the limit had passed, which asserts that the price held all the while. `before`: known assertions of the
    same series. Example, one source with a limit of two days:

    | first_seen_at | known_from | segment | is_late_arriving |
    |---|---|---|---|
    | 03-01 | 03-01 | 0 | false |
    | 03-03 | 03-03 | 0 | false |
    | 03-02 | 03-04 | 1 | true |
    """
    instant, by_source = ["series_id", "known_from"], ["series_id", "source"]
    until = (pl.col("last_confirmed_at") + pl.duration(days=pl.col("staleness_limit_days"))).alias("until")
    assertions = observed.clear() if before is None else before
    first_known = pl.col("known_from") == pl.col("known_from").min().over(ASSERTION)
    last_of_source = assertions.group_by(by_source).agg(
        pl.col("first_seen_at").max().alias("__last"), until.sort_by("first_seen_at").last()
    )
    # An assertion that has a successor holds no longer than until then, however late it is confirmed.
    is_last = pl.col("first_seen_at") >= pl.max_horizontal(
        "__last", pl.col("first_seen_at").cum_max().over(by_source, order_by=["known_from", "first_seen_at"])
    )
    of_source = (
        observed.join(assertions.select(ASSERTION).with_columns(__known=True), on=ASSERTION, how="left")
        .join(last_of_source.drop("until"), on=by_source, how="left")
        .with_columns(is_new=pl.col("__known").is_null() & first_known, until=pl.when(is_last).then(until))
        .group_by(*by_source, "known_from")
        .agg(
            pl.col("first_seen_at").filter("is_new").min().alias("least"),
            pl.col("first_seen_at").max().alias("greatest"),
            (pl.col("semantics") == "change").any().alias("is_change"),
            (pl.col("is_new") & (until < pl.col("known_from"))).any().alias("is_past"),
            pl.col("until").max(),
        )
        .collect()
        .lazy()
    )
    # How far each source had confirmed its prices by what was known before an instant.
    speaking = pl.concat(
        [
            last_of_source.select(*by_source, pl.lit(_BEFORE_ALL).alias("known_from"), "until"),
            of_source.select(*by_source, "known_from", "until"),
        ]
    ).with_columns(pl.col("until").cum_max().forward_fill().over(by_source, order_by="known_from"))
    limits_passed = (
        of_source.select(instant)
        .unique()
        .join(speaking.select(by_source).unique(), on="series_id")
        .sort("known_from")
        .join_asof(
            speaking.sort("known_from"),
            on="known_from",
            by=by_source,
            strategy="backward",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .filter(pl.col("until") < pl.col("known_from"))
        .join(of_source.select(*by_source, "known_from", "is_change"), on=[*by_source, "known_from"], how="left")
        .group_by(instant)
        .agg(pl.col("until").max().alias("passed"), pl.col("is_change").any().alias("fills_a_gap"))
    )
    frontier = assertions.group_by("series_id").agg(pl.col("first_seen_at").max().alias("frontier"))
    reported_until = pl.col("greatest").cum_max().shift(1).over("series_id", order_by="known_from")
    is_late_arriving = (
        pl.col("is_past")
        | pl.col("fills_a_gap").fill_null(False)
        | (pl.col("least") <= pl.max_horizontal(reported_until, "frontier")).fill_null(False)
        | (pl.col("least") <= pl.col("passed")).fill_null(False)
    )
    instants = (
        of_source.group_by(instant)
        .agg(pl.col("least").min(), pl.col("greatest").max(), pl.col("is_past").any())
        .join(frontier, on="series_id", how="left")
        .join(limits_passed, on=instant, how="left")
        .with_columns(is_late_arriving=is_late_arriving)
        .with_columns(
            segment=(
                pl.col("is_late_arriving") | pl.col("is_late_arriving").shift(1).over("series_id", order_by="known_from").fill_null(False)
            )
            .cast(pl.Int64)
            .cum_sum()
            .over("series_id", order_by="known_from")
        )
    )
    return observed.join(instants.select(*instant, "segment", "is_late_arriving"), on=instant)


def apply_batch(observed: pl.LazyFrame, assertions: pl.LazyFrame | None = None, intervals: pl.LazyFrame | None = None) -> StateDelta:
    """The state after one segment of each series in `observed`.

    `assertions` and `intervals` are those of the same series: at least the last assertion of each source, the assertions that hold at or
    after `touched_since` or are of a later instant, and the intervals that end at or after it, with the one before.
    """
    new = as_assertions(observed).collect().lazy()
    touched_from = touched_since(new, assertions)
    late = observed.group_by("series_id").agg(pl.col("is_late_arriving").any())
    touched = touched_from.join(late, on="series_id").collect().lazy()
    both = new if assertions is None else as_assertions(pl.concat([assertions.select(new.collect_schema().names()), new]))
    all_asserted = both.collect().lazy()
    held = held_by_source(all_asserted).collect().lazy()
    clipped = (
        held.join(touched.select("series_id", "from_at"), on="series_id")
        .with_columns(valid_from=pl.max_horizontal("valid_from", "from_at"))
        .filter(pl.col("valid_to") > pl.col("valid_from"))
    )
    speaking = best_source(clipped)
    old = (intervals if intervals is not None else _no_intervals(speaking)).collect()
    after = (
        merge_equal_neighbours(pl.concat([_until_touched(old.lazy(), held, touched), speaking]))
        .with_columns(next_from=pl.col("valid_from").shift(-1).over("series_id", order_by="valid_from"))
        .collect()
    )
    with_assertion, superseded = _reasserted(old.lazy(), after.lazy(), touched)
    return StateDelta(
        all_asserted.join(held.select(*ASSERTION, held_until="valid_to"), on=ASSERTION, how="left").collect(),
        with_assertion.collect(),
        superseded.collect(),
        _first_changed_day(old.lazy(), after.lazy()).collect(),
    )


def touched_since(new: pl.LazyFrame, assertions: pl.LazyFrame | None) -> pl.LazyFrame:
    """Per series of new assertions: `from_at`, the valid time from which intervals may change, and `batch_known_at`, its last system time.

    `assertions`: at least the last of each source, and those that hold at the first new instant, with `held_until`: a change that
    follows asserts that the price before it held until then, and no longer.
    """
    known = (new.clear() if assertions is None else assertions).select(*ASSERTION, __was_confirmed_at="last_confirmed_at")
    # A repeated assertion changes nothing before its last confirmation.
    again = pl.min_horizontal("__was_confirmed_at", "last_confirmed_at")
    first = (
        new.join(known, on=ASSERTION, how="left")
        .with_columns(since=pl.when(pl.col("__was_confirmed_at").is_null()).then("first_seen_at").otherwise(again))
        .group_by("series_id")
        .agg(pl.col("since").min().alias("from_at"), pl.col("known_last_at").max().alias("batch_known_at"))
    )
    if assertions is None:
        return first
    earlier = (
        assertions.filter((pl.col("semantics") == "change") & pl.col("held_until").is_not_null())
        .join(new.select("series_id", "source").unique(), on=["series_id", "source"], how="semi")
        .join(first, on="series_id")
        .filter(pl.col("first_seen_at") < pl.col("from_at"))
    )
    ended = earlier.group_by("series_id", "source").agg(pl.col("held_until").sort_by("first_seen_at").last()).drop("source")
    # Prices that counted as confirmed after they had changed.
    confirmed = earlier.filter(pl.col("last_confirmed_at") > pl.col("from_at")).select("series_id", held_until="first_seen_at")
    least = pl.concat([ended, confirmed]).group_by("series_id").agg(pl.col("held_until").min())
    return first.join(least, on="series_id", how="left").select(
        "series_id", pl.min_horizontal("from_at", "held_until").alias("from_at"), "batch_known_at"
    )


def _no_intervals(speaking: pl.LazyFrame) -> pl.LazyFrame:
    schema = speaking.collect_schema()
    return pl.LazyFrame(schema={**{c: schema[c] for c in _ROW}, **dict.fromkeys(_SYSTEM_TIME, pl.Datetime("us"))})


def _until_touched(old: pl.LazyFrame, held: pl.LazyFrame, touched: pl.LazyFrame) -> pl.LazyFrame:
    # Intervals before the first new instant stay; one that ran through it was last seen when its source last observed it before.
    last_seen = (
        held.join(touched.select("series_id", "from_at"), on="series_id")
        .filter((pl.col("first_seen_at") < pl.col("from_at")) & (pl.col("valid_to") >= pl.col("from_at")))
        .select("series_id", "source", last_observed_at="observed_at")
    )
    return (
        old.join(touched.select("series_id", "from_at"), on="series_id")
        .filter(pl.col("valid_from") < pl.col("from_at"))
        .join(last_seen, on=["series_id", "source"], how="left")
        .with_columns(
            observed_at=pl.when(pl.col("valid_to") >= pl.col("from_at"))
            .then(pl.min_horizontal(pl.coalesce("last_observed_at", "observed_at"), "from_at"))
            .otherwise("observed_at"),
            valid_to=pl.min_horizontal("valid_to", "from_at"),
        )
        .select(_ROW)
    )


def _reasserted(old: pl.LazyFrame, after: pl.LazyFrame, touched: pl.LazyFrame) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    # Intervals after the batch with `asserted_at`, and the assertions that it supersedes.
    key = ["series_id", "valid_from", *_CONTENT]
    known = old.join(touched.select("series_id", "batch_known_at", "is_late_arriving"), on="series_id")
    kept = (
        known.join(after.select(*key, __to="valid_to"), on=key, how="left", nulls_equal=True)
        .with_columns(__known=pl.when("is_late_arriving").then("batch_known_at").otherwise(pl.lit(_BEFORE_ALL)))
        .with_columns(
            is_kept=pl.col("__to").is_not_null() & ((pl.col("__to") == pl.col("valid_to")) | (pl.col("end_known_at") > pl.col("__known")))
        )
    )
    still = kept.filter("is_kept").select(
        *key, "asserted_at", end_known_at=pl.when(pl.col("__to") == pl.col("valid_to")).then("end_known_at")
    )
    began = pl.max_horizontal("known_from", "valid_from", pl.when("is_late_arriving").then("batch_known_at"))
    with_assertion = (
        after.join(still, on=key, how="left", nulls_equal=True)
        .join(touched.select("series_id", "batch_known_at", "is_late_arriving"), on="series_id", how="left")
        .with_columns(asserted_at=pl.coalesce("asserted_at", began))
        # An end is known when its successor is, or when the limit has passed.
        .with_columns(
            end_known_at=pl.coalesce(
                "end_known_at",
                pl.max_horizontal(
                    "asserted_at",
                    "valid_to",
                    pl.when(pl.col("next_from") == pl.col("valid_to")).then(
                        pl.col("asserted_at").shift(-1).over("series_id", order_by="valid_from")
                    ),
                ),
            )
        )
        .select(*_ROW, *_SYSTEM_TIME)
    )
    gone = asserted_versions(
        kept.filter(~pl.col("is_kept") & pl.col("is_late_arriving")).drop("known_to", strict=False), keep="batch_known_at"
    )
    superseded = (
        gone.with_columns(known_to=pl.min_horizontal(pl.coalesce("known_to", "batch_known_at"), "batch_known_at"))
        .filter(pl.col("known_from") < pl.col("known_to"))
        .select(VERSION)
    )
    return with_assertion, superseded


def asserted_versions(rows: pl.LazyFrame, keep: str | None = None) -> pl.LazyFrame:
    """Intervals as assertions in system time: first open, then, once the end was known, with it. Adds known_to, NULL where it stands.

    | valid_from | valid_to | known_from | known_to |
    |---|---|---|---|
    | 03-01 | NULL | 03-01 | 03-03 |
    | 03-01 | 03-03 | 03-03 | NULL |
    """
    extra = [] if keep is None else [keep]
    columns = [*(c for c in VERSION if c not in ("known_from", "known_to", "valid_to")), *extra]
    still_open = rows.select(
        *columns, valid_to=pl.lit(None, dtype=pl.Datetime("us")), known_from="asserted_at", known_to="end_known_at"
    ).filter(pl.col("known_from") < pl.col("known_to"))
    ended = rows.select(*columns, valid_to="valid_to", known_from="end_known_at", known_to=pl.lit(None, dtype=pl.Datetime("us")))
    order = [*VERSION, *extra]
    return pl.concat([still_open.select(order), ended.select(order)])


def _first_changed_day(old: pl.LazyFrame, after: pl.LazyFrame) -> pl.LazyFrame:
    key = ["series_id", "valid_from", *_CONTENT]
    paired = old.select(*key, "valid_to", "observed_at").join(
        after.select(*key, "valid_to", "observed_at"), on=key, how="full", coalesce=True, nulls_equal=True, suffix="_after"
    )
    day = {
        name: pl.col(name).dt.epoch("d").cast(pl.Int64)
        for name in ("valid_from", "valid_to", "valid_to_after", "observed_at", "observed_at_after")
    }
    both = pl.col("valid_to").is_not_null() & pl.col("valid_to_after").is_not_null()
    ends_differ = both & (pl.col("valid_to") != pl.col("valid_to_after"))
    seen_differ = both & (day["observed_at"] != day["observed_at_after"])
    return (
        paired.with_columns(
            from_day=pl.min_horizontal(
                pl.when(~both).then(day["valid_from"]),
                pl.when(ends_differ).then(pl.min_horizontal(day["valid_to"], day["valid_to_after"])),
                pl.when(seen_differ).then(pl.min_horizontal(day["observed_at"], day["observed_at_after"]) + 1),
            )
        )
        .group_by("series_id")
        .agg(pl.col("from_day").min())
        .filter(pl.col("from_day").is_not_null())
    )


def as_known_on(rows: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Rows of a state as intervals at the end of `as_of`."""
    return ended_by(rows.select(_ROW), as_of)


def ended_by(rows: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Intervals that have begun by the end of `as_of`; valid_to is NULL where the price still holds then."""
    # A price that takes over once the limit of a better source has passed may begin later than that.
    begun = rows.filter(pl.col("valid_from") < _end_of(as_of))
    return begun.with_columns(valid_to=pl.when(pl.col("valid_to") <= _end_of(as_of)).then("valid_to"))


def versions(intervals: pl.LazyFrame, superseded: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Every assertion ever made until the end of `as_of`, with its system time [known_from, known_to); rows of VERSION."""
    end = _end_of(as_of)
    current = asserted_versions(intervals).filter(pl.col("known_from") < end)
    until = pl.when(pl.col("known_to") < end).then("known_to")
    return pl.concat([superseded.select(VERSION), current.with_columns(known_to=until)])


def described_versions(rows: pl.LazyFrame, superseded: pl.LazyFrame, price_series: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """`versions` with what each series is: rows of `marts.price_history_versions`."""
    return (
        versions(rows, superseded, as_of)
        .join(price_series, on="series_id")
        .select(
            *(name for name in DESCRIPTION if name not in _NOT_OF_A_VERSION),
            pl.col(*FIGURES).cast(pl.Float64),
            "currency",
            "valid_from",
            "valid_to",
            "known_from",
            "known_to",
            "source",
            *PROVENANCE,
        )
    )


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time())
