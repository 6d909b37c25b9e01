"""A history that grew by refreshes is the history built at once."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.catalogue.contracts import catalogue
from pipelines.history.bitemporal import as_known_on, described_versions
from pipelines.history.engine import open_history
from pipelines.history.intervals import with_series
from pipelines.history.rolling import in_usd, intervals_in_units, rolling_statistics
from pipelines.history.series import identity
from pipelines.history.views import HistoryViews
from tests.support.examples import examples
from tests.support.whole_history import whole_history

from .test_bitemporal import START, Seen, observed, seen

CHECKPOINT = pl.DataFrame({"batch_number": [1], "chain_hash": ["ab" * 32]})


def observations(rows: list[Seen]) -> pl.DataFrame:
    """The same rows in the columns of staging.price_observation."""
    schema = catalogue().tables["price_observation"].polars_schema()
    given_ = observed(rows).with_columns(
        provider="series_id",
        seller="series_id",
        **{name: pl.lit("x") for name in ("region", "sku", "operating_system", "tenancy", "trust_tier", "currency", "price_unit")},
        purchase_option=pl.lit("spot"),
        purchase_option_as_named=pl.lit("spot"),
        is_gpu_conflict=pl.lit(False),
        gpu_count=pl.lit(1),
    )
    names = given_.collect_schema().names()
    missing = [pl.lit(None).alias(name) for name in schema if name not in names]
    return given_.with_columns(missing).select(schema.names()).cast(dict(schema)).collect()


def at_once(frame: pl.DataFrame, store: HistoryViews, as_of: dt.date) -> dict[str, pl.DataFrame]:
    rows, superseded = whole_history(with_series(frame.lazy().with_columns(identity()), store.series().with_columns(identity())))
    intervals = as_known_on(rows.lazy(), as_of)
    last_day = (as_of - dt.date(1970, 1, 1)).days
    return {
        "intervals": intervals.sort("series_id", "valid_from").collect(),
        "versions": described_versions(rows.lazy(), superseded.lazy(), store.series(), as_of)
        .sort("series_id", "valid_from", "known_from")
        .collect(),
        "rolling": in_usd(rolling_statistics(intervals_in_units(intervals, as_of), last_day))
        .sort("series_id", "on_date", "window_days")
        .collect(),
    }


@pytest.mark.parametrize("is_durable", [True, False])
@examples(25)
@given(seen, st.lists(st.integers(1, 12), max_size=4, unique=True))
@example([("s", "a", 0, 0, 1), ("s", "a", 20, 0, 1), ("s", "a", 8, 30, 2)], [1, 3])
@example([("s", "c", 0, 0, 1), ("s", "c", 100, 0, 2)], [1, 2, 120])
def test_a_history_that_grew_is_the_one_built_at_once(is_durable: bool, rows: list[Seen], days: list[int]) -> None:
    frame = observations(rows)
    ends = [START + dt.timedelta(days=day) for day in sorted({*days, 20})]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "history.duckdb"
        # One that lasts is opened for each day, as refreshes do; the other takes all days in one go, as a replay does.
        for together in [[end] for end in ends] if is_durable else [ends]:
            with open_history(file, catalogue(), is_durable=is_durable) as store:
                for end in together:
                    before = max((e for e in ends if e < end), default=dt.datetime.min)
                    known = pl.col("known_from").is_between(before, end, closed="left")
                    store.apply(frame.filter(known), end.date() - dt.timedelta(days=1))
        with open_history(file, catalogue()) as engine:
            store = engine.views
            known_day = store.as_of
            assert known_day == ends[-1].date() - dt.timedelta(days=1)
            expected = at_once(frame.filter(pl.col("known_from") < ends[-1]), store, known_day)
            assert store.intervals().collect().equals(expected["intervals"])
            assert store.versions().sort("series_id", "valid_from", "known_from").collect().equals(expected["versions"])
            found = store.windows().collect()
            key = ["series_id", "on_date", "window_days"]
            assert found.select(key).equals(expected["rolling"].select(key))
            assert found.equals(expected["rolling"])


@pytest.mark.parametrize("is_durable", [True, False])
def test_a_step_that_fails_leaves_what_was(tmp_path: Path, is_durable: bool) -> None:
    frame = observations([("s", "a", 0, 0, 1), ("s", "a", 30, 0, 2)])
    first, second = (frame.filter(pl.col("known_from").dt.day() == day) for day in (1, 2))
    assert first.height == second.height == 1
    with open_history(tmp_path / "history.duckdb", catalogue(), is_durable=is_durable) as store:
        store.apply(first, dt.date(2026, 1, 1), checkpoint={"ingestion_checkpoint": CHECKPOINT})
        was = store.views.intervals().collect(), store.views.reference_observations()
        with pytest.raises(pl.exceptions.PolarsError):
            store.apply(
                second.drop("usd_per_hour"),
                dt.date(2026, 1, 2),
                was[1],
                {"ingestion_checkpoint": CHECKPOINT.clear()},
            )
        kept = store.views.checkpoint("ingestion_checkpoint")
        assert store.views.as_of == dt.date(2026, 1, 1) and kept.equals(CHECKPOINT)
        assert store.views.intervals().collect().equals(was[0]) and store.views.reference_observations().equals(was[1])
        store.apply(second, dt.date(2026, 1, 2))
        assert store.views.intervals().collect().height == 2


def test_a_history_does_not_go_back(tmp_path: Path) -> None:
    with open_history(tmp_path / "history.duckdb", catalogue()) as store:
        frame = observations([("s", "a", 0, 0, 1)])
        store.apply(frame, dt.date(2026, 1, 2))
        with pytest.raises(ValueError, match="goes to 2026-01-02, it cannot go back to 2026-01-01"):
            store.apply(frame.clear(), dt.date(2026, 1, 1))
