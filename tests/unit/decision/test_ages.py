"""What is too old answers nothing, and never disappears without a word."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pipelines.decision import as_dict, as_text, decide
from pipelines.decision.ages import OLD_RATE_DAYS
from pipelines.decision.market import ApiOffer, Expired
from tests.unit.decision.test_plan import DAY, load, market, offer, workload
from tests.unit.decision.test_whole_machines import full_market

AGE = 400
THEN = DAY - timedelta(days=AGE)


def words(found: Any) -> str:
    return " ".join(as_text(found).split())


def expiring(kind: str, usd_factor: float = 1.0) -> Any:
    """The full market, of which every price of one kind is too old."""
    whole = full_market()
    old = {"price_on": THEN, "age_days": AGE}
    seller = ApiOffer("a seller", "m", 0.0, 0.4 * usd_factor, THEN, AGE, "a page")
    if kind == "own":
        gone = [replace(s, **old, usd={e: v * usd_factor for e, v in s.usd.items()}) for s in whole.servers]  # type: ignore[arg-type]
        return replace(whole, servers=[], expired=Expired(servers=gone))
    if kind == "api":
        return replace(whole, expired=Expired(api_offers=[seller]))
    gone_offers = [replace(offer(kind, 2.0 * usd_factor, commitment_months=12 if kind == "commitment" else None), **old)]  # type: ignore[arg-type]
    return replace(whole, offers=[o for o in whole.offers if o.option != kind], expired=Expired(offers=gone_offers))


@pytest.mark.parametrize("kind", ["own", "api", "on_demand", "spot", "commitment", "marketplace"])
def test_a_kind_whose_every_price_is_too_old_is_said_with_its_last_price(kind: str) -> None:
    asked = workload().model_copy(update={"constraints": workload().constraints.model_copy(update={"trust_tiers": ()})})
    found = decide(asked, load(0.9), expiring(kind), draws=1)
    name = "commitment_12_months" if kind == "commitment" else kind
    assert name not in {o.kind for o in found.options}
    [aside] = found.last_known
    assert (aside.kind, aside.price_on, aside.age_days) == (name, THEN, AGE)
    assert f"{THEN}, {AGE} days old, limit 365" in found.excluded[name]
    assert kind != "own" or found.excluded["hybrid"] == found.excluded["own"]
    assert "was not compared: its last known price is of" in words(found)
    assert as_dict(found)["last_known"][0]["kind"] == name


def test_what_is_too_old_and_would_be_cheaper_is_said_in_the_first_line_and_leaves_no_answer_clear() -> None:
    found = decide(workload(), load(0.9), expiring("own", usd_factor=0.01))
    assert found.last_known[0].is_cheaper and found.robustness.verdict.word != "clear"
    assert "own at its last known price would be cheaper" in words(found).split("Over 5 years")[0]


def test_where_nothing_is_compared_no_last_price_is_held_against_an_answer() -> None:
    expired = expiring("on_demand").expired
    found = decide(workload(), load(0.9), replace(full_market(), servers=[], offers=[], expired=expired), draws=1)
    assert found.options == [] and found.last_known
    assert "than the answer" not in words(found) and "At it, '" in words(found)


def test_nothing_is_set_aside_while_a_price_of_its_kind_answers() -> None:
    whole = full_market()
    found = decide(workload(), load(0.9), replace(whole, expired=Expired(servers=[replace(whole.servers[0], age_days=AGE)])), draws=1)
    assert found.last_known == [] and "own" in {o.kind for o in found.options}


@pytest.mark.parametrize(("rent", "word"), [(0.4, "lean"), (9.0, "clear")])
def test_an_answer_on_an_old_rate_is_clear_only_by_half_and_keeps_its_figures(rent: float, word: str) -> None:
    whole = replace(market(), offers=[offer("on_demand", rent)])
    aged = replace(whole, measurements=[replace(m, measured_on=DAY - timedelta(days=OLD_RATE_DAYS + 1)) for m in whole.measurements])
    hours = load(0.4)
    fresh, old = (decide(workload(), hours, m) for m in (whole, aged))
    assert (fresh.robustness.verdict.word, old.robustness.verdict.word) == ("clear", word)
    assert [o.cost_usd for o in old.options] == [o.cost_usd for o in fresh.options]
    assert "Older than the limit of its kind: the rate of g fp8" in words(old)
    assert ("Not called clear" in words(old)) == (word == "lean") == bool(old.robustness.verdict.held_back)


@pytest.mark.parametrize(("error", "word"), [(0.3, "clear"), (3.0, "lean")])
def test_a_guessed_rate_is_clear_only_beyond_its_own_error(error: float, word: str) -> None:
    """Against tokens, whose price rests on no rate; beside another seller of the same device its error is both's."""
    guessed = [replace(m, basis="estimated", error_share=error) for m in market().measurements]
    seller = ApiOffer("a seller", "m", 0.0, 5.0, DAY, 0, "a page", band_share=(0.9, 1.1))
    tokens = decide(workload(), load(0.4), replace(market(), measurements=guessed, offers=[], api_offers=[seller]))
    assert tokens.robustness.verdict.advantage_share is not None and tokens.robustness.verdict.word == word
    assert bool(tokens.robustness.verdict.held_back) == (word == "lean")
    rents = decide(workload(), load(0.4), replace(market(), measurements=guessed, offers=[offer("on_demand", 9.0)]))
    assert rents.robustness.verdict.held_back == ()


@pytest.mark.parametrize("option", ["reserved", "capacity_block"])
def test_what_makes_no_plan_is_named_with_its_price(option: str) -> None:
    found = decide(workload(), load(0.9), replace(full_market(), offers=[offer("on_demand", 2.0), offer(option, 1.25)]), draws=1)
    assert "1.25 USD per GPU-hour" in found.excluded[option] and "1.25 USD per GPU-hour" in words(found)
