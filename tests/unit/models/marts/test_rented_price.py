"""The cheapest rentable series day by day, made a month at a time: what was known last is carried from month to month."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from pipelines.catalogue.contracts import catalogue
from tests.support.tables import module_of

GPU = "h100-sxm-80"
AS_OF = dt.date(2026, 4, 10)


def frame(table: str, rows: list[dict[str, Any]]) -> pl.LazyFrame:
    schema = catalogue().tables[table].polars_schema()
    return pl.LazyFrame([{**dict.fromkeys(schema), **row} for row in rows], schema=schema)


def series(name: str) -> dict[str, Any]:
    row = {"series_id": name, "provider": "lambda", "seller": "lambda", "region": "all", "country": "US", "sku": name, "gpu": GPU}
    return {**row, "gpu_count": 8.0, "purchase_option": "on_demand", "trust_tier": "datacenter", "currency": "USD"}


def windows(name: str, usd: float, first: dt.date, last: dt.date) -> list[dict[str, Any]]:
    """Windows of 7 and 90 days of a price that held from the first to the last day."""
    found = []
    for days in (7, 90):
        for n in range((last - first).days + days):
            on, covered = first + dt.timedelta(days=n), min(first + dt.timedelta(days=n), last)
            figures = {f"{figure}_usd_per_gpu_hour": usd for figure in ("mean", "min", "max", "last")}
            at = {"on_date": on, "window_days": days, "last_covered_on": covered, "last_observed_on": covered}
            found.append({"series_id": name, **at, **figures, "volatility_usd_per_gpu_hour": 0.0, "covered_share": 0.5, "change_count": 0})
    return [row for row in found if row["on_date"] <= AS_OF]


def rented(rows: list[dict[str, Any]], *said: tuple[str, dt.date, str | None]) -> dict[tuple[dt.date, int], tuple[str, str, float]]:
    """By day and window: the series, the basis and the price."""
    names = sorted({row["series_id"] for row in rows})
    stated = [dict(zip(("series_id", "stated_on", "offer_state"), each, strict=True)) for each in said]
    parts = module_of("marts", "rented_price").rented_price(
        frame("gpu_price_rolling", rows),
        frame("price_series", [series(name) for name in names]),
        frame("throughput", [{"gpu": GPU}]),
        frame("offer_availability", stated),
        AS_OF,
    )
    found: dict[tuple[dt.date, int], tuple[str, str, float]] = {}
    for month, function, given in parts:
        own = function(**{name: value.lazy() for name, value in given.items()}).filter(pl.col("min_gpu_count") == 8).collect()
        assert {f"{day:%Y-%m}" for day in own["on_date"]} <= {month}
        for row in own.iter_rows(named=True):
            key = row["on_date"], row["window_days"]
            assert key not in found
            found[key] = row["price_series_id"], row["price_basis"], row["base_usd_per_gpu_hour"]
    return found


def test_what_was_known_last_is_carried_over_months_until_there_is_another_price() -> None:
    rows = windows("a", 3.0, dt.date(2026, 1, 20), dt.date(2026, 1, 25)) + windows("b", 4.0, dt.date(2026, 3, 5), dt.date(2026, 3, 6))
    found = rented(rows)
    assert min(found) == (dt.date(2026, 1, 20), 7) and max(found) == (AS_OF, 90)
    days = (AS_OF - dt.date(2026, 1, 20)).days + 1
    assert sorted(found) == sorted((dt.date(2026, 1, 20) + dt.timedelta(days=n), window) for n in range(days) for window in (7, 30, 90))
    assert found[dt.date(2026, 1, 31), 7] == ("a", "window", 3.0)
    assert found[dt.date(2026, 2, 1), 7] == ("a", "last_known", 3.0)
    assert found[dt.date(2026, 3, 4), 7] == ("a", "last_known", 3.0)
    assert found[dt.date(2026, 3, 5), 7] == ("b", "window", 4.0)
    assert found[dt.date(2026, 3, 5), 90] == ("a", "window", 3.0)
    # The price known last is that of the last day with one, whatever the one before it was.
    assert {found[day, 7] for day in (dt.date(2026, 3, 13), dt.date(2026, 4, 1), AS_OF)} == {("b", "last_known", 4.0)}


def test_of_prices_known_last_on_one_day_the_cheapest_is_carried() -> None:
    held = dt.date(2026, 1, 20), dt.date(2026, 1, 25)
    found = rented(windows("a", 3.0, *held) + windows("b", 2.0, *held))
    assert {found[day, 7][0] for day in (dt.date(2026, 1, 25), dt.date(2026, 2, 10), AS_OF)} == {"b"}


def test_what_cannot_be_had_is_not_carried_and_comes_back() -> None:
    said = [("a", dt.date(2026, 2, 5), "none"), ("a", dt.date(2026, 3, 8), "available")]
    found = rented(windows("a", 3.0, dt.date(2026, 1, 20), dt.date(2026, 1, 25)), *said)
    days = [day for day, window in sorted(found) if window == 7]
    assert [day for day in days if dt.date(2026, 2, 5) <= day < dt.date(2026, 3, 8)] == []
    assert found[dt.date(2026, 3, 8), 7] == ("a", "last_known", 3.0) and days[-1] == AS_OF
