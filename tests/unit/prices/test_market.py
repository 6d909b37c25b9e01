"""One seller, one vote: which offers speak for a seller, quartiles over sellers, and where an offer may stand."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from pipelines.prices.market import THIRD_PARTY_SOURCES, offers_that_speak, quartile_places, third_party_series
from pipelines.prices.places import EU_COUNTRIES, country_groups, with_countries
from tests.support.recorded import MODULES
from tests.support.tables import curated

DAY = dt.date(2026, 11, 20)


def offers(*rows: tuple[str, float, bool, bool, int]) -> pl.LazyFrame:
    """Offers as (seller, price, is_current, is_third_party, days since seen)."""
    schema = {"seller": pl.String, "usd": pl.Float64, "is_current": pl.Boolean, "is_third_party": pl.Boolean, "age": pl.Int64}
    return pl.LazyFrame(rows, schema=schema, orient="row").with_columns(seen_on=pl.lit(DAY) - pl.duration(days="age"), gpu=pl.lit("h100"))


def speaking(*rows: tuple[str, float, bool, bool, int]) -> list[tuple[str, float]]:
    found = offers_that_speak(offers(*rows), ["gpu"]).select("seller", "usd").collect()
    return sorted(found.iter_rows())


def test_a_fresh_price_hides_no_other_seller() -> None:
    assert speaking(("lambda", 3.99, True, False, 0), ("aws", 6.88, False, False, 120), ("gcp", 12.0, False, False, 112)) == [
        ("aws", 6.88),
        ("gcp", 12.0),
        ("lambda", 3.99),
    ]


def test_a_seller_that_is_known_today_does_not_speak_of_the_past() -> None:
    assert speaking(("lambda", 3.99, True, False, 0), ("lambda", 2.99, False, False, 80)) == [("lambda", 3.99)]


def test_what_a_seller_showed_last_stands_for_it() -> None:
    found = speaking(("runpod", 2.99, False, False, 180), ("runpod", 3.99, False, False, 40), ("runpod", 3.49, False, False, 60))
    assert found == [("runpod", 3.49), ("runpod", 3.99)]


def test_a_page_about_a_seller_speaks_only_where_the_seller_does_not() -> None:
    assert speaking(("nebius", 4.5, False, False, 50), ("nebius", 2.15, True, True, 1)) == [("nebius", 4.5)]
    assert speaking(("nebius", 2.15, True, True, 1)) == [("nebius", 2.15)]


def test_every_source_that_says_it_is_second_hand_speaks_last() -> None:
    second_hand = {name for name, module in MODULES.items() if "second-hand" in module.source.gives}
    of_machines = second_hand - {"litellm", "us_ai_infra_power"}
    assert of_machines == set(THIRD_PARTY_SOURCES) - {"archive_aggregators_2026"}
    stated = [(source, source) for source in ("aws_offers", *THIRD_PARTY_SOURCES)]
    history = pl.DataFrame(stated, schema=["series_id", "source"], orient="row").lazy()
    assert set(third_party_series(history).collect().get_column("series_id")) == set(THIRD_PARTY_SOURCES)


@pytest.mark.parametrize(
    ("count", "places"), [(1, (0, 0, 0)), (2, (0, 0, 1)), (3, (0, 1, 2)), (4, (0, 1, 2)), (5, (1, 2, 3)), (8, (1, 3, 5)), (9, (2, 4, 6))]
)
def test_quartiles_are_prices_that_somebody_asks(count: int, places: tuple[int, int, int]) -> None:
    found = pl.DataFrame({"n": [count]}).select(**quartile_places(pl.col("n"))).row(0)
    assert found == places


def placed(*rows: tuple[str, str, str | None]) -> dict[tuple[str, str], tuple[list[str] | None, set[str]]]:
    frame = pl.LazyFrame(rows, schema={"provider": pl.String, "region": pl.String, "country": pl.String}, orient="row")
    groups = country_groups(pl.col("countries"), pl.col("region"))
    found = with_countries(frame, curated("reference_region_country")).with_columns(groups=groups).collect()
    return {(r["provider"], r["region"]): (r["countries"], set(r["groups"])) for r in found.iter_rows(named=True)}


def test_an_offer_stands_where_it_is_known_to() -> None:
    found = placed(
        ("scaleway", "fr-par-2", "FR"), ("verda", "all", None), ("ovh", "eu", None), ("lambda", "all", None), ("runpod", "all", None)
    )
    assert found["scaleway", "fr-par-2"] == (["FR"], {"world", "FR", "EU", "EU_possible", "Europe", "Europe_possible"})
    # Sold in several countries, and nobody says in which: the set of them, and no single one.
    assert found["verda", "all"] == (["FI", "IS"], {"world", "EU_possible", "Europe", "Europe_possible"})
    countries, groups = found["lambda", "all"]
    assert countries is not None and {"DE", "IT", "US"} <= set(countries)
    assert groups == {"world", "EU_possible", "Europe_possible", "US_possible"}
    countries, groups = found["ovh", "eu"]
    assert countries is not None and set(countries) <= EU_COUNTRIES and {"FR", "DE"} <= set(countries)
    assert "EU" in groups and "FR" not in groups
    assert found["runpod", "all"] == (None, {"world"})
