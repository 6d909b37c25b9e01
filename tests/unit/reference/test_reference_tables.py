"""Curated tables agree with themselves and with each other."""

from __future__ import annotations

import datetime as dt
import re
import warnings

import polars as pl
import pytest

from pipelines.platform.paths import PACKAGE_FOLDER
from pipelines.sources import genai_prices_tokens
from tests.support import tables
from tests.support.fetching import fetch_context

# Written down here anew and not read from the table: place in a display name, or country in a region's name.
COUNTRY_OF_PLACE = {
    "Cape Town": "ZA", "Hong Kong": "HK", "Taipei": "TW", "Tokyo": "JP", "Osaka": "JP", "Seoul": "KR", "Mumbai": "IN", "Hyderabad": "IN",
    "Singapore": "SG", "Sydney": "AU", "Jakarta": "ID", "Melbourne": "AU", "Malaysia": "MY", "New Zealand": "NZ", "Thailand": "TH",
    "Canada": "CA", "Frankfurt": "DE", "Zurich": "CH", "Stockholm": "SE", "Milan": "IT", "Spain": "ES", "Ireland": "IE", "London": "GB",
    "Paris": "FR", "Tel Aviv": "IL", "UAE": "AE", "Bahrain": "BH", "Mexico": "MX", "Sao Paulo": "BR", "US East": "US", "US West": "US",
    "China": "CN", "European Sovereign Cloud": "DE",
}  # fmt: skip
COUNTRY_IN_REGION = {
    "mexico": "MX", "brazil": "BR", "france": "FR", "germany": "DE", "japan": "JP", "korea": "KR", "canada": "CA", "australia": "AU",
    "switzerland": "CH", "norway": "NO", "sweden": "SE", "poland": "PL", "italy": "IT", "spain": "ES", "israel": "IL", "qatar": "QA",
    "uae": "AE", "southafrica": "ZA", "newzealand": "NZ", "austria": "AT", "belgium": "BE", "denmark": "DK", "chile": "CL",
    "indonesia": "ID", "malaysia": "MY", "usgov": "US", "uksouth": "GB", "ukwest": "GB", "eastus": "US", "westus": "US",
    "centralus": "US", "northeurope": "IE", "westeurope": "NL", "eastasia": "HK", "southeastasia": "SG", "india": "IN",
}  # fmt: skip


def curated(name: str) -> pl.DataFrame:
    return tables.curated(name).collect()


def test_display_names_agree_with_countries() -> None:
    named = curated("reference_region_country").filter(pl.col("display_name").is_not_null())
    assert named.height >= 37
    for display_name, country in named.select("display_name", "country").iter_rows():
        expected = {code for place, code in COUNTRY_OF_PLACE.items() if place in display_name}
        assert expected == {country}, display_name


def test_azure_region_names_agree_with_countries() -> None:
    azure = curated("reference_region_country").filter(pl.col("provider") == "azure")
    checked = 0
    for region, country in azure.select("region", "country").iter_rows():
        words = [word for word in COUNTRY_IN_REGION if word in region]
        # The longest word decides: southeastasia is not eastasia.
        assert [COUNTRY_IN_REGION[word] for word in sorted(words, key=len)[-1:]] in ([], [country]), region
        checked += bool(words)
    assert checked >= 60


@pytest.mark.parametrize(("region", "country"), [("mexicocentral", "MX"), ("brazilsoutheast", "BR")])
def test_two_regions_that_an_open_table_has_wrong(region: str, country: str) -> None:
    found = curated("reference_region_country").filter(provider="azure", region=region)
    assert found["country"].to_list() == [country]


@pytest.mark.parametrize("name", ["reference_instance_gpu", "reference_gpu_alias_rule"])
def test_every_device_named_is_known(name: str) -> None:
    unknown = curated(name).join(curated("reference_gpu"), on="gpu", how="anti")
    assert unknown.is_empty(), unknown["gpu"].to_list()


def test_a_slice_is_less_than_a_device() -> None:
    counts = curated("reference_instance_gpu").filter(pl.col("gpu_count").is_not_null())
    assert counts.filter(pl.col("gpu_count") <= 0).is_empty()
    slices = counts.filter(pl.col("provider") == "aws", pl.col("instance_type").str.contains(r"^gr?6f\."))
    assert slices.height >= 5 and slices.filter(pl.col("gpu_count") >= 1).is_empty()


def test_no_rule_needs_what_the_engine_lacks() -> None:
    rules = curated("reference_gpu_alias_rule")
    assert rules["rule_order"].to_list() == list(range(rules.height))
    written = pl.concat([rules["pattern"], rules["except_pattern"].drop_nulls()])
    assert not written.str.contains(r"\(\?[=!<]").any()


def test_a_fact_without_source_and_date_is_not_verified() -> None:
    facts = curated("reference_provider_fact")
    assert facts.filter(pl.col("is_verified") & (pl.col("source_url").is_null() | pl.col("source_on").is_null())).is_empty()
    # A decentralised network has no seat, and what nobody has looked up is not known: that stays unknown.
    assert facts.filter(pl.col("headquarters_country").is_null())["provider"].sort().to_list() == [
        "akash",
        "cerebrium",
        "lium",
        "novita",
        "openrelay",
        "quicksilverpro",
        "runware",
        "spheron",
    ]


def test_every_seller_of_the_archive_has_a_row_of_facts() -> None:
    sellers = {
        seller
        for name in ("archive/neocloud_and_eu_prices_2026.csv", "archive/market_readings_2026.csv", "archive/aggregator_readings_2026.csv")
        for seller in pl.read_csv(PACKAGE_FOLDER / name, infer_schema=False)["provider"]
    }
    assert sellers <= set(curated("reference_provider_fact")["provider"])


def test_curated_figures_that_expire_are_named_in_time() -> None:
    """Warns 90 days before the newest quote of a server, or electricity price, is too old; time alone fails nothing."""
    today = dt.date.today()
    quotes = curated("reference_server_quote").group_by("hardware").agg(pl.col("price_on").max()).iter_rows()
    areas = curated("reference_electricity_quote").drop_nulls("period_to_on").group_by("area").agg(pl.col("period_to_on").max()).iter_rows()
    dated = [*((name, day, 365) for name, day in quotes), *((name, day, 270) for name, day in areas)]
    assert dated
    for name, day, limit in sorted(dated):
        left = (day + dt.timedelta(days=limit) - today).days
        if left <= 90:
            warnings.warn(f"{name}: the newest curated figure is of {day}, {max(left, 0)} days are left of its {limit}", stacklevel=1)


@pytest.mark.parametrize("name", ["reference_hardware_reading", "reference_assumption_reading"])
def test_readings_name_their_page(name: str) -> None:
    readings = curated(name)
    assert readings["source_url"].str.contains("^https?://").all()
    assert readings["reading_number"].to_list() == list(range(1, readings.height + 1))


# What an offer's name has more than its model and that names no other: its maker, how it was tuned to answer, the precision, the month or
# the version of its weights.
_SAME_MODEL = re.compile(r"^(?:meta[.-]|mistral\.)|(?:-chat|-instruct(?:-turbo)?)?(?:-2506)?(?:-v0[.:][13](?::[0-9])?)?(?:-fp8|-hf)?$")
# Listed without a word and not sold any more, or by nobody that could be found: the seller's own pages and lists of its models lack them.
_NOT_SOLD = {
    ("mistral", "mixtral-8x22b-instruct"),
    ("mistral", "mixtral-8x7b"),
    ("mistral", "mistral-7b"),
    ("novita", "mistralai/mistral-7b-instruct"),
    ("openrouter", "llama-3.1-405b"),
    ("openrouter", "llama-3.1-405b-instruct"),
    ("openrouter", "meta-llama/llama-2-70b-chat"),
    ("openrouter", "meta-llama/llama-3.1-405b"),
    ("openrouter", "meta-llama/llama-3.1-405b-instruct"),
    ("openrouter", "mistral-7b-instruct"),
    ("openrouter", "mistral-7b-instruct-v0.1"),
    ("openrouter", "mistralai/mistral-7b-instruct"),
    ("openrouter", "mistralai/mistral-7b-instruct-v0.1"),
    ("openrouter", "mistralai/mixtral-8x7b-instruct"),
    ("openrouter", "mixtral-8x7b-instruct"),
    ("ovhcloud", "Mixtral-8x7B-Instruct-v0.1"),
    ("together", "meta-llama/Llama-2-70b-chat-hf"),
    ("together", "meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo"),
    ("together", "mistralai/Mistral-7B-Instruct-v0.1"),
    ("together", "mistralai/Mistral-7B-v0.1"),
    ("together", "mistralai/Mixtral-8x22B-Instruct-v0.1"),
    ("together", "mistralai/Mixtral-8x7B-Instruct-v0.1"),
    ("together", "mistralai/Mixtral-8x7B-v0.1"),
}


def test_no_seller_by_the_token_of_a_model_in_the_table_is_passed_over() -> None:
    models = {model.lower(): model for model in curated("reference_model")["model"]}
    [payload] = genai_prices_tokens.fetch(fetch_context("", []))
    offered = genai_prices_tokens.parse(payload.content).filter(~pl.col("is_deprecated")).select("provider", "model_as_named").unique()
    named = {
        (provider, name): models[plain]
        for provider, name in offered.iter_rows()
        # What a maker is listed with from a hub's list is the hub's price.
        if provider != "openai" and (plain := _SAME_MODEL.sub("", name.rpartition("/")[2].lower())) in models
    }
    known = {
        (provider, name): model
        for provider, name, model in curated("reference_token_model").select("provider", "model_as_named", "model").iter_rows()
    }
    assert named.keys() >= _NOT_SOLD and known.keys().isdisjoint(_NOT_SOLD)
    passed_over = {offer: model for offer, model in named.items() if offer not in _NOT_SOLD and known.get(offer) != model}
    assert len(named) > 90 and passed_over == {}
