"""The published quality cases that a rule of a contract answers: each bad row breaks the rule named here; the right one passes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue

H100 = {"least_usd_per_gpu_hour": Decimal("0.8"), "greatest_usd_per_gpu_hour": Decimal("14.9968")}
B200 = {"least_usd_per_gpu_hour": Decimal("1.71"), "greatest_usd_per_gpu_hour": Decimal("14.2416")}
RTX_3090 = {"least_usd_per_gpu_hour": Decimal("0.12"), "greatest_usd_per_gpu_hour": Decimal("0.43")}


def broken(table: str, rule_name: str, row: dict[str, Any]) -> bool:
    contract = catalogue().tables[table]
    frame = pl.DataFrame({name: pl.Series([row.get(name)], dtype=kind) for name, kind in contract.polars_schema().items()})
    rule = next(rule for rule in contract.row_rules() if rule.name == rule_name)
    return bool(frame.select(rule.broken).item())


@pytest.mark.parametrize(
    ("table", "rule", "row"),
    [
        ("price_observation", "native_amount_above", {"native_amount": Decimal(0)}),
        ("price_observation", "outside_the_band_of_the_device", {"usd_per_gpu_hour": Decimal("0.01"), **B200}),
        (
            "price_observation",
            "spot_not_above_on_demand",
            {"purchase_option": "spot", "native_amount": Decimal(3), "on_demand_native_amount": Decimal(2)},
        ),
        (
            "price_observation",
            "commitment_not_above_on_demand",
            {"purchase_option": "commitment", "native_amount": Decimal(3), "on_demand_native_amount": Decimal(2)},
        ),
        ("price_observation", "outside_the_band_of_the_device", {"usd_per_gpu_hour": Decimal("0.8"), **RTX_3090}),
        ("price_observation", "memory_fits_the_device", {"is_gpu_conflict": True}),
        ("price_observation", "one_amount_at_once", {"amount_count": 2}),
        ("price_observation", "gpu_hour_in_range", {"usd_per_gpu_hour": Decimal(210), **H100}),
        ("token_price_observation", "output_price_in_range", {"usd_per_million_output_tokens": Decimal(15000)}),
    ],
    ids=["Q01", "Q02", "Q03", "Q04", "Q06", "Q07", "Q08", "Q09", "Q10"],
)
def test_the_bad_row_of_a_published_case_breaks_its_rule(table: str, rule: str, row: dict[str, Any]) -> None:
    assert broken(table, rule, row)


def test_the_harmonic_identity_keeps_the_published_near_miss_and_breaks_on_another_cost() -> None:
    def of(total: float, read: float, written: float) -> bool:
        prices = {f"base_usd_per_million_{what}_tokens": value for what, value in (("total", total), ("input", read), ("output", written))}
        return broken("cost_per_token", "harmonic_identity", prices)

    assert not of(0.161, 0.182, 1.452)
    # The identity as it was before its publisher mended it: the output price over all tokens.
    assert of(0.161, 0.182, 0.161) and of(0.161, 0.161, 1.452)
