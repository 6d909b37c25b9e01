"""A set of other people's readings: each keeps its page and its moment, and none speaks before its seller."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import polars as pl
import pytest

from pipelines.prices.market import third_party_series
from pipelines.sources import gpu_rental_prices
from pipelines.sources.lib.errors import SourceError
from tests.support.fetching import fetch_context
from tests.support.loopback import loopback
from tests.support.paths import FIXTURES
from tests.support.tables import AT, with_lineage

ANSWER = json.loads((FIXTURES / "gpu_rental_prices" / "answer.json").read_bytes())


def observed(offers: list[dict[str, Any]] | None = None) -> pl.DataFrame:
    document = ANSWER if offers is None else {"date": "2026-11-20", "offers": offers}
    raw = gpu_rental_prices.parse(json.dumps(document).encode())
    return gpu_rental_prices.normalise(with_lineage(raw).lazy()).collect()


def offer(**stated: Any) -> dict[str, Any]:
    return ANSWER["offers"][0] | stated


def test_a_reading_is_of_its_own_moment_and_page() -> None:
    found = observed().filter(provider="modal").row(0, named=True)
    assert found["first_seen_at"] == found["last_confirmed_at"] == dt.datetime(2026, 11, 19, 6, 31, 24, 810000)
    assert found["source_url"] == "https://modal.example/pricing"
    assert found["source_detail"] == "GPU rental price data by gpurentalprices.com, CC BY 4.0; read 2026-11-19"
    assert found["known_from"] > found["first_seen_at"]


def test_prices_are_per_gpu_of_machines_that_nobody_describes() -> None:
    found = observed()
    assert set(found.get_column("price_unit")) == {"gpu_hour"}
    assert found.get_column("gpu_count_stated").null_count() == found.height


def test_words_of_the_set_are_ours() -> None:
    found = {
        (row["provider"], row["purchase_option_as_named"]): row
        for row in observed().iter_rows(named=True)
        if row["provider"] != "impossiblecloud"
    }
    assert [found["runpod", kind]["trust_tier"] for kind in ("secure", "community")] == ["secure", "community"]
    assert found["coreweave", "spot"]["purchase_option"] == "spot" and found["coreweave", "spot"]["sku"] == "b200 180 GB from 8 GPUs"
    assert found["fireworks", "serverless"]["purchase_option"] == "serverless"
    assert "lium" not in observed().get_column("provider")


def test_a_term_that_is_said_is_a_commitment_and_another_is_reserved() -> None:
    found = observed().filter(provider="impossiblecloud")
    columns = ["purchase_option", "commitment_months", "stock", "region", "country_stated"]
    assert found.select(columns).rows() == [
        ("commitment", 12, "on_request", "EU", None),
        ("reserved", None, "available", "US", "US"),
    ]
    assert found.get_column("source_detail").str.ends_with(", the least of several").all()


@pytest.mark.parametrize(("months", "option"), [(6, "commitment"), ("36", "commitment"), ("36-60", "reserved"), (None, "reserved")])
def test_a_term_in_whole_months(months: object, option: str) -> None:
    [found] = observed([offer(kind="reserved", commitment={"type": "term", "months": months})]).get_column("purchase_option")
    assert found == option


def test_an_unknown_word_stays_for_the_rules() -> None:
    [row] = observed([offer(kind="auction", availability="maybe")]).iter_rows(named=True)
    assert (row["purchase_option"], row["stock"]) == ("auction", "maybe")


def test_what_lacks_its_moment_is_a_row_for_the_rules() -> None:
    raw = gpu_rental_prices.parse(json.dumps({"offers": [offer(), offer(gpu="h200", fetched_at="yesterday")]}).encode())
    assert raw.get_column("read_at").null_count() == 1 and raw.height == 2


def test_a_seller_speaks_before_the_set() -> None:
    stated = [("both", "nebius"), ("both", "gpu_rental_prices"), ("second-hand", "us_ai_infra"), ("second-hand", "gpu_rental_prices")]
    history = pl.DataFrame(stated, schema=["series_id", "source"], orient="row").lazy()
    assert third_party_series(history).collect().rows() == [("second-hand",)]


def fetched(date: object) -> list[str]:
    problems: list[str] = []
    with loopback({gpu_rental_prices._PATH: [json.dumps(ANSWER | {"date": date}).encode()]}) as server:
        assert len(list(gpu_rental_prices.fetch(fetch_context(server.url, problems)))) == 1
    return problems


def test_an_old_set_is_said() -> None:
    today = AT.date()
    assert fetched(str(today - dt.timedelta(days=3))) == []
    old = today - dt.timedelta(days=4)
    assert fetched(str(old)) == [f"daily readings: the newest set is of {old}, 4 days old"]
    with pytest.raises(SourceError, match="date is 'soon', expected a day"):
        fetched("soon")
