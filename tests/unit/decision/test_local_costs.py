"""Tariffs, space and salaries of the country in which a site stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from pipelines.decision import as_text, decide
from pipelines.decision.documents import WorkloadError
from pipelines.decision.local_costs import PROVINCES, Tariff, area_of, country_of_area, tariff_of, with_local_costs
from pipelines.decision.workload import Site
from pipelines.prices.places import EU_COUNTRIES
from tests.unit.decision.test_plan import assumption, load, market, workload

DAY = date(2026, 11, 26)


def stated(area: str, usd: float, to: date | None = date(2026, 6, 30), known: date | None = date(2026, 9, 30)) -> Tariff:
    return Tariff(area, usd, to, known, "a list")


KNOWN = [stated("EU27_2020", 0.2), stated("FR", 0.17), stated("FI", 0.08), stated("DE", 0.25), stated("US-VA", 0.1), stated("CA-QC", 0.06)]


def test_the_tariff_is_that_of_the_area() -> None:
    for area in ("FR", "US-VA", "CA-QC"):
        own = tariff_of(area, KNOWN, DAY)
        assert own.band["base"] == next(t.usd_per_kwh for t in KNOWN if t.area == area) and own.stands_in_for is None
        assert own.band["low"] < own.band["base"] < own.band["high"]


@pytest.mark.parametrize("area", [*sorted(EU_COUNTRIES - {"FR", "FI", "DE"}), "CH", "NO", "GB", "CA", *sorted(PROVINCES - {"CA-QC"})])
def test_what_is_known_around_stands_in_and_is_named(area: str) -> None:
    found = tariff_of(area, KNOWN, DAY)
    assert found.stands_in_for == area and area in found.source and found.is_assumed
    of_europe = country_of_area(area) != "CA"
    assert found.band["base"] == (0.2 if of_europe else 0.06)
    # Less is known than of any of its neighbours.
    cheapest, dearest = (0.08, 0.25) if of_europe else (0.06, 0.06)
    assert found.band["low"] < cheapest and found.band["high"] > dearest


@pytest.mark.parametrize(("area", "said"), [("UK", "write GB"), ("US-XX", "US-VA"), ("BR", "no tariff is known")])
def test_what_nothing_is_known_of_is_refused(area: str, said: str) -> None:
    with pytest.raises(WorkloadError, match=said):
        tariff_of(area, KNOWN, DAY)


def test_a_tariff_of_later_is_used_only_where_none_was_known() -> None:
    old, new = stated("FR", 0.15, date(2025, 6, 30), date(2025, 10, 1)), stated("FR", 0.19)
    assert tariff_of("FR", [old, new], date(2026, 1, 1)).band["base"] == 0.15
    assert tariff_of("FR", [old, new], DAY).band["base"] == 0.19
    assert tariff_of("FR", [old, new], date(2025, 1, 1)).band["base"] == 0.15


def test_an_old_tariff_has_a_wider_range() -> None:
    fresh, old = (tariff_of("FR", [stated("FR", 0.2, date(year, 6, 30))], DAY) for year in (2026, 2022))
    assert old.band["low"] < fresh.band["low"] and old.band["high"] > fresh.band["high"]


def test_the_area_is_that_of_the_site_where_none_is_stated() -> None:
    assert area_of(workload()) == "US"
    assert area_of(workload().model_copy(update={"site": Site(country="FR")})) == "FR"
    assert area_of(workload().model_copy(update={"site": Site(country="FR"), "electricity_area": "EU"})) == "EU27_2020"


def test_space_and_salaries_are_those_of_the_country_and_are_named() -> None:
    rows = {
        ("staff_usd_per_fte_year", None): 150.0,
        ("staff_usd_per_fte_year", "EU"): 95.0,
        ("staff_usd_per_fte_year", "CH"): 160.0,
        ("colocation_usd_per_kw_month", None): 184.0,
        ("colocation_usd_per_kw_month", "world"): 217.0,
    }
    table = {key: assumption(key[0], value) for key, value in rows.items()}

    def at(area: str) -> list[float]:
        found = with_local_costs(table, area)
        assert {scope for _, scope in found} == {None}
        return [found[name, None].band["base"] for name in ("staff_usd_per_fte_year", "colocation_usd_per_kw_month")]

    assert at("US-VA") == [150.0, 184.0]
    assert at("FR") == at("EU27_2020") == [95.0, 217.0]
    assert at("CH") == [160.0, 217.0] and at("NO") == [150.0, 217.0]
    local = replace(market(), assumptions={**market().assumptions, **with_local_costs(table, "FR")})
    text = as_text(decide(workload().model_copy(update={"electricity_area": "FR"}), load(1.0), local, draws=1))
    assert "is no quote of FR but a figure of EU" in " ".join(text.split())
