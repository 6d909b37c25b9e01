"""The index of GPU prices, made again from `marts.price_history` by the words of `docs/market-price.md`: plain loops, none of its code."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable
from math import ceil, floor
from typing import Any

import duckdb
import pytest

from pipelines.platform.paths import PACKAGE_FOLDER
from tests.support.paths import ROOT

AS_OF = dt.date(2026, 11, 23)
DAYS = [dt.date(year, month, 20) for year in (2022, 2023, 2024, 2025) for month in (3, 9)] + [
    *(dt.date(2026, month, day) for month in range(1, 11) for day in (5, 28)),
    AS_OF,
]
EU = {
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
}  # fmt: skip
GROUPS = {"EU": EU, "Europe": EU | {"CH", "GB", "IS", "LI", "NO"}, "US": {"US"}}
CONTINENTS = {"eu": EU, "europe": GROUPS["Europe"], "northamerica": {"CA", "US"}}
YEAR, WITHDRAWN = 365, 45
FIGURES = ("seller_count", "offer_count", "last_known_seller_count", "cheapest", "p25", "median", "p75", "dearest", "oldest", "newest")


def countries_of_providers() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    with (PACKAGE_FOLDER / "reference" / "region_country.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["country"]:
                found[row["provider"]].add(row["country"])
    return found


def groups_of(price: dict[str, Any], known: dict[str, set[str]]) -> set[str]:
    """Where an offer counts: the world, its country, and the groups in which it stands or may stand."""
    plain = re.sub("[^a-z]", "", price["region"].lower())
    if price["country"]:
        may_be = {price["country"]}
    elif plain == "all":
        may_be = known.get(price["provider"], set())
    else:
        may_be = known.get(price["provider"], set()) & CONTINENTS.get(plain, set())
    groups = {"world"} | (may_be if len(may_be) == 1 else set())
    for name, members in GROUPS.items():
        lies_in = (bool(may_be) and may_be <= members) or plain in {"EU": ("eu",), "Europe": ("eu", "europe"), "US": ()}[name]
        if lies_in and len(members) > 1:
            groups.add(name)
        if lies_in or may_be & members:
            groups.add(f"{name}_possible")
    return groups


def class_of(months: int | None) -> str:
    if months is None:
        return "none"
    return "up_to_6_months" if months <= 6 else "7_to_18_months" if months <= 18 else "over_18_months"


def prices_on(history: list[dict[str, Any]], day: dt.date) -> Iterable[dict[str, Any]]:
    """Each series' price of the day, in force at its end or last known for a year."""
    latest: dict[str, dict[str, Any]] = {}
    for price in history:
        if price["valid_from"].date() <= day and price["valid_from"] >= latest.get(price["series_id"], price)["valid_from"]:
            latest[price["series_id"]] = price
    for price in latest.values():
        seen_on = min(price["observed_at"].date(), AS_OF)
        is_current = price["valid_to"] is None or price["valid_to"].date() > day
        until = seen_on + dt.timedelta(days=YEAR)
        if price["usd_per_gpu_hour"] is not None and day <= until:
            yield price | {"seen_on": seen_on, "is_current": is_current}


def index_of(history: list[dict[str, Any]], day: dt.date, known: dict[str, set[str]]) -> dict[tuple[str, ...], dict[str, Any]]:
    offers: dict[tuple[str, ...], dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for price in prices_on(history, day):
        tiers = [price["trust_tier"]] + (["professional"] if price["trust_tier"] in ("datacenter", "secure") else [])
        for tier in tiers:
            for group in groups_of(price, known):
                market = (price["gpu"], price["purchase_option"], class_of(price["commitment_months"]), tier, group)
                offers[market][price["seller"]].append(price)
    return {market: figures_of(sellers) for market, sellers in offers.items()}


def figures_of(sellers: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    votes = []
    for asked in sellers.values():
        rank = min((price["is_third_party"], not price["is_current"]) for price in asked)
        speak = [price for price in asked if (price["is_third_party"], not price["is_current"]) == rank]
        newest = max(price["seen_on"] for price in speak)
        speak = [p for p in speak if p["is_current"] or (newest - p["seen_on"]).days <= WITHDRAWN]
        votes.append(
            (min(p["usd_per_gpu_hour"] for p in speak), len(speak), any(p["is_current"] for p in speak), max(p["seen_on"] for p in speak))
        )
    asked_at_least = sorted(vote[0] for vote in votes)
    n = len(votes)
    places = {"cheapest": 1, "p25": ceil(n / 4), "median": floor((n + 1) / 2), "p75": ceil(3 * n / 4), "dearest": n}
    return {
        "seller_count": n,
        "offer_count": sum(vote[1] for vote in votes),
        "last_known_seller_count": sum(not vote[2] for vote in votes),
        **{name: asked_at_least[place - 1] for name, place in places.items()},
        "oldest": min(vote[3] for vote in votes),
        "newest": max(vote[3] for vote in votes),
    }


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_every_market_of_a_day_is_what_its_method_says(published: duckdb.DuckDBPyConnection, day: dt.date) -> None:
    rows = published.execute(
        """SELECT series_id, provider, seller, region, country, gpu, purchase_option, commitment_months, trust_tier, usd_per_gpu_hour,
                  valid_from, valid_to, observed_at, source = 'archive_aggregators_2026' AS is_third_party
           FROM marts.price_history WHERE gpu IS NOT NULL AND form_factor IS NOT NULL"""
    )
    names = [column[0] for column in rows.description]
    history = [dict(zip(names, row, strict=True)) for row in rows.fetchall()]
    # Nothing that ships says of any day whether there is a machine.
    assert published.execute("SELECT count(*) FROM marts.offer_availability").fetchall() == [(0,)]
    ours = published.execute(
        """SELECT gpu, purchase_option, commitment_class, trust_group, country_group, seller_count, offer_count, last_known_seller_count,
                  cheapest_usd_per_gpu_hour, p25_usd_per_gpu_hour, median_usd_per_gpu_hour, p75_usd_per_gpu_hour, dearest_usd_per_gpu_hour,
                  oldest_price_on, newest_price_on
           FROM marts.market_price WHERE on_date <= $1 AND held_until_on >= $1""",
        [day],
    ).fetchall()
    found = {row[:5]: dict(zip(FIGURES, row[5:], strict=True)) for row in ours}
    expected = index_of(history, day, countries_of_providers())
    assert found.keys() == expected.keys() and len(found) > 10
    # The days on which votes were seen are those of the day on which a figure changed last: they move within a row.
    watched = [name for name in FIGURES if name not in ("oldest", "newest")]
    differences = {m: (found[m], expected[m]) for m in found if any(found[m][name] != expected[m][name] for name in watched)}
    assert not differences


def test_what_ships_is_a_market_that_a_buyer_compares(published: duckdb.DuckDBPyConnection) -> None:
    page = (ROOT / "docs" / "market-price.md").read_text(encoding="utf-8")
    [query] = re.findall(r"```sql\n(SELECT gpu_family.*?)```", page, re.DOTALL)
    found = {family: counts for family, *counts in published.execute(query).fetchall()}
    sellers, european = found.pop("all of them")
    assert sellers >= 34 and european >= 8
    assert found.keys() == {"A100", "B200", "B300", "H100", "H200", "L4", "L40S", "MI300X", "RTX 4090", "RTX 5090", "RTX PRO 6000"}
    assert all(count >= 4 for count, _ in found.values())
    # What the page shows is what the query gives on the day of the archive.
    rows = re.findall(r"^\| ([A-Za-z0-9 ]+) \| ([0-9]+) \| ([0-9]+) \|$", page, re.MULTILINE)
    shown = {name: (int(all_of), int(in_europe)) for name, all_of, in_europe in rows}
    assert shown == {name: tuple(counts) for name, counts in found.items()} | {"all of them": (sellers, european)}
