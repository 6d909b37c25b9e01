"""Readings of token prices: one price from the day on which it was first seen, whatever was read in between."""

from __future__ import annotations

import datetime as dt
import json

import polars as pl

from pipelines.catalogue.contracts import catalogue
from pipelines.sources import deepinfra, litellm, openrouter, scaleway_catalog, scaleway_tokens
from pipelines.sources.lib.token_offers import is_open_weight, per_million, token_offers, until
from tests.support.paths import FIXTURES
from tests.support.tables import with_lineage


def day(number: int, *amounts: tuple[str, str]) -> pl.LazyFrame:
    rows = [{"model_as_named": name, "output": amount} for name, amount in amounts]
    return with_lineage(token_offers(rows, provider="a", currency="USD"), dt.datetime(2026, 11, number, 6))


def test_equal_readings_are_one_price_and_a_change_starts_another() -> None:
    raw = pl.concat([day(1, ("m", "0.4"), ("n", "1")), day(2, ("m", "0.4")), day(3, ("m", "0.3")), day(4, ("m", "0.4"))])
    fed = openrouter.normalise(raw)
    catalogue().feeds["token_price"].conform(fed)
    found = fed.filter(pl.col("model_as_named") == "m").sort("entry_number")
    assert found.select("starts_on", pl.col("last_confirmed_at").dt.day(), "usd_per_million_output_tokens").collect().rows() == [
        (dt.date(2026, 11, 1), 2, "0.4"),
        (dt.date(2026, 11, 3), 3, "0.3"),
        (dt.date(2026, 11, 4), 4, "0.4"),
    ]


def ends(*lists: tuple[int, str]) -> list[tuple[str, int, bool]]:
    """Days on which prices begin, of lists of models (a letter each) by day, and whether they are deprecated then."""
    fed = openrouter.normalise(pl.concat([day(number, *((name, "1") for name in names)) for number, names in lists])).collect()
    catalogue().feeds["token_price"].conform(fed.lazy())
    found = fed.select("model_as_named", pl.col("starts_on").dt.day().cast(pl.Int64), "is_deprecated")
    return [(name, start, gone) for name, start, gone in found.sort("model_as_named", "starts_on").rows() if name in "mn"]


def test_what_the_next_list_lacks_is_sold_no_more_until_it_is_listed_again() -> None:
    others = "abcdefgh"
    assert ends((1, "mn" + others), (2, "n" + others), (4, "n" + others), (5, "mn" + others)) == [
        ("m", 1, False),
        ("m", 2, True),
        ("m", 5, False),
        ("n", 1, False),
    ]
    assert ends((1, "m" + others), (9, others)) == [("m", 1, False), ("m", 9, True)]


def test_a_list_that_lost_a_part_ends_nothing() -> None:
    others = "abcdefgh"
    assert ends((1, "mn" + others), (2, "abcd")) == [("m", 1, False), ("n", 1, False)]
    # The whole list after it says what is gone.
    assert ends((1, "mn" + others), (2, "abcd"), (3, "m" + others)) == [("m", 1, False), ("n", 1, False), ("n", 3, True)]


def test_pages_of_one_answer_are_one_list() -> None:
    pages = [day(1, ("m", "1")), day(1, ("n", "1")).with_columns(fetched_at=dt.datetime(2026, 11, 1, 6, 1))]
    assert openrouter.normalise(pl.concat(pages)).select("is_deprecated").collect().to_series().to_list() == [False, False]


def priced(module: object, name: str) -> dict[str, tuple[str | None, str | None]]:
    frame = module.parse((FIXTURES / name / "answer.json").read_bytes())  # type: ignore[attr-defined]
    amounts = ("native_per_million_input_tokens", "native_per_million_output_tokens")
    return {row[0]: (row[1], row[2]) for row in frame.select("model_as_named", *amounts).rows()}


def test_units_of_each_service() -> None:
    # Dollars per token; free and routed ways are no price of the model.
    assert priced(openrouter, "openrouter") == {
        "deepseek/deepseek-chat-v3.1": ("0.3", "0.9"),
        "meta-llama/llama-3.3-70b-instruct": ("0.15", "0.4"),
    }
    # Cents per token.
    assert priced(deepinfra, "deepinfra")["meta-llama/Llama-3.3-70B-Instruct"] == ("0.23", "0.4")
    # Dollars per token, without what is free or unknown, and without sellers who ask for euros.
    assert priced(litellm, "litellm") == {"deepseek-ai/DeepSeek-V3.1": ("0.5", "1.6"), "llama-3.3-70b-versatile": ("0.55", "0.75")}
    # Billionths of a euro for a million tokens, or for one.
    assert priced(scaleway_tokens, "scaleway_tokens") == {"llama-3.3-70b-instruct": ("0.85", "0.87"), "gpt-oss-120b": ("0.14", "0.55")}


def test_entries_that_contradict_each_other_are_decided_by_no_order() -> None:
    def entry(amount: str) -> dict[str, object]:
        return {"litellm_provider": "together_ai", "mode": "chat", "input_cost_per_token": amount, "output_cost_per_token": "2e-6"}

    names = ("together_ai/deepseek-v3", "deepseek-v3")
    for amounts, count in ((("1e-6", "3e-6"), 2), (("3e-6", "1e-6"), 2), (("1e-6", "1e-6"), 1)):
        found = litellm.parse(json.dumps({name: entry(amount) for name, amount in zip(names, amounts, strict=True)}).encode())
        assert found.height == count and set(found["model_as_named"]) == {"deepseek-v3"}
    products = json.loads((FIXTURES / "scaleway_tokens" / "answer.json").read_bytes())["products"]
    other = json.loads(json.dumps(products[0]))
    other["price"]["retail_price"]["units"] = 7
    found = scaleway_tokens.parse(json.dumps({"products": [*products, other]}).encode())
    assert found.filter(pl.col("model_as_named") == products[0]["product"]).height == 2


def test_a_product_that_is_withdrawn_has_no_price() -> None:
    products = json.loads((FIXTURES / "scaleway_tokens" / "answer.json").read_bytes())["products"]
    withdrawn = [product | {"status": "end_of_life"} for product in products if product["product"] == products[0]["product"]]
    others = [product for product in products if product["product"] != products[0]["product"]]
    assert products[0]["product"] not in set(scaleway_tokens.parse(json.dumps({"products": others + withdrawn}).encode())["model_as_named"])
    machines = json.loads((FIXTURES / "scaleway_catalog" / "answer.json").read_bytes())["products"]
    machines[0]["status"] = "end_of_sale"
    assert scaleway_catalog.parse(json.dumps({"products": machines}).encode()).height == 1


def test_an_offer_is_deprecated_from_the_day_on_which_it_ends() -> None:
    assert until("2026-11-02") == until("2026-11-02T00:00:00Z") == until(1793577600) == "until 2026-11-02"
    assert until(None) is until("") is until(True) is until(False) is None
    assert [until(odd) for odd in ("soon", "2026-13-01", 0)] == ["until 'soon'", "until '2026-13-01'", "until '0'"]
    rows = [{"model_as_named": "m", "output": "1", "price_remark": "until 2026-11-02"}]
    read = [with_lineage(token_offers(rows, provider="a", currency="USD"), dt.datetime(2026, 11, day, 6)) for day in (2, 3)]
    found = openrouter.normalise(pl.concat(read)).sort("entry_number").collect()
    assert found["is_deprecated"].to_list() == [False, True]


def test_amounts_and_names() -> None:
    assert per_million("-1") is None and per_million("dear") is None and per_million("0.0000001") == "0.1"
    assert is_open_weight("openai/gpt-oss-20b") and not is_open_weight("openai/gpt-5") and not is_open_weight(None)
