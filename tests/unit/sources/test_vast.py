"""Vast.ai's offers: what is asked, and of how many offers its figures are."""

from __future__ import annotations

import json
from collections.abc import Iterable

import polars as pl
import pytest

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


def amounts(*prices: float, numbers: Iterable[int] = range(1, 100)) -> dict[str, float]:
    """What is stated of one group of machines at these prices, numbered in their order."""
    offer = {"gpu_name": "L4", "num_gpus": 1, "gpu_ram": 24576, "geolocation": ", US"}
    offers = [offer | {"id": n, "machine_id": n, "dph_base": price} for n, price in zip(numbers, prices, strict=False)]
    found = vast.parse(json.dumps({"offers": offers}).encode()).select(pl.col("sku").str.replace("1x L4, ", ""), "native_amount")
    return {name: float(amount) for name, amount in found.rows()}


@pytest.mark.parametrize("placeholder", [0.001, 0.05, 2.6, 9999.0])
def test_of_two_machines_far_apart_both_stand_by_themselves_in_any_order(placeholder: float) -> None:
    assert amounts(0.5, placeholder) == {"machine 1": 0.5, "machine 2": placeholder}
    assert amounts(placeholder, 0.5, numbers=(2, 1)) == {"machine 1": 0.5, "machine 2": placeholder}


@pytest.mark.parametrize(
    ("prices", "stated"),
    [
        ((0.5, 0.7), {"lower quartile": 0.55, "median": 0.6}),
        ((0.01, 0.5, 0.7), {"lower quartile": 0.55, "median": 0.6, "machine 1": 0.01}),
        ((0.5, 0.7, 9999.0), {"lower quartile": 0.55, "median": 0.6, "machine 3": 9999.0}),
        ((0.01, 0.5, 0.6, 0.7), {"lower quartile": 0.55, "median": 0.6, "machine 1": 0.01}),
        ((0.01, 0.02, 0.5, 0.6), {"machine 1": 0.01, "machine 2": 0.02, "machine 3": 0.5, "machine 4": 0.6}),
        # Many say by themselves where their middle is.
        ((0.01, 0.5, 0.6, 0.7, 0.8), {"lower quartile": 0.5, "median": 0.6}),
        ((0.01, 0.02, 0.5, 0.6, 0.7, 0.8), {"lower quartile": 0.5, "median": 0.55}),
        ((0.5, 0.6, 0.7, 0.8, 9999.0, 9999.0, 9999.0), {"lower quartile": 0.65, "median": 0.8}),
        ((0.01, 0.5, 9999.0), {"lower quartile": 0.5, "median": 0.5, "machine 1": 0.01, "machine 3": 9999.0}),
    ],
)
def test_a_placeholder_bends_no_figure_of_its_group(prices: tuple[float, ...], stated: dict[str, float]) -> None:
    assert amounts(*prices) == stated


def test_what_stands_by_itself_says_why() -> None:
    answer = json.loads(page((1, 6)))
    why = "on-demand, by itself: more than 5 times apart from the middle of 2 machines in all"
    assert vast.parse(json.dumps(answer).encode())["purchase_option_as_named"].to_list() == [why, why]
