"""What an answer says of itself: which inputs were moved, what to find out first, like with like, and who was not compared."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from pipelines.decision import as_dict, as_text, decide
from pipelines.decision.lookups import hint
from pipelines.decision.market import ApiOffer, Drift, Measurement
from pipelines.decision.scenario import aged
from pipelines.decision.workload import Resilience, Tokens
from tests.unit.decision.test_plan import CAPACITY, DAY, RATE, assumption, band, load, market, offer, workload
from tests.unit.decision.test_whole_machines import full_market

MOVING = Drift(-0.3, 0.4, 50, is_assumed=False, source="the history")
FIXED = Drift(0.0, 0.0, 50, is_assumed=False, source="the history")
SELLER = ApiOffer("seller", "m", 1.0, 2.0, DAY, 0, "a page", band_share=(0.8, 1.3))


def flat(text: str) -> str:
    return " ".join(text.split())


def test_every_input_that_an_answer_rests_on_is_moved() -> None:
    drift = dict.fromkeys(("on_demand", "spot", "tokens", "commitment"), MOVING)
    plain = replace(full_market(api_offers=[SELLER], drift=drift), offers=[offer("on_demand", 2.0, usd_per_gpu_hour=band(2.0, 0.2))])
    banded = {key: replace(a, band=band(a.band["base"], 0.2)) for key, a in plain.assumptions.items()}
    packing = {("whole_machine_packing_share", None): assumption("whole_machine_packing_share", 0.8, 0.1)}
    asked = workload().model_copy(update={"resilience": Resilience(spare_servers=1)})
    found = decide(asked, load(0.4, 1.0), replace(plain, assumptions=banded | packing), draws=20)
    moved = {swing.name for swing in found.robustness.tested}
    assert moved >= {
        "load", "throughput", "rented_price", "rent_path", "token_price", "token_price_path", "server_price", "server_power",
        "spare_servers", "residual_decline_per_year", "whole_machine_packing_share", "staff_fte_per_node", "discount_rate", "pue",
    }  # fmt: skip


def test_a_toss_up_names_what_to_find_out_first() -> None:
    found = decide(workload(), load(1.0), full_market(), draws=100)
    assert found.robustness.verdict.word == "toss-up" and found.robustness.verdict.find_out_first
    assert "Find out first: " in flat(as_text(found))
    sure = decide(workload(), load(1.0), market(offers=[offer("on_demand", 20.0)]), draws=100)
    assert sure.robustness.verdict.word == "clear" and "Find out first" not in as_text(sure)


@pytest.mark.parametrize("kind", ["window", "last_known"])
def test_a_band_grows_as_knowledge_shrinks(kind: str) -> None:
    widths = [aged(2.0, MOVING, days) for days in (0, 30, 90, 310)]
    assert widths[0] == {"low": 2.0, "base": 2.0, "high": 2.0}
    assert all(young["low"] > old["low"] and young["high"] < old["high"] for young, old in pairwise(widths))
    dearest = [
        offer("on_demand", 2.0, usd_per_gpu_hour=band, age_days=days, price_basis=kind)
        for band, days in zip(widths, (0, 30, 90, 310), strict=True)
    ]
    costs = [decide(workload(), load(0.1), market(servers=[], offers=[one]), draws=1).options[0].cost_usd[5] for one in dearest]
    assert all(cost is not None for cost in costs)
    spread = [cost["high"] - cost["low"] for cost in costs if cost]
    assert spread == sorted(spread) and spread[-1] > spread[0]


def test_the_path_of_rents_is_a_range_over_the_years_that_a_term_keeps_away() -> None:
    def width(option: str, months: int | None, horizon: int = 3) -> float:
        rented = offer(option, 2.0, commitment_months=months)
        given = market(servers=[], offers=[rented], drift={option: MOVING})
        cost = decide(workload(horizon_years=horizon), load(0.5), given, draws=1).options[0].cost_usd[horizon]
        assert cost is not None
        return (cost["high"] - cost["low"]) / cost["base"]

    assert width("on_demand", None) > 0 and width("on_demand", None, 5) > width("on_demand", None)
    # A term of three years keeps its price for them; of one year it is renewed twice, at the prices of those days.
    assert width("commitment", 36) == pytest.approx(0.0)
    assert width("commitment", 12) > 0 and width("commitment", 36, 5) > 0


def test_who_is_refused_is_counted_with_the_nearest_and_nothing_is_said_of_the_world() -> None:
    offers = [
        offer("on_demand", usd, provider=name, country=country)
        for name, usd, country in (("a", 3.0, "US"), ("b", 2.0, "US"), ("c", 4.0, "FR"))
    ]
    found = decide(workload(countries=["FR"]), load(1.0), market(offers=offers), draws=1)
    [standing] = [s for s in found.standings if s.kind == "on_demand"]
    assert (standing.sellers, standing.offers) == (1, 1)
    [refused] = standing.refused
    assert (refused.offers, refused.sellers) == (2, 2) and "US" in refused.reason and "b" in refused.nearest
    text = flat(as_text(found))
    assert "Offers refused by country are those of this warehouse; who else sells there is not known here." in text
    # One seller has no quartiles.
    assert standing.sellers == 1 and "4 / 4 / 4 / 4 / 4" not in text


def rated(gpu: str, precision: str, engine: str, **facts: Any) -> Measurement:
    return Measurement(gpu, precision, RATE, 8.0, f"{gpu} {precision}", DAY, "a bench", engine=engine, **facts)


def test_a_rate_stands_with_its_engine_and_day_and_where_its_sweep_ended() -> None:
    ended = rated("g", "fp8", "vllm 0.9", concurrency=64.0, ended_early=True)
    found = decide(workload(), load(1.0), market(measurements=[ended], offers=[offer("on_demand", 20.0)]), draws=1)
    text = flat(as_text(found))
    assert "The sweep ended before a limit bound (g fp8 at 64 at a time): the rate may be higher, the cost is an upper bound." in text
    [source] = [row for row in as_dict(found)["sources"] if row["what"].startswith("rate of g fp8")]
    assert "vllm 0.9" in source["what"] and source["on"] == DAY
    whole = decide(workload(), load(1.0), market(measurements=[replace(ended, ended_early=False)]), draws=1)
    assert "The sweep ended" not in flat(as_text(whole))


def test_engines_and_precisions_that_differ_are_said() -> None:
    offers = [offer("on_demand", 20.0), offer("spot", 1.0, gpu="h", region="s")]
    mixed = [rated("g", "fp8", "vllm"), rated("h", "bf16", "trtllm")]
    text = flat(
        as_text(
            decide(workload(), load(0.2, 1.0), market(measurements=mixed, offers=offers, gpu_memory_gb={"g": 80.0, "h": 80.0}), draws=1)
        )
    )
    assert "Rates come from different engines (trtllm, vllm): part of what differs between devices is the engine's." in text
    assert "The ways compute in different precisions (bf16, fp8), which differ in quality." in text
    alike = [rated("g", "fp8", "vllm"), rated("h", "fp8", "vllm")]
    text = flat(as_text(decide(workload(), load(0.2, 1.0), market(measurements=alike, offers=offers), draws=1)))
    assert "different engines" not in text and "different precisions" not in text


def test_who_sells_what_another_makes_is_called_a_reseller_and_counts_as_the_one_it_repeats() -> None:
    sellers = [replace(SELLER, provider="groq"), replace(SELLER, provider="huggingface_groq", output_usd=1.5, kind="reseller")]
    found = decide(workload(), load(0.01), market(servers=[], api_offers=sellers), draws=1)
    assert found.best is not None and found.best.title.startswith("buy tokens at ") and found.best.title.endswith("(a reseller)")
    [standing] = [s for s in found.standings if s.kind == "api"]
    assert (standing.sellers, standing.offers) == (1, 2)


def test_a_price_of_tokens_is_of_the_day_on_which_it_was_seen() -> None:
    seen = replace(SELLER, price_on=DAY - dt.timedelta(days=40), age_days=40)
    found = decide(workload(), load(0.01), market(servers=[], api_offers=[seen]), draws=1)
    [source] = [row for row in as_dict(found)["sources"] if row["what"].startswith("price of tokens")]
    assert (source["on"], source["age_days"]) == (DAY - dt.timedelta(days=40), 40)


@pytest.mark.parametrize(
    ("asked", "meant"), [("SecNumclod", "SecNumCloud"), ("datacentre", "datacenter"), ("Datacenter", "datacenter"), ("XX", ""), ("UK", "")]
)
def test_a_misspelt_constraint_is_said_with_what_was_meant(asked: str, meant: str) -> None:
    assert hint(asked, ["SecNumCloud", "HDS", "datacenter", "secure", "community", "unverified"]) == (f"; write {meant}" if meant else "")


def test_staff_grows_less_than_the_fleet() -> None:
    def posts(servers: int) -> float:
        given = full_market(offers=[])
        found = decide(workload(), np.full(8760, servers * CAPACITY * 0.99), given, draws=1)
        [own] = [o for o in found.options if o.kind == "own"]
        return own.components_usd["staff"] / 150_000.0 / 5

    few, many = posts(2), posts(200)
    # A hundred times as many servers.
    assert few < many < 50 * few


def test_what_a_cache_would_spare_machines_is_said_where_only_tokens_count_it() -> None:
    words = "Rates of machines were measured without input that is still held"
    held = workload().model_copy(update={"tokens": Tokens(input=1000, output=500, cached_input_share=0.5)})
    given = market(offers=[offer("on_demand", 20.0)], api_offers=[SELLER])
    assert words in flat(as_text(decide(held, load(1.0), given, draws=1)))
    assert words not in flat(as_text(decide(workload(), load(1.0), given, draws=1)))
    only_tokens = market(servers=[], offers=[], api_offers=[SELLER])
    assert words not in flat(as_text(decide(held, load(1.0), only_tokens, draws=1)))
