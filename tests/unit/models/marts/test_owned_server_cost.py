"""What stands behind the hour of an owned server: a quote of it or of its cards, measured or rated power, and for how long."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.catalogue.models import models
from tests.support.tables import curated

AS_OF = dt.date(2026, 6, 30)


def quote(hardware: str, kind: str, usd: float, on: dt.date, gpu: str = "h100-sxm-80") -> dict[str, Any]:
    return {
        "hardware": hardware,
        "hardware_kind": kind,
        "gpu": gpu,
        "gpu_count": 1.0 if kind == "card" else 8.0,
        "price_on": on,
        "low_usd": usd,
        "base_usd": usd,
        "high_usd": usd,
        "source": "a_source",
        "source_detail": kind,
    }


def costs(*quotes: dict[str, Any]) -> pl.DataFrame:
    schema = catalogue().tables["hardware_price"].polars_schema()
    function = models()["owned_server_cost"].function
    assert function is not None
    found = function(
        hardware_price=pl.LazyFrame([{**dict.fromkeys(schema), **q} for q in quotes], schema=schema),
        reference_cost_assumption=curated("reference_cost_assumption"),
        reference_gpu=curated("reference_gpu"),
        as_of=AS_OF,
    )
    frame = catalogue().tables["owned_server_cost"].conform(found).collect()
    assert isinstance(frame, pl.DataFrame)
    return frame.sort("hardware", "on_date")


def on(frame: pl.DataFrame, day: dt.date) -> dict[str, Any]:
    return frame.filter(pl.col("on_date") == day).row(0, named=True)


SERVER, CARD = "8x-h100-sxm-80", "h100-sxm-80"


def test_cards_stand_in_for_a_server_that_nobody_quotes() -> None:
    row = on(costs(quote(CARD, "card", 25_000, dt.date(2026, 1, 1))), AS_OF)
    assert row["is_price_estimated"] and row["price_source_detail"].startswith("card; one card, times eight")
    # 1.64 times eight cards, and the network on top.
    assert row["base_capex_usd"] == pytest.approx(8 * 25_000 * 1.64 * 1.12)
    assert row["low_capex_usd"] < row["base_capex_usd"] < row["high_capex_usd"]


def test_a_quote_of_the_server_goes_before_a_later_one_of_its_cards() -> None:
    found = costs(quote(SERVER, "server", 250_000, dt.date(2025, 1, 1)), quote(CARD, "card", 25_000, dt.date(2025, 6, 1)))
    assert on(found, dt.date(2025, 12, 31))["base_capex_usd"] == pytest.approx(250_000 * 1.12)
    # A quote that ages changes nothing by itself: it stays, with its age, and no cheaper guess takes its place.
    last = on(found, dt.date(2026, 6, 30))
    assert last["base_capex_usd"] == pytest.approx(250_000 * 1.12)
    assert (last["price_as_of_on"], last["price_age_days"], last["is_price_estimated"]) == (dt.date(2025, 1, 1), 545, False)


def test_measured_power_goes_before_rated() -> None:
    measured = on(costs(quote(SERVER, "server", 250_000, dt.date(2026, 1, 1))), AS_OF)
    assert (measured["base_load_kw"], measured["is_power_estimated"]) == (10.2, False)
    rated = on(costs(quote("8x-b300-sxm-288", "server", 461_568, dt.date(2026, 1, 1), "b300-sxm-288")), AS_OF)
    assert rated["is_power_estimated"] and rated["base_load_kw"] == pytest.approx(8 * 1.1 * 1.8214)
    assert rated["low_load_kw"] < rated["base_load_kw"]


def test_without_any_power_there_is_no_figure_but_a_reason() -> None:
    row = on(costs(quote("8x-nothing", "server", 1_000, dt.date(2026, 1, 1), "nothing")), AS_OF)
    assert row["base_fixed_usd_per_hour"] is None and row["reason_no_figure"] == "no power figure for this server"
    assert row["is_power_estimated"] is False


def test_a_board_is_no_server() -> None:
    assert costs(quote(SERVER, "baseboard", 200_000, dt.date(2026, 1, 1))).is_empty()
