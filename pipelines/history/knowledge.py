"""What was known when: new observations mend the intervals of a series without losing what they said before.

Belongs here: one step from the intervals of a series and new observations to its intervals after them. Does not belong here: how a
price holds (`intervals`), where the state is kept (`store`). Frames in, frames out.

A row of the state is an interval of the history as it is known now, with `valid_to` where its end lies by what is known (the
staleness limit where nothing followed yet), `stated_at`, when the warehouse first could say so, `end_known_at`, when it could say
where it ends, and `next_from`, where the next interval of the series begins. A row that later knowledge contradicts becomes a
superseded statement with the time in which it stood.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import polars as pl

from pipelines.history.intervals import FIGURES, PROVENANCE, STATEMENT, best_source, held_by_source, merge_equal_neighbours, statements

_BEFORE_ALL = datetime(1, 1, 1)
_ROW = ["series_id", "valid_from", "valid_to", *FIGURES, "observed_at", "known_from", "source", *PROVENANCE]
_KNOWLEDGE = ["next_from", "stated_at", "end_known_at"]
VERSION = ["series_id", "valid_from", "valid_to", *FIGURES, "source", *PROVENANCE, "known_from", "known_to"]
# What an interval says beside its end.
_SAID = ["usd_per_gpu_hour", "usd_per_hour", "native_amount", "source"]


@dataclass(frozen=True)
class Step:
    """The state of the series that new observations touch, after them.

    `stated`: their statements with `held_until`; `rows`: their intervals with `stated_at`, `end_known_at`, `next_from`;
    `superseded`: what was said before and is not any more, rows of VERSION; `changed`: per series, `from_day`, the first day whose
    figures may differ.
    """

    stated: pl.DataFrame
    rows: pl.DataFrame
    superseded: pl.DataFrame
    changed: pl.DataFrame


def in_pieces(observed: pl.LazyFrame, before: pl.LazyFrame | None = None) -> pl.LazyFrame:
    """Add `piece` and `is_late`: observations of a series in the order in which they became known, cut where one came late.

    In a piece that is not late each observation is of an instant after those of all earlier knowledge, or confirms a statement in time:
    such a piece can be taken in one step. What is late makes a piece of its own for its time of knowledge: an instant already spoken of,
    or before a limit that had passed meanwhile; a price that held no more when it became known; a change or a confirmation by a
    source of changes whose limit had passed, which says that the price held all the while. `before`: statements of the same series
    that are there already.
    """
    instant, by_source = ["series_id", "known_from"], ["series_id", "source"]
    until = (pl.col("last_confirmed_at") + pl.duration(days=pl.col("staleness_limit_days"))).alias("until")
    stated = observed.clear() if before is None else before
    first_known = pl.col("known_from") == pl.col("known_from").min().over(STATEMENT)
    last_stated = stated.group_by(by_source).agg(pl.col("first_seen_at").max().alias("__last"), until.sort_by("first_seen_at").last())
    # What was followed already speaks for no longer than that, however late it is confirmed.
    is_last = pl.col("first_seen_at") >= pl.max_horizontal(
        "__last", pl.col("first_seen_at").cum_max().over(by_source, order_by=["known_from", "first_seen_at"])
    )
    of_source = (
        observed.join(stated.select(STATEMENT).with_columns(__known=True), on=STATEMENT, how="left")
        .join(last_stated.drop("until"), on=by_source, how="left")
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
    # How far each source had spoken for by what was known before an instant.
    spoken = pl.concat(
        [
            last_stated.select(*by_source, pl.lit(_BEFORE_ALL).alias("known_from"), "until"),
            of_source.select(*by_source, "known_from", "until"),
        ]
    ).with_columns(pl.col("until").cum_max().forward_fill().over(by_source, order_by="known_from"))
    limits_passed = (
        of_source.select(instant)
        .unique()
        .join(spoken.select(by_source).unique(), on="series_id")
        .sort("known_from")
        .join_asof(
            spoken.sort("known_from"),
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
    frontier = stated.group_by("series_id").agg(pl.col("first_seen_at").max().alias("frontier"))
    spoken_of = pl.col("greatest").cum_max().shift(1).over("series_id", order_by="known_from")
    is_late = (
        pl.col("is_past")
        | pl.col("fills_a_gap").fill_null(False)
        | (pl.col("least") <= pl.max_horizontal(spoken_of, "frontier")).fill_null(False)
        | (pl.col("least") <= pl.col("passed")).fill_null(False)
    )
    instants = (
        of_source.group_by(instant)
        .agg(pl.col("least").min(), pl.col("greatest").max(), pl.col("is_past").any())
        .join(frontier, on="series_id", how="left")
        .join(limits_passed, on=instant, how="left")
        .with_columns(is_late=is_late)
        .with_columns(
            piece=(pl.col("is_late") | pl.col("is_late").shift(1).over("series_id", order_by="known_from").fill_null(False))
            .cast(pl.Int64)
            .cum_sum()
            .over("series_id", order_by="known_from")
        )
    )
    return observed.join(instants.select(*instant, "piece", "is_late"), on=instant)


def advance(observed: pl.LazyFrame, stated: pl.LazyFrame | None = None, rows: pl.LazyFrame | None = None) -> Step:
    """The next state of the series in `observed`, one piece of each.

    `stated` and `rows`: of the same series, at least the last statement of each source and those that hold at or after `touched_since` or
    are of a later instant, and the intervals that end at or after it, with the one before.
    """
    new = statements(observed).collect().lazy()
    touched_from = touched_since(new, stated)
    late = observed.group_by("series_id").agg(pl.col("is_late").any())
    touched = touched_from.join(late, on="series_id").collect().lazy()
    both = new if stated is None else statements(pl.concat([stated.select(new.collect_schema().names()), new]))
    all_stated = both.collect().lazy()
    held = held_by_source(all_stated).collect().lazy()
    clipped = (
        held.join(touched.select("series_id", "from_at"), on="series_id")
        .with_columns(valid_from=pl.max_horizontal("valid_from", "from_at"))
        .filter(pl.col("valid_to") > pl.col("valid_from"))
    )
    spoken = best_source(clipped)
    old = (rows if rows is not None else _no_rows(spoken)).collect()
    after = (
        merge_equal_neighbours(pl.concat([_until_touched(old.lazy(), held, touched), spoken]))
        .with_columns(next_from=pl.col("valid_from").shift(-1).over("series_id", order_by="valid_from"))
        .collect()
    )
    with_statement, superseded = _restated(old.lazy(), after.lazy(), touched)
    return Step(
        all_stated.join(held.select(*STATEMENT, held_until="valid_to"), on=STATEMENT, how="left").collect(),
        with_statement.collect(),
        superseded.collect(),
        _first_changed_day(old.lazy(), after.lazy()).collect(),
    )


def touched_since(new: pl.LazyFrame, stated: pl.LazyFrame | None) -> pl.LazyFrame:
    """Per series of new statements `from_at`, since when its intervals may change, and `step_known_at`, when the last became known.

    `stated`: at least the last statement of each source, and those that hold at the first new instant, with `held_until`: a change that
    follows says that the price before it held until then, and no longer.
    """
    known = (new.clear() if stated is None else stated).select(*STATEMENT, __was_confirmed_at="last_confirmed_at")
    # What is said again changes nothing before its last confirmation.
    again = pl.min_horizontal("__was_confirmed_at", "last_confirmed_at")
    first = (
        new.join(known, on=STATEMENT, how="left")
        .with_columns(since=pl.when(pl.col("__was_confirmed_at").is_null()).then("first_seen_at").otherwise(again))
        .group_by("series_id")
        .agg(pl.col("since").min().alias("from_at"), pl.col("known_last").max().alias("step_known_at"))
    )
    if stated is None:
        return first
    earlier = (
        stated.filter((pl.col("semantics") == "change") & pl.col("held_until").is_not_null())
        .join(new.select("series_id", "source").unique(), on=["series_id", "source"], how="semi")
        .join(first, on="series_id")
        .filter(pl.col("first_seen_at") < pl.col("from_at"))
    )
    ended = earlier.group_by("series_id", "source").agg(pl.col("held_until").sort_by("first_seen_at").last()).drop("source")
    # What was taken for confirmed after it had changed.
    confirmed = earlier.filter(pl.col("last_confirmed_at") > pl.col("from_at")).select("series_id", held_until="first_seen_at")
    least = pl.concat([ended, confirmed]).group_by("series_id").agg(pl.col("held_until").min())
    return first.join(least, on="series_id", how="left").select(
        "series_id", pl.min_horizontal("from_at", "held_until").alias("from_at"), "step_known_at"
    )


def _no_rows(spoken: pl.LazyFrame) -> pl.LazyFrame:
    schema = spoken.collect_schema()
    return pl.LazyFrame(schema={**{c: schema[c] for c in _ROW}, **dict.fromkeys(_KNOWLEDGE, pl.Datetime("us"))})


def _until_touched(old: pl.LazyFrame, held: pl.LazyFrame, touched: pl.LazyFrame) -> pl.LazyFrame:
    # What was before the first new instant stays; what ran through it was last seen when its source last spoke before.
    last_spoken = (
        held.join(touched.select("series_id", "from_at"), on="series_id")
        .filter((pl.col("first_seen_at") < pl.col("from_at")) & (pl.col("valid_to") >= pl.col("from_at")))
        .select("series_id", "source", last_observed_at="observed_at")
    )
    return (
        old.join(touched.select("series_id", "from_at"), on="series_id")
        .filter(pl.col("valid_from") < pl.col("from_at"))
        .join(last_spoken, on=["series_id", "source"], how="left")
        .with_columns(
            observed_at=pl.when(pl.col("valid_to") >= pl.col("from_at"))
            .then(pl.min_horizontal(pl.coalesce("last_observed_at", "observed_at"), "from_at"))
            .otherwise("observed_at"),
            valid_to=pl.min_horizontal("valid_to", "from_at"),
        )
        .select(_ROW)
    )


def _restated(old: pl.LazyFrame, after: pl.LazyFrame, touched: pl.LazyFrame) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    # Rows after with `stated_at`, and what the step takes back of the rows before.
    key = ["series_id", "valid_from", *_SAID]
    known = old.join(touched.select("series_id", "step_known_at", "is_late"), on="series_id")
    kept = (
        known.join(after.select(*key, __to="valid_to"), on=key, how="left", nulls_equal=True)
        .with_columns(__known=pl.when("is_late").then("step_known_at").otherwise(pl.lit(_BEFORE_ALL)))
        .with_columns(
            is_kept=pl.col("__to").is_not_null() & ((pl.col("__to") == pl.col("valid_to")) | (pl.col("end_known_at") > pl.col("__known")))
        )
    )
    still = kept.filter("is_kept").select(
        *key, "stated_at", end_known_at=pl.when(pl.col("__to") == pl.col("valid_to")).then("end_known_at")
    )
    began = pl.max_horizontal("known_from", "valid_from", pl.when("is_late").then("step_known_at"))
    with_statement = (
        after.join(still, on=key, how="left", nulls_equal=True)
        .join(touched.select("series_id", "step_known_at", "is_late"), on="series_id", how="left")
        .with_columns(stated_at=pl.coalesce("stated_at", began))
        # An end is known when its successor is, or when the limit has passed.
        .with_columns(
            end_known_at=pl.coalesce(
                "end_known_at",
                pl.max_horizontal(
                    "stated_at",
                    "valid_to",
                    pl.when(pl.col("next_from") == pl.col("valid_to")).then(
                        pl.col("stated_at").shift(-1).over("series_id", order_by="valid_from")
                    ),
                ),
            )
        )
        .select(*_ROW, *_KNOWLEDGE)
    )
    gone = said(kept.filter(~pl.col("is_kept") & pl.col("is_late")).drop("known_to", strict=False), keep="step_known_at")
    superseded = (
        gone.with_columns(known_to=pl.min_horizontal(pl.coalesce("known_to", "step_known_at"), "step_known_at"))
        .filter(pl.col("known_from") < pl.col("known_to"))
        .select(VERSION)
    )
    return with_statement, superseded


def said(rows: pl.LazyFrame, keep: str | None = None) -> pl.LazyFrame:
    """Intervals as statements: first as open, then, once its end was known, with it. Adds known_to, NULL where it stands."""
    extra = [] if keep is None else [keep]
    columns = [*(c for c in VERSION if c not in ("known_from", "known_to", "valid_to")), *extra]
    still_open = rows.select(
        *columns, valid_to=pl.lit(None, dtype=pl.Datetime("us")), known_from="stated_at", known_to="end_known_at"
    ).filter(pl.col("known_from") < pl.col("known_to"))
    ended = rows.select(*columns, valid_to="valid_to", known_from="end_known_at", known_to=pl.lit(None, dtype=pl.Datetime("us")))
    order = [*VERSION, *extra]
    return pl.concat([still_open.select(order), ended.select(order)])


def _first_changed_day(old: pl.LazyFrame, after: pl.LazyFrame) -> pl.LazyFrame:
    key = ["series_id", "valid_from", *_SAID]
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


def versions(rows: pl.LazyFrame, superseded: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Every statement ever made until the end of `as_of`, with the time [known_from, known_to) in which it stood; rows of VERSION."""
    end = _end_of(as_of)
    current = said(rows).filter(pl.col("known_from") < end)
    until = pl.when(pl.col("known_to") < end).then("known_to")
    return pl.concat([superseded.select(VERSION), current.with_columns(known_to=until)])


def described_versions(rows: pl.LazyFrame, superseded: pl.LazyFrame, price_series: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """`versions` with what each series is: rows of `marts.price_history_versions`."""
    return (
        versions(rows, superseded, as_of)
        .join(price_series, on="series_id")
        .select(
            "series_id",
            "provider",
            "seller",
            "region",
            "zone",
            "country",
            "sku",
            "instance_type",
            "gpu",
            "gpu_count",
            "purchase_option",
            "payment_option",
            "commitment_months",
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
