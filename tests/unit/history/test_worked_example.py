"""The tables of `docs/history.md` are what the history makes of one late price."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.history.engine import open_history
from tests.support.paths import ROOT

from .test_engine import observations

VERSION = ["valid_from", "valid_to", "usd_per_hour", "known_from", "known_to"]
INTERVAL = ["valid_from", "valid_to", "usd_per_hour", "observed_at", "known_from"]


def stated(price: int, seen: dt.datetime, known: dt.datetime) -> pl.DataFrame:
    money = pl.lit(price).cast(pl.Decimal(18, 8))
    return observations([("s", "c", 0, 0, 1)]).with_columns(
        *(money.alias(name) for name in ("usd_per_hour", "usd_per_gpu_hour", "native_amount")),
        first_seen_at=pl.lit(seen),
        last_confirmed_at=pl.lit(seen),
        known_from=pl.lit(known),
        staleness_limit_days=pl.lit(400, dtype=pl.Int64),
    )


BATCHES = [
    stated(40, dt.datetime(2026, 3, 1, 9), dt.datetime(2026, 3, 1, 9)),
    stated(36, dt.datetime(2026, 3, 5, 9), dt.datetime(2026, 3, 5, 9)),
    stated(38, dt.datetime(2026, 3, 3), dt.datetime(2026, 3, 8, 9)),
]


def markdown(rows: pl.DataFrame) -> str:
    def shown(value: object) -> str:
        return "" if value is None else f"{value:%m-%d %H:%M}" if isinstance(value, dt.datetime) else f"{value:.0f}"

    lines = ["| " + " | ".join(rows.columns) + " |", "|" + "---|" * rows.width]
    return "\n".join([*lines, *("| " + " | ".join(map(shown, row)) + " |" for row in rows.iter_rows())])


@pytest.mark.parametrize("batches", [1, 2, 3])
def test_the_tables_of_the_page_are_those_of_the_history(tmp_path: Path, batches: int) -> None:
    page = (ROOT / "docs" / "history.md").read_text(encoding="utf-8")
    with open_history(tmp_path / "history.duckdb", catalogue()) as engine:
        for rows in BATCHES[:batches]:
            engine.apply(rows, rows.item(0, "known_from").date())
        assert markdown(engine.views.versions().select(VERSION).sort("known_from", "valid_from").collect()) in page
        if batches == len(BATCHES):
            assert markdown(engine.views.intervals().select(INTERVAL).sort("valid_from").collect()) in page
