"""Small marts: what stands behind a day's hardware price, electricity in two currencies, and when an API price holds."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.catalogue.models import models

AS_OF = dt.date(2026, 6, 30)


def frame(table: str, *rows: dict[str, Any], **defaults: Any) -> pl.LazyFrame:
    """Rows of a table; what is not given is empty."""
    schema = catalogue().tables[table].polars_schema()
    given = [{**dict.fromkeys(schema), **defaults, **row} for row in rows]
    return pl.LazyFrame(given, schema=schema, strict=False)


def model(name: str, **inputs: Any) -> pl.DataFrame:
    function = models()[name].function
    assert function is not None
    built = catalogue().tables[name].conform(function(**inputs)).collect()
    assert isinstance(built, pl.DataFrame)
    return built


def quotes(*base_usd: int, **facts: Any) -> pl.LazyFrame:
    rows = [
        {"quote_number": i, "low_usd": Decimal(usd - 1), "base_usd": Decimal(usd), "high_usd": Decimal(usd + 1)}
        for i, usd in enumerate(base_usd)
    ]
    defaults = {
        "source": "a_source",
        "hardware": "8x-h100-sxm-80",
        "hardware_kind": "server",
        "gpu": "h100-sxm-80",
        "gpu_count": 8.0,
        "price_on": dt.date(2026, 1, 15),
        "is_band_assumed": False,
        "is_estimated": False,
        "confidence": "high",
        "known_from": dt.datetime(2026, 1, 15),
        "source_detail": "a list",
        "licence": "x",
        "snapshot_sha256": "0" * 64,
    }
    return frame("hardware_quote", *rows, **(defaults | facts))


@pytest.mark.parametrize(
    ("base_usd", "expected"), [((100,), (99, 100, 101)), ((100, 300), (99, 100, 301)), ((300, 100, 200), (99, 200, 301))]
)
def test_a_day_has_the_lower_middle_of_its_quotes(base_usd: tuple[int, ...], expected: tuple[int, int, int]) -> None:
    found = model("hardware_price", hardware_quote=quotes(*base_usd))
    assert found.select("low_usd", "base_usd", "high_usd", "quote_count").rows() == [(*expected, len(base_usd))]


@pytest.mark.parametrize("facts", [{"confidence": "low"}, {"hardware": None}])
def test_doubtful_quotes_make_no_price(facts: dict[str, Any]) -> None:
    assert model("hardware_price", hardware_quote=quotes(100, **facts)).is_empty()


def test_an_estimate_among_the_quotes_marks_the_price() -> None:
    mixed = pl.concat([quotes(100), quotes(200, is_estimated=True, source="another")])
    assert model("hardware_price", hardware_quote=mixed)["is_estimated"].to_list() == [True]


def test_a_card_a_board_and_a_server_are_not_mixed_up() -> None:
    kinds = pl.concat([quotes(100), quotes(900, hardware_kind="baseboard", source="another")])
    assert model("hardware_price", hardware_quote=kinds).select("hardware_kind", "base_usd").rows() == [
        ("baseboard", 900.0),
        ("server", 100.0),
    ]


RATES = frame(
    "fx_rate",
    {"on_date": dt.date(2025, 12, 31), "units_per_eur": 1.25},
    {"on_date": dt.date(2026, 6, 29), "units_per_eur": 1.5},
    currency="USD",
)


POWER = {"area": "FR", "consumer_class": "industrial", "native_per_kwh": "0.1", "currency": "EUR", "source_detail": "x", "licence": "x"}


def electricity(**facts: Any) -> pl.DataFrame:
    return electricity_table(frame("reference_electricity_quote", POWER | facts)).select("usd_per_kwh", "eur_per_kwh", "fx_on_date")


def electricity_table(ships: pl.LazyFrame, *fetched: dict[str, Any]) -> pl.DataFrame:
    schema = catalogue().feed_schema("electricity")
    known = [{**dict.fromkeys(schema), **POWER, "source": "an office", "known_from": dt.datetime(2026, 5, 1), **row} for row in fetched]
    read = pl.LazyFrame(known, schema=schema)
    return model("electricity_price", reference_electricity_quote=ships, all_electricity=read, fx_rate=RATES, as_of=AS_OF)


def test_what_ships_and_what_is_fetched_stand_side_by_side() -> None:
    half = {"period_from_on": dt.date(2026, 1, 1), "period_to_on": dt.date(2026, 6, 30)}
    later = {"known_from": dt.datetime(2026, 7, 1), "native_per_kwh": "0.3"}
    found = electricity_table(frame("reference_electricity_quote", POWER), half, half | later)
    assert sorted(found.select("source", "native_per_kwh").rows()) == [("an office", 0.1), ("reference_electricity_quote", 0.1)]


def test_electricity_is_converted_at_the_last_rate_of_its_period() -> None:
    year = {"period_from_on": dt.date(2025, 1, 1), "period_to_on": dt.date(2025, 12, 31)}
    assert electricity(**year).rows() == [(pytest.approx(0.125), 0.1, dt.date(2025, 12, 31))]
    assert electricity(**year, currency="USD").rows() == [(0.1, pytest.approx(0.08), dt.date(2025, 12, 31))]
    assert electricity().rows() == [(pytest.approx(0.15), 0.1, dt.date(2026, 6, 29))]


def test_electricity_in_a_currency_without_a_rate_is_unknown_not_zero() -> None:
    assert electricity(currency="CHF").select("usd_per_kwh", "eur_per_kwh").rows() == [(None, None)]


def test_electricity_in_any_currency_with_a_rate_is_converted_at_it() -> None:
    rates = ({"on_date": dt.date(2026, 6, 29), "units_per_eur": units, "currency": c} for c, units in (("GBP", 0.8), ("USD", 1.5)))
    found = model(
        "electricity_price",
        reference_electricity_quote=frame("reference_electricity_quote", POWER | {"currency": "GBP", "native_per_kwh": "0.2"}),
        all_electricity=pl.LazyFrame([], schema=catalogue().feed_schema("electricity")),
        fx_rate=frame("fx_rate", *rates),
        as_of=AS_OF,
    )
    assert found.select("usd_per_kwh", "eur_per_kwh").rows() == [(pytest.approx(0.375), pytest.approx(0.25))]


def test_electricity_of_a_later_period_is_not_here_yet() -> None:
    assert electricity(period_from_on=dt.date(2026, 7, 1), period_to_on=dt.date(2026, 12, 31)).is_empty()


TOKEN = {
    "source": "s",
    "provider": "a seller",
    "model_as_named": "llama",
    "usd_per_million_input_tokens": "0.1",
    "usd_per_million_output_tokens": "0.4",
    "has_tiers": False,
    "is_deprecated": False,
    "known_from": dt.datetime(2026, 1, 1),
    "last_confirmed_at": dt.datetime(2026, 6, 1),
    "staleness_limit_days": 30,
    "source_detail": "x",
    "licence": "x",
    "snapshot_sha256": "0" * 64,
}


def token_observations(*rows: dict[str, Any]) -> pl.DataFrame:
    feed = catalogue().feed_schema("token_price")
    given = [
        {**dict.fromkeys(feed), **TOKEN, "semantics": "change", "precedence": 1, "entry_number": i, **row} for i, row in enumerate(rows)
    ]
    names = pl.LazyFrame(
        {
            "provider": ["a seller", "a quitter"],
            "model_as_named": ["llama"] * 2,
            "model": ["Llama-3.1-70B"] * 2,
            "ended_on": [None, dt.date(2026, 5, 1)],
        },
        schema={"provider": pl.String, "model_as_named": pl.String, "model": pl.String, "ended_on": pl.Date},
    )
    rates = pl.LazyFrame(
        {
            "currency": ["USD", "EUR", "EUR", "EUR"],
            "on_date": [dt.date(2026, 1, 1)] * 2 + [dt.date(2026, 3, 2), dt.date(2026, 5, 4)],
            "usd_per_unit": [1.0, 1.2, 1.1, 1.0],
        },
    ).with_columns(pl.col("usd_per_unit").cast(pl.Decimal(18, 8)))
    return model(
        "token_price_observation",
        all_token_price=pl.LazyFrame(given, schema=feed, strict=False),
        reference_token_model=names,
        currency_rate=rates,
        as_of=AS_OF,
    )


def test_the_next_start_ends_an_api_price() -> None:
    found = token_observations({}, {"starts_on": dt.date(2026, 3, 1), "usd_per_million_output_tokens": "0.3"}).sort("valid_from_on")
    assert found.select("valid_from_on", "valid_to_on", "usd_per_million_output_tokens").rows() == [
        (None, dt.date(2026, 3, 1), Decimal("0.4")),
        (dt.date(2026, 3, 1), None, Decimal("0.3")),
    ]


def test_a_price_in_euros_is_dollars_at_the_rate_of_its_day() -> None:
    euro = {"currency": "EUR", "usd_per_million_output_tokens": None, "native_per_million_output_tokens": "0.9"}
    assert token_observations(euro)["usd_per_million_output_tokens"].to_list() == [Decimal("1.08")]
    # Each later rate makes another price in dollars, up to the last day on which it was confirmed.
    held = {**euro, "starts_on": dt.date(2026, 1, 1), "last_confirmed_at": dt.datetime(2026, 5, 1)}
    assert token_observations(held).sort("valid_from_on").select(
        "valid_from_on", "valid_to_on", "usd_per_million_output_tokens"
    ).rows() == [
        (dt.date(2026, 1, 1), dt.date(2026, 3, 2), Decimal("1.08")),
        (dt.date(2026, 3, 2), None, Decimal("0.99")),
    ]
    assert token_observations({**euro, "currency": "CHF"})["usd_per_million_output_tokens"].to_list() == [None]


def test_where_a_better_source_speaks_the_other_ends() -> None:
    second_hand = [{"precedence": 9}, {"precedence": 9, "starts_on": dt.date(2026, 4, 1)}]
    own = {"source": "own", "precedence": 1, "starts_on": dt.date(2026, 3, 1), "known_from": dt.datetime(2026, 3, 1)}
    found = token_observations(*second_hand, own).sort("source")
    assert found.select("source", "valid_from_on", "valid_to_on").rows() == [
        ("own", dt.date(2026, 3, 1), None),
        ("s", None, dt.date(2026, 3, 1)),
    ]


@pytest.mark.parametrize("remark", ["No longer listed in the catalogue", "listed as (Shut down)", "X stopped publishing rates"])
def test_a_remark_that_the_offer_has_ended_is_read(remark: str) -> None:
    assert token_observations({"price_remark": remark})["is_deprecated"].to_list() == [True]
    assert token_observations({"price_remark": "batch at half the price"})["is_deprecated"].to_list() == [False]


def test_a_price_of_zero_is_unknown() -> None:
    found = token_observations({"usd_per_million_input_tokens": "0"})
    assert found.select("usd_per_million_input_tokens", "usd_per_million_output_tokens").rows() == [(None, Decimal("0.4"))]
    assert token_observations({"usd_per_million_input_tokens": "0", "usd_per_million_output_tokens": "0"}).is_empty()


def test_a_price_known_later_is_not_here_yet() -> None:
    assert token_observations({"known_from": dt.datetime(2026, 7, 1)}).is_empty()


def test_an_api_price_is_compared_with_the_other_sellers_from_three_on() -> None:
    usual = [{"usd_per_million_output_tokens": "0.4"}, {"usd_per_million_output_tokens": "0.5"}, {"usd_per_million_output_tokens": "400"}]
    sellers = [row | {"source": f"s{i}"} for i, row in enumerate(usual)]
    assert token_observations(*sellers).sort("source")["price_to_sellers_ratio"].to_list() == [0.8, 1.0, 800.0]
    assert token_observations(*sellers[:2])["price_to_sellers_ratio"].to_list() == [None, None]


def test_the_input_price_is_compared_too_and_a_hub_is_no_further_seller() -> None:
    sellers = [{"source": f"s{i}", "usd_per_million_input_tokens": usd} for i, usd in enumerate(("0.1", "0.2", "0.001"))]
    assert token_observations(*sellers).sort("source")["input_price_to_sellers_ratio"].to_list() == [1.0, 2.0, 0.01]


def test_a_price_that_its_source_takes_back_counts_for_no_model() -> None:
    remark = "Imported from OpenRouter pricing; verify against OpenAI pricing"
    found = token_observations({"price_remark": remark}, {"source": "s2", "price_remark": "Rates from our page"}).sort("source")
    assert found["model"].to_list() == [None, "Llama-3.1-70B"]
    assert found["no_model_reason"].to_list() == ["the source says that the price was taken over from another seller's list", None]
    assert found["price_remark"].to_list()[0] == remark


def test_a_price_ends_with_the_offer() -> None:
    assert token_observations({"provider": "a quitter"})["valid_to_on"].to_list() == [dt.date(2026, 5, 1)]


def test_token_price_is_the_observation_in_doubles() -> None:
    observed = token_observations({})
    found = model("token_price", token_price_observation=observed.lazy())
    assert found.select("model", "usd_per_million_output_tokens", "source").rows() == [("Llama-3.1-70B", 0.4, "s")]
