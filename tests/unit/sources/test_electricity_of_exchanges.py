"""A sunny Sunday: the mean of an exchange's day may lie below zero, an invoice never does."""

from __future__ import annotations

import json

import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.quality.row_rules import check_rows
from pipelines.sources import energy_charts
from pipelines.sources.lib.errors import ParseError
from tests.support.tables import with_lineage

CONTRACT = catalogue().tables["electricity_reading"]


def answer(*prices: float | None) -> bytes:
    """An answer in the documented shape, of hours of 3 May 2026."""
    hours = [1777766400 + 3600 * number for number in range(len(prices))]
    body = {"license_info": "CC BY 4.0", "unix_seconds": hours, "price": prices, "unit": "EUR / MWh", "deprecated": False}
    return json.dumps({"zone": "DE-LU", "answer": json.dumps(body)}).encode()


@pytest.mark.parametrize(
    ("prices", "mean"), [((-80.0, -20.0, 10.0), "-0.03000000"), ((0.0, 0.0), "0.00000000"), ((40.0, 60.0), "0.05000000")]
)
def test_a_mean_below_zero_is_a_price(prices: tuple[float, ...], mean: str) -> None:
    rows = with_lineage(energy_charts.parse(answer(*prices))).with_columns(source=pl.lit("energy_charts"))
    checked = check_rows(CONTRACT, rows, may_quarantine=True)
    assert checked.good.get_column("native_per_kwh").to_list() == [mean]
    assert checked.quarantined.is_empty()


@pytest.mark.parametrize("price", ["-8.0", "41.2", "cheap", "inf", "nan", ""])
def test_what_is_no_price_of_a_kilowatt_hour_is_a_verdict_on_its_row(price: str) -> None:
    rows = with_lineage(energy_charts.parse(answer(40.0, 60.0))).with_columns(source=pl.lit("energy_charts"))
    both = pl.concat([rows, rows.with_columns(area=pl.lit("FR"), native_per_kwh=pl.lit(price))])
    checked = check_rows(CONTRACT, both, may_quarantine=True, share_effect="warned")
    assert checked.good.get_column("area").to_list() == ["DE"]
    assert checked.quarantined.height == 1


@pytest.mark.parametrize("price", [99_999.0, -9_999.0, 5_000.5])
def test_an_hour_at_no_price_bends_no_mean(price: float) -> None:
    rows = with_lineage(energy_charts.parse(answer(*[80.0] * 23, price))).with_columns(source=pl.lit("energy_charts"))
    checked = check_rows(CONTRACT, rows, may_quarantine=True, share_effect="warned")
    assert checked.good.is_empty()
    assert f"with {price} per MWh" in checked.quarantined["row_json"][0]


def test_a_few_hours_are_no_mean_of_a_day() -> None:
    with pytest.raises(ParseError, match="3 of 24 prices of DE-LU are known"):
        energy_charts.parse(answer(*[90.0] * 3, *[None] * 21))
    assert energy_charts.parse(answer(*[90.0] * 23, None)).height == 1
