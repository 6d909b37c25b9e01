"""What was known when: taken in one step, in any steps or in the order of arrival, the history is the same, and nothing said is lost."""

from __future__ import annotations

import datetime as dt

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.history.bitemporal import apply_batch, as_known_on, split_late_arriving, touched_since, versions
from pipelines.history.intervals import as_assertions, best_source, held_by_source, merge_equal_neighbours
from tests.support.examples import examples
from tests.support.whole_history import whole_history

START = dt.datetime(2026, 1, 1)
AS_OF = dt.date(2026, 3, 1)
# source: semantics, precedence, limit in days
SOURCES = {"a": ("reading", 100, 1), "b": ("reading", 50, 2), "c": ("change", 200, 1)}
Seen = tuple[str, str, int, int, int]  # series, source, hour first seen, hours until known, price


def observed(rows: list[Seen]) -> pl.LazyFrame:
    money = pl.Decimal(18, 8)
    frame = pl.LazyFrame(
        [
            {
                "series_id": series,
                "source": source,
                "first_seen_at": START + dt.timedelta(hours=hour),
                "native_amount": price,
                "last_confirmed_at": START + dt.timedelta(hours=hour + (lag if SOURCES[source][0] == "change" else 0)),
                "known_from": START + dt.timedelta(hours=hour + lag),
                "semantics": SOURCES[source][0],
                "precedence": SOURCES[source][1],
                "staleness_limit_days": SOURCES[source][2],
                "usd_per_gpu_hour": price,
                "usd_per_hour": price,
                "source_detail": source,
                "source_url": None,
                "licence": "",
                "snapshot_sha256": f"{hour:03}{lag:03}{price}",
            }
            for series, source, hour, lag, price in rows
        ],
        schema_overrides={
            "source_url": pl.String,
            "staleness_limit_days": pl.Int64,
            "precedence": pl.Int64,
            **dict.fromkeys(("first_seen_at", "last_confirmed_at", "known_from"), pl.Datetime("us")),
        },
    )
    return frame.with_columns(pl.col("native_amount", "usd_per_hour", "usd_per_gpu_hour").cast(money))


seen = st.lists(
    st.tuples(
        st.sampled_from(["s", "t"]),
        st.sampled_from(sorted(SOURCES)),
        st.integers(0, 30).map(lambda n: 4 * n),
        st.sampled_from([0, 0, 0, 1, 30, 70]),
        st.integers(1, 3),
    ),
    min_size=1,
    max_size=14,
    unique_by=lambda row: (row[0], row[1], row[2], row[3]),
)
ROW = ["series_id", "valid_from", "valid_to", "native_amount", "observed_at", "known_from", "source", "snapshot_sha256"]


def at_once(frame: pl.LazyFrame) -> pl.DataFrame:
    """The intervals by the rules of one instant of knowledge alone."""
    return merge_equal_neighbours(best_source(held_by_source(as_assertions(frame)))).select(ROW).sort(ROW).collect()


@examples(30)
@given(seen)
@example([("s", "a", 0, 0, 1), ("s", "a", 20, 0, 1), ("s", "a", 8, 30, 2)])
@example([("s", "c", 0, 0, 1), ("s", "c", 0, 70, 1)])
def test_the_order_of_arrival_does_not_change_what_is_known_in_the_end(rows: list[Seen]) -> None:
    frame = observed(rows)
    intervals, _ = whole_history(frame)
    assert intervals.select(ROW).sort(ROW).equals(at_once(frame))


@examples(30)
@given(seen)
@example([("s", "a", 0, 0, 1), ("s", "a", 20, 0, 1), ("s", "a", 8, 30, 2)])
@example([("s", "a", 0, 0, 1), ("s", "b", 0, 1, 1)])
def test_versions_say_at_each_instant_what_was_known_then(rows: list[Seen]) -> None:
    frame = observed(rows)
    said = versions(*(f.lazy() for f in whole_history(frame)), AS_OF).collect()
    assert not said.filter(pl.col("known_from") >= pl.col("known_to")).height
    columns = ["series_id", "valid_from", "valid_to", "native_amount", "source"]
    instants = {START + dt.timedelta(hours=hour + lag + extra) for _, _, hour, lag, _ in rows for extra in (0, 2, 25)}
    for instant in sorted(instants):
        then = said.filter((pl.col("known_from") <= instant) & (pl.col("known_to").is_null() | (pl.col("known_to") > instant)))
        expected = (
            at_once(frame.filter(pl.col("known_from") <= instant))
            .filter(pl.col("valid_from") <= instant)
            .with_columns(valid_to=pl.when(pl.col("valid_to") <= instant).then("valid_to"))
        )
        assert then.select(columns).sort(columns).equals(expected.select(columns).sort(columns)), instant


@examples(30)
@given(seen, st.integers(0, 130))
@example([("s", "a", 0, 0, 1), ("s", "a", 20, 0, 1), ("s", "a", 8, 30, 2)], 35)
def test_in_two_refreshes_or_in_one(rows: list[Seen], hour: int) -> None:
    frame, cut = observed(rows), START + dt.timedelta(hours=hour)
    assertions, intervals, superseded = None, None, []
    for part in (frame.filter(pl.col("known_from") < cut), frame.filter(pl.col("known_from") >= cut)):
        batch = split_late_arriving(part, assertions.lazy() if assertions is not None else None).collect()
        for segment in sorted(batch.get_column("segment").unique()):
            taken = batch.filter(pl.col("segment") == segment).lazy()
            since = touched_since(as_assertions(taken), None if assertions is None else assertions.lazy()).collect().lazy()
            delta = apply_batch(
                taken,
                None if assertions is None else needed(assertions, since, "held_until", "first_seen_at"),
                None if intervals is None else needed(intervals, since, "valid_to", "next_from"),
            )
            point = ["series_id", "source", "first_seen_at", "native_amount"]
            assertions = delta.assertions if assertions is None else merged(assertions, delta.assertions, point)
            intervals = delta.intervals if intervals is None else replaced(intervals, delta.intervals, since)
            superseded.append(delta.superseded)
    whole, taken_back = whole_history(frame)
    assert intervals is not None
    assert (
        intervals.select(sorted(intervals.columns))
        .sort("series_id", "valid_from")
        .equals(whole.select(sorted(intervals.columns)).sort("series_id", "valid_from"))
    )
    columns = sorted(taken_back.columns)
    assert pl.concat(superseded).select(columns).sort(columns).equals(taken_back.select(columns).sort(columns))


def needed(frame: pl.DataFrame, since: pl.LazyFrame, *ends: str) -> pl.LazyFrame:
    """The part of the state that `apply_batch` asks for."""
    marked = frame.lazy().join(since, on="series_id")
    chosen = pl.any_horizontal((pl.col(end) >= pl.col("from_at")) for end in ends)
    is_last = (
        pl.col("next_from").is_null()
        if "next_from" in frame.columns
        else pl.col("first_seen_at") == pl.col("first_seen_at").max().over("series_id", "source")
    )
    return marked.filter(chosen | is_last).drop("from_at", "batch_known_at")


def merged(before: pl.DataFrame, after: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    return pl.concat([before.join(after, on=key, how="anti"), after.select(before.columns)])


def replaced(before: pl.DataFrame, after: pl.DataFrame, since: pl.LazyFrame) -> pl.DataFrame:
    gone = needed(before, since, "valid_to", "next_from").select("series_id", "valid_from").collect()
    return pl.concat([before.join(gone, on=["series_id", "valid_from"], how="anti"), after.select(before.columns)])


def test_what_begins_after_the_day_is_not_known_yet() -> None:
    # The better source holds for two days; then the other one's later price would begin, if nothing else becomes known.
    rows, _ = whole_history(observed([("s", "b", 0, 0, 1), ("s", "a", 36, 0, 2)]))
    assert rows.height == 2
    known = as_known_on(rows.lazy(), START.date()).collect()
    assert known.select("valid_from", "valid_to").rows() == [(START, None)]
    later = as_known_on(rows.lazy(), START.date() + dt.timedelta(days=2)).sort("valid_from").collect()
    assert later.get_column("valid_to").to_list() == [START + dt.timedelta(days=2), START + dt.timedelta(hours=60)]
