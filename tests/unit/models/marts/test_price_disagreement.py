"""Two sources, one machine: which prices are said to disagree, and which are prices of two machines, terms or times."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from tests.support.tables import model

AS_OF = dt.date(2026, 11, 23)
STATED: dict[str, Any] = {
    "provider": "aws",
    "region": "us-east-1",
    "instance_type": "p5.48xlarge",
    "gpu": "h100-sxm-80",
    "purchase_option": "on_demand",
    "payment_option": None,
    "commitment_months": None,
    "operating_system": "linux",
    "tenancy": "shared",
    "source": "a",
    "usd_per_gpu_hour": Decimal("2.00"),
    "last_confirmed_at": dt.datetime(2026, 11, 20),
}
SCHEMA: dict[str, Any] = dict.fromkeys(STATED, pl.String) | {
    "commitment_months": pl.Int64,
    "usd_per_gpu_hour": pl.Decimal(18, 8),
    "last_confirmed_at": pl.Datetime("us"),
}


def disagreements(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    stated = pl.DataFrame([STATED | row for row in rows], schema=SCHEMA)
    history = SimpleNamespace(reference_observations=lambda: stated)
    return model("marts", "price_disagreement")(history=history, as_of=AS_OF).collect().to_dicts()


@pytest.mark.parametrize(("amount", "is_said"), [("2.06", False), ("2.07", True), ("1.95", False), ("1.93", True)])
def test_beyond_three_per_cent_of_the_dearer_both_prices_are_said_once(amount: str, is_said: bool) -> None:
    found = disagreements({}, {"source": "b", "usd_per_gpu_hour": Decimal(amount)})
    assert len(found) == is_said
    for row in found:
        assert (row["source"], row["other_source"]) == ("a", "b")
        assert (row["usd_per_gpu_hour"], row["other_usd_per_gpu_hour"]) == (2.0, float(amount))
        assert row["difference_share"] == pytest.approx(1 - min(2.0, float(amount)) / max(2.0, float(amount)))


@pytest.mark.parametrize(
    "difference",
    [
        {"region": "us-west-2"},
        {"gpu": "h100-pcie-80"},
        {"purchase_option": "commitment", "commitment_months": 12},
        {"operating_system": "windows"},
        {"tenancy": "dedicated"},
        {"payment_option": "all_upfront"},
        {"last_confirmed_at": dt.datetime(2026, 11, 12)},
        {"last_confirmed_at": dt.datetime(2026, 11, 24)},
        {"source": "a"},
    ],
    ids=str,
)
def test_prices_of_two_things_or_times_do_not_disagree(difference: dict[str, Any]) -> None:
    assert disagreements({}, {"source": "b", "usd_per_gpu_hour": Decimal(4), **difference}) == []


def test_a_spot_price_is_that_of_its_zone_and_a_machine_without_a_name_is_none() -> None:
    for difference in ({"purchase_option": "spot"}, {"instance_type": None}):
        assert disagreements(difference, {"source": "b", "usd_per_gpu_hour": Decimal(4), **difference}) == []


def test_the_median_of_a_source_s_places_speaks_and_each_pair_of_sources_is_a_row() -> None:
    readings = [{"source": "a", "usd_per_gpu_hour": Decimal(price)} for price in ("1.9", "2.0", "9.0")]
    others = [{"source": source, "usd_per_gpu_hour": Decimal(price)} for source, price in (("b", "3"), ("c", "4"))]
    found = disagreements(*readings, *others)
    assert [(r["source"], r["other_source"], r["usd_per_gpu_hour"], r["other_usd_per_gpu_hour"]) for r in found] == [
        ("a", "b", 2.0, 3.0),
        ("a", "c", 2.0, 4.0),
        ("b", "c", 3.0, 4.0),
    ]
