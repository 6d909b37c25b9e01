"""An amount for any unit of time is one for an hour; what has no known length has none."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from pipelines.prices.normalization import per_hour

MONEY = pl.Decimal(18, 8)


@pytest.mark.parametrize("of", ["instance", "gpu"])
@pytest.mark.parametrize(
    ("unit", "months", "amount", "an_hour"),
    [
        ("second", None, "0.001", "3.6"),
        ("minute", None, "0.05", "3"),
        ("hour", None, "2.5", "2.5"),
        ("day", None, "60", "2.5"),
        ("week", None, "420", "2.5"),
        ("month", None, "1825", "2.5"),
        ("term", 1, "730", "1"),
        ("term", 36, "26280", "1"),
        ("term", 0, "1", None),
        ("term", None, "1", None),
        ("fortnight", None, "1", None),
        ("hour", 12, "2.5", "2.5"),
    ],
)
def test_every_unit_of_time(of: str, unit: str, months: int | None, amount: str, an_hour: str | None) -> None:
    stated = pl.DataFrame(
        {"amount": [Decimal(amount)], "price_unit": [f"{of}_{unit}"], "commitment_months": [months]},
        schema={"amount": MONEY, "price_unit": pl.String, "commitment_months": pl.Int64},
    )
    [found] = stated.select(per_hour(pl.col("amount"), MONEY)).to_series()
    assert found == (None if an_hour is None else Decimal(an_hour))
