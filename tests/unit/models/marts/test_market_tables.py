"""The market of an accelerator, what is on sale today, and the comparators of owning: every seller stands beside the others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.costing.days import Days
from pipelines.prices.availability import that_can_be_had
from tests.support.tables import curated, model, module_of

AS_OF = dt.date(2026, 11, 23)
GPU = "h100-sxm-80"


def price(seller: str, usd: float, seen: dt.date, **other: Any) -> dict[str, Any]:
    """A price of one GPU-hour, seen on one day and in force for 45 days from then."""
    start = dt.datetime.combine(seen, dt.time())
    ended = start + dt.timedelta(days=45)
    row = {
        "series_id": f"{seller}-{other.get('region', 'all')}-{other.get('sku', '')}",
        "provider": seller,
        "seller": seller,
        "region": "all",
        "sku": "H100",
        "gpu": GPU,
        "form_factor": "sxm",
        "gpu_count": 8.0,
        "purchase_option": "on_demand",
        "trust_tier": "datacenter",
        "currency": "USD",
        "usd_per_gpu_hour": usd,
        "usd_per_hour": 8 * usd,
        "native_amount": 8 * usd,
        "valid_from": start,
        "valid_to": ended if ended.date() <= AS_OF else None,
        "observed_at": start,
        "known_from": start,
        "source": "a_source",
    }
    return {**row, **other}


def history(*prices: dict[str, Any]) -> pl.LazyFrame:
    schema = catalogue().tables["price_history"].polars_schema()
    return pl.LazyFrame([{**dict.fromkeys(schema), **row} for row in prices], schema=schema)


def stated(series_id: str, said: str | None, day: dt.date) -> dict[str, Any]:
    """What was said of whether an offer can be had, from a day on."""
    return {"series_id": series_id, "stated_on": day, "offer_state": said}


def availability(*said: dict[str, Any]) -> pl.LazyFrame:
    return pl.LazyFrame(said, schema=catalogue().tables["offer_availability"].polars_schema())


def index(*prices: dict[str, Any], said: Sequence[dict[str, Any]] = ()) -> pl.LazyFrame:
    """The table of the market over `prices`, of which it was `said` whether they can be had."""
    return model("marts", "market_price")(history(*prices), availability(*said), curated("reference_region_country"), AS_OF)


def market(
    *prices: dict[str, Any],
    group: str = "world",
    trust: str = "professional",
    on: dt.date = AS_OF,
    said: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    found = index(*prices, said=said)
    frame = catalogue().tables["market_price"].conform(found).collect()
    assert isinstance(frame, pl.DataFrame)
    of_day = frame.filter(
        (pl.col("country_group") == group) & (pl.col("trust_group") == trust) & (pl.col("on_date") <= on) & (pl.col("held_until_on") >= on)
    )
    assert of_day.height <= 1
    return of_day.row(0, named=True) if of_day.height else {"seller_count": 0}


FRESH, OLD = dt.date(2026, 11, 20), dt.date(2026, 7, 21)


def test_one_seller_has_one_vote_and_a_fresh_price_hides_nobody() -> None:
    found = market(
        price("lambda", 3.99, FRESH),
        price("aws", 6.88, OLD, region="us-east-1", country="US"),
        price("aws", 7.50, OLD, region="eu-west-1", country="IE"),
        price("gcp", 11.06, OLD, region="us-central1", country="US"),
        price("coreweave", 6.155, FRESH),
    )
    assert (found["seller_count"], found["offer_count"], found["last_known_seller_count"]) == (4, 5, 2)
    assert found["last_known_share"] == 0.5
    figures = [found[f"{name}_usd_per_gpu_hour"] for name in ("cheapest", "p25", "median", "p75", "dearest")]
    assert figures == [3.99, 3.99, 6.155, 6.88, 11.06]
    assert (found["oldest_price_on"], found["newest_price_on"]) == (OLD, FRESH)


def test_a_place_and_a_kind_of_seller_are_markets_of_their_own() -> None:
    prices = [
        price("scaleway", 3.6, FRESH, region="fr-par-2", country="FR"),
        price("nebius", 4.5, FRESH),
        price("runpod", 2.7, FRESH, trust_tier="community"),
    ]
    assert market(*prices, group="EU")["seller_count"] == 1
    # Nebius sells in Finland too, and does not say where this offer stands.
    assert market(*prices, group="EU_possible")["seller_count"] == 2
    assert market(*prices)["cheapest_usd_per_gpu_hour"] == 3.6
    assert market(*prices, trust="community")["cheapest_usd_per_gpu_hour"] == 2.7
    assert market(*prices, group="US")["seller_count"] == 0


def test_a_price_is_nobodys_offer_after_a_year() -> None:
    seen = AS_OF - dt.timedelta(days=366)
    assert market(price("aws", 6.88, seen))["seller_count"] == 0
    assert market(price("aws", 6.88, seen), on=AS_OF - dt.timedelta(days=1))["last_known_seller_count"] == 1


def test_what_cannot_be_had_has_no_vote_on_its_days() -> None:
    prices = [price("lambda", 1.99, OLD), price("aws", 6.88, OLD)]
    lacking, back = dt.date(2026, 9, 1), dt.date(2026, 11, 1)
    said = [stated("lambda-all-", "none", lacking), stated("lambda-all-", "available", back)]

    def on(day: dt.date) -> tuple[int, float]:
        found = market(*prices, said=said, on=day)
        return found["seller_count"], found["cheapest_usd_per_gpu_hour"]

    assert on(lacking - dt.timedelta(days=1)) == (2, 1.99)
    assert on(lacking) == on(back - dt.timedelta(days=1)) == (1, 6.88)
    assert on(back) == on(AS_OF) == (2, 1.99)
    # A price to ask for is none; where nobody sells else there is no market.
    assert market(prices[0], said=[stated("lambda-all-", "on_request", OLD)])["seller_count"] == 0


def test_rows_stand_where_something_changed() -> None:
    found = index(price("aws", 6.88, dt.date(2026, 1, 1))).collect()
    world = found.filter((pl.col("country_group") == "world") & (pl.col("trust_group") == "professional")).sort("on_date")
    # In force for 45 days, last known after that.
    assert world.select("on_date", "held_until_on", "last_known_share").rows() == [
        (dt.date(2026, 1, 1), dt.date(2026, 2, 14), 0.0),
        (dt.date(2026, 2, 15), AS_OF, 1.0),
    ]


def test_what_is_on_sale_today_has_its_age_and_its_euros() -> None:
    rates = pl.LazyFrame(
        {
            "currency": ["USD", "USD"],
            "on_date": [dt.date(2026, 6, 1), AS_OF],
            "units_per_eur": [1.25, 1.2],
        }
    )
    rows = [
        price("lambda", 3.6, FRESH),
        price("scaleway", 3.5, dt.date(2026, 6, 1), region="fr-par-2", country="FR", currency="EUR"),
        price("gone", 1.0, dt.date(2024, 1, 1)),
    ]
    series = pl.LazyFrame({"series_id": ["lambda-all-"], "commitment_days": [7]}, schema_overrides={"commitment_days": pl.Int64})
    table = model("marts", "price_today")
    said = availability(stated("lambda-all-", "none", FRESH))
    found = table(history(*rows), series, said, curated("reference_region_country"), rates, AS_OF).sort("seller").collect()
    # What its source says cannot be had is marked; of the other nobody says.
    assert found.select("stock", "is_on_sale", "commitment_days").rows() == [("none", False, 7), (None, True, None)]
    assert found.select("seller", "price_basis", "price_age_days", "countries").rows() == [
        ("lambda", "current", 3, "AU, DE, IL, IN, IT, JP, US"),
        ("scaleway", "last_known", 175, "FR"),
    ]
    # A price in euros is what its seller asks, whatever the dollar did since; a price in dollars takes the rate of the day.
    assert found["eur_per_gpu_hour"].to_list() == pytest.approx([3.6 / 1.2, 3.5 / 1.25])


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([], ("current", None, None)),
        ([("unlisted", 22)], ("last_known", dt.date(2026, 11, 22), None)),
        ([("unlisted", 21), (None, 22)], ("current", None, None)),
        ([("unlisted", 21), ("scarce", 22)], ("current", None, "scarce")),
    ],
)
def test_what_its_source_no_longer_lists_is_withdrawn(said: list[tuple[str | None, int]], expected: tuple[object, ...]) -> None:
    row = price("lambda", 3.6, FRESH)
    rates = pl.LazyFrame({"currency": ["USD"], "on_date": [AS_OF], "units_per_eur": [1.2]})
    series = pl.LazyFrame(schema=catalogue().tables["price_series"].polars_schema())
    statements = availability(*(stated("lambda-all-", what, dt.date(2026, 11, day)) for what, day in said))
    places = curated("reference_region_country")
    [found] = model("marts", "price_today")(history(row), series, statements, places, rates, AS_OF).collect().to_dicts()
    assert (found["price_basis"], found["withdrawn_on"], found["stock"]) == expected
    assert found["is_on_sale"] is (expected[1] is None)
    assert found["price_as_of_on"] == dt.date(2026, 11, 20)


SELLERS = ["aws", "azure", "gcp", "lambda"]


def rolling(seller: str, usd: float, day: dt.date) -> dict[str, Any]:
    return {
        "on_date": day,
        "window_days": 30,
        "mean_usd_per_gpu_hour": usd,
        "min_usd_per_gpu_hour": usd,
        "max_usd_per_gpu_hour": usd,
        "last_usd_per_gpu_hour": usd,
        "last_observed_on": day,
        "covered_share": 1.0,
        "series": SELLERS.index(seller),
        "device": 1,
        "seller": SELLERS.index(seller),
        "is_third_party": False,
    }


def comparators(priced: pl.LazyFrame, *said: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The comparators of the day, of offers of which it was `said` whether they can be had."""
    break_even, today = module_of("marts", "break_even"), Days(AS_OF, AS_OF)
    known = pl.LazyFrame(said, schema={"series_id": pl.UInt32, "stated_on": pl.Date, "offer_state": pl.String})
    numbered = priced.cast({"series": pl.UInt32})
    offers = break_even.offers_on(today, numbered, break_even.gaps_after(numbered, AS_OF))
    found = break_even.of_like_shape(that_can_be_had(offers, known, "series")).collect()
    return {r["comparator"]: r for r in found.iter_rows(named=True)}


def test_what_cannot_be_had_is_no_comparator_of_owning() -> None:
    day = dt.date(2026, 11, 22)
    priced = pl.LazyFrame([rolling("lambda", 3.99, AS_OF), rolling("aws", 6.88, OLD), rolling("gcp", 11.06, OLD)])
    gone = [{"series_id": SELLERS.index(name), "stated_on": day, "offer_state": "unlisted"} for name in ("lambda", "gcp")]
    found = comparators(priced, *gone)
    assert {SELLERS[r["series"]] for r in found.values()} == {"aws"} and found["cheapest"]["seller_count"] == 1
    assert SELLERS[comparators(priced)["cheapest"]["series"]] == "lambda"


def test_comparators_are_of_all_sellers_each_with_its_basis_and_age() -> None:
    priced = pl.LazyFrame(
        [rolling("lambda", 3.99, FRESH), rolling("aws", 6.88, OLD), rolling("gcp", 11.06, OLD), rolling("azure", 12.29, OLD)]
    )
    chosen = comparators(priced)
    assert {name: SELLERS[r["series"]] for name, r in chosen.items()} == {
        "cheapest": "lambda",
        "market_p25": "lambda",
        "market_median": "aws",
        "market_p75": "gcp",
        "median": "aws",
        "dearest": "azure",
    }
    assert {r["seller_count"] for r in chosen.values()} == {4}
    assert (chosen["market_median"]["price_basis"], chosen["market_median"]["price_age_days"]) == ("last_known", 125)
