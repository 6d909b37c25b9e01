"""Two sources, one machine: which prices are said to disagree, and which are prices of two machines, terms or times."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from pipelines.history.series import series_key
from tests.support.tables import curated, model

AS_OF = dt.date(2026, 11, 23)
STATED: dict[str, Any] = {
    "provider": "aws",
    "seller": "aws",
    "zone": None,
    "sku": "p5.48xlarge",
    "currency": "USD",
    "trust_tier": "datacenter",
    "gpu_count": 8.0,
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
    "gpu_count": pl.Float64,
    "commitment_months": pl.Int64,
    "usd_per_gpu_hour": pl.Decimal(18, 8),
    "last_confirmed_at": pl.Datetime("us"),
}


def disagreements(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    stated = pl.DataFrame([STATED | row for row in rows], schema=SCHEMA)
    series = stated.unique(series_key(), maintain_order=True).lazy()
    history = SimpleNamespace(reference_observations=lambda: stated.drop("gpu_count"), series=lambda: series)
    return model("marts", "price_disagreement")(history=history, reference_gpu=curated("reference_gpu"), as_of=AS_OF).collect().to_dicts()


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
        {"instance_type": "another", "sku": "another", "gpu": "h100-pcie-80"},
        {"instance_type": "another", "sku": "another"},
        {"instance_type": None, "sku": "a GPU", "gpu_count": 1.0},
        {"instance_type": None, "sku": "a GPU", "gpu_count": None, "region": "us-west-2"},
        {"seller": "shadeform"},
        {"trust_tier": "community"},
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


def test_a_spot_price_is_that_of_its_zone() -> None:
    spot = {"purchase_option": "spot"}
    assert disagreements(spot, {"source": "b", "usd_per_gpu_hour": Decimal(4), **spot}) == []


def per_gpu(price: str, **more: Any) -> dict[str, Any]:
    return {
        "source": "b",
        "region": "all",
        "sku": "H100",
        "instance_type": None,
        "gpu_count": None,
        "usd_per_gpu_hour": Decimal(price),
        **more,
    }


@pytest.mark.parametrize(
    "less_close",
    [
        per_gpu("4"),
        per_gpu("4", gpu_count=8.0),
        per_gpu("4", region="us-east-1"),
        per_gpu("4", gpu="h100-any-80"),
        per_gpu("4", instance_type="P5.48XLARGE"),
        per_gpu("4", instance_type="p5.48xlarge", gpu="h100-any-80"),
    ],
    ids=str,
)
def test_what_says_less_is_held_against_all_that_it_includes(less_close: dict[str, Any]) -> None:
    sizes = [{}, {"sku": "p5.4xlarge", "instance_type": "p5.4xlarge", "gpu_count": 1.0, "usd_per_gpu_hour": Decimal("2.5")}]
    if less_close["instance_type"] or less_close["gpu_count"]:
        sizes = sizes[:1]
    [found] = disagreements(*sizes, less_close)
    nearest = 2.5 if len(sizes) == 2 else 2.0
    assert (found["source"], found["other_source"]) == ("b", "a")
    assert (found["usd_per_gpu_hour"], found["other_usd_per_gpu_hour"]) == (4.0, nearest)
    # Of one of its machines it may well be the price, or of one in between.
    for price in ("2.0", "2.5") if len(sizes) == 2 else ("2.0",):
        assert disagreements(*sizes, {**less_close, "usd_per_gpu_hour": Decimal(price)}) == []


def test_several_products_of_one_device_are_a_span() -> None:
    two = [per_gpu(price, sku=sku) for price, sku in (("1.99", "Ethernet"), ("2.49", "InfiniBand"))]
    assert disagreements(*two, per_gpu("1.99", source="c")) == []
    [found] = disagreements(*two, per_gpu("3", source="c"))
    assert (found["usd_per_gpu_hour"], found["other_usd_per_gpu_hour"]) == (2.49, 3.0)


def test_the_median_of_a_source_s_places_speaks_and_each_pair_of_sources_is_a_row() -> None:
    readings = [{"source": "a", "usd_per_gpu_hour": Decimal(price)} for price in ("1.9", "2.0", "9.0")]
    others = [{"source": source, "usd_per_gpu_hour": Decimal(price)} for source, price in (("b", "3"), ("c", "4"))]
    found = disagreements(*readings, *others)
    assert [(r["source"], r["other_source"], r["usd_per_gpu_hour"], r["other_usd_per_gpu_hour"]) for r in found] == [
        ("a", "b", 2.0, 3.0),
        ("a", "c", 2.0, 4.0),
        ("b", "c", 3.0, 4.0),
    ]
