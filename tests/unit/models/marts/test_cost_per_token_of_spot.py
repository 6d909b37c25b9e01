"""A spot machine's interruptions in the cost per token: its seller's own band, else the assumption."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from tests.support.tables import module_of

MODEL = module_of("marts", "cost_per_token")
READ_ON = dt.date(2026, 11, 20)
SERIES = pl.LazyFrame(
    {
        "series_id": ["own band", "no word", "open band", "on demand"],
        "provider": ["aws"] * 4,
        "region": ["r1", "r2", "r3", "r1"],
        "instance_type": ["p5.48xlarge"] * 4,
        "purchase_option": ["spot", "spot", "spot", "on_demand"],
    }
)
INTERRUPTIONS = pl.LazyFrame(
    {
        "provider": ["aws", "aws"],
        "region": ["r1", "r3"],
        "instance_type": ["p5.48xlarge"] * 2,
        "low_interruptions_per_month": [0.0, 87.6],
        "base_interruptions_per_month": [87.6, None],
        "high_interruptions_per_month": [876.0, None],
        "read_on": [READ_ON, READ_ON],
    }
)


def cost(series: str, band: str) -> float:
    """At 1 USD an hour and a million tokens an hour, restarts of 300 s, and an assumed interruption every 3,000 s."""
    rates = MODEL.interruptions_of_series(SERIES, INTERRUPTIONS)
    row: dict[str, Any] = {"price_series_id": [series], "option": ["spot"], "output_tokens_per_second_per_gpu": [1 / 0.0036]}
    row |= {f"packing_share__{band}": [1.0], f"spot_restart_s__{band}": [300.0], "utilisation_share": [1.0]}
    row |= {f"spot_mean_time_between_interruptions_s__{band}": [3_000.0]}
    rows = pl.LazyFrame(row).join(rates, on="price_series_id", how="left")
    return float(rows.select(MODEL.rented_usd_per_million(pl.lit(1.0), band)).collect().item())


@pytest.mark.parametrize(
    ("series", "band", "waste"),
    [
        ("own band", "low", 0.0),
        ("own band", "base", 0.01),
        ("own band", "high", 0.1),
        ("no word", "base", 0.1),
        ("open band", "low", 0.01),
        ("open band", "base", 0.1),
        ("open band", "high", 0.1),
    ],
)
def test_a_sellers_band_comes_before_the_assumption(series: str, band: str, waste: float) -> None:
    assert cost(series, band) == pytest.approx(1 / (1 - waste), rel=1e-12)


def test_only_spot_is_interrupted() -> None:
    assert set(MODEL.interruptions_of_series(SERIES, INTERRUPTIONS).collect().get_column("price_series_id")) == {"own band", "open band"}
