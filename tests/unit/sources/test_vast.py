"""Vast.ai's offers: what is asked, and of how many offers its figures are."""

from __future__ import annotations

import json
from collections.abc import Iterable

import polars as pl

from pipelines.sources import vast
from tests.support.fetching import fetch_context
from tests.support.loopback import loopback


def page(numbers: Iterable[int]) -> bytes:
    def offer(number: int) -> dict[str, object]:
        price = {"dph_base": float(number), "dph_total": number + 0.1}
        return {"id": number, "machine_id": number, "gpu_name": "L4", "num_gpus": 1, "gpu_ram": 24576, "geolocation": ", US", **price}

    return json.dumps({"offers": [offer(number) for number in numbers]}).encode()


def medians(*pages: bytes) -> list[tuple[str, str, str]]:
    content = json.dumps({"pages": [json.loads(p) for p in pages]}).encode()
    found = vast.parse(content).filter(pl.col("sku").str.ends_with("median"))
    return found.select("native_amount", "purchase_option_as_named", "country_stated").rows()


def test_a_page_that_is_not_full_is_all() -> None:
    assert medians(page(range(1, 4))) == [("2.00000000", "on-demand, median of 3 machines in all", "US")]


def test_a_full_page_is_of_the_cheapest_unless_the_dearest_meet_it() -> None:
    cheapest = page(range(1, 51))
    assert medians(cheapest, page(range(149, 99, -1))) == [
        ("25.50000000", "on-demand, median of 50 machines of the cheapest 50 offers", "US")
    ]
    # 70 offers: both pages hold the middle, and the median is that of all.
    assert medians(cheapest, page(range(70, 20, -1))) == [("35.50000000", "on-demand, median of 70 machines in all", "US")]


def test_hosts_of_every_kind_are_asked_for_and_the_dearest_after_a_full_page() -> None:
    first, rest = page(range(1, 51)), page(range(60, 10, -1))
    few = page(range(1, 3))
    answers = [first, rest, *[few] * (len(vast._DEVICES) - 1)]
    with loopback({"/api/v0/bundles/": answers}) as server:
        payloads = list(vast.fetch(fetch_context(server.url)))
        bodies = [json.loads(body) for body in server.bodies]
    assert [p.name for p in payloads] == list(vast._DEVICES) and len(bodies) == len(vast._DEVICES) + 1
    assert [body["order"] for body in bodies[:3]] == [[["dph_total", "asc"]], [["dph_total", "desc"]], [["dph_total", "asc"]]]
    # The filter on verified hosts drops the cheapest; more than 64 offers are never given, so a full page is noticed at 50.
    assert all("verified" not in body and body["limit"] == 50 for body in bodies)
    assert vast.SOURCE.pause_seconds == 0.75
