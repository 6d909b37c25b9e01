"""Reports in French: every sentence that the code can say has one, with the same places, and figures are written the French way."""

from __future__ import annotations

import ast
import copy
import csv
import json
import string
from collections.abc import Iterator
from dataclasses import replace

import pytest
import yaml

from pipelines.decision import as_dict, as_html, as_markdown, as_text, compare, comparison_as_text, decide, sweep, sweep_as_text
from pipelines.decision.comparing import GROUPS
from pipelines.decision.local_costs import LOCAL
from pipelines.decision.market import ApiOffer
from pipelines.decision.new_workload import INPUT_PER_DAY, QUESTIONS, ask
from pipelines.decision.options.extras import INPUTS
from pipelines.decision.options.rented import TITLES
from pipelines.decision.report.sentences import EXTRAS, NEVER, QUALITIES, rule
from pipelines.decision.report.speech import FOLDER, KINDS, speech
from pipelines.decision.words import said
from pipelines.decision.workload import Resilience
from pipelines.platform.locale import LocaleError
from tests.support.paths import ROOT
from tests.unit.decision.test_plan import DAY, EU, answer, load, market, offer, workload
from tests.unit.decision.test_whole_machines import full_market

FRENCH: dict[str, str] = yaml.safe_load((FOLDER / "fr.yml").read_text(encoding="utf-8"))
SAYERS = {"t", "said", "_abroad"}


def sentences() -> Iterator[str]:
    """Sentences that stand in the code where something is said."""
    for path in (ROOT / "pipelines" / "decision").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAYERS:
                yield from (a.value for a in node.args[:2] if isinstance(a, ast.Constant) and isinstance(a.value, str))
    yield from (question.words for question in QUESTIONS)
    yield INPUT_PER_DAY
    yield from (*EXTRAS.values(), NEVER, *QUALITIES, *KINDS.values(), *GROUPS, *TITLES.values())


def units() -> set[str]:
    """Units of the costs that an answer names with their country."""
    with (ROOT / "pipelines" / "reference" / "cost_assumption.csv").open(encoding="utf-8") as file:
        return {row["assumption_unit"] for row in csv.DictReader(file) if row["assumption"] in LOCAL}


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_sentence_has_its_french_one_with_the_same_places() -> None:
    known = set(sentences())
    assert len(known) > 150
    assert {s for s in known if s not in FRENCH} == set()
    assert {s for s, french in FRENCH.items() if places(s) != places(french)} == set()


def test_every_input_that_an_extra_rests_on_has_french_words() -> None:
    assert {name for names in INPUTS.values() for name in names if f"input {name}" not in FRENCH} == set()


def test_a_report_is_french_from_the_first_line_to_the_last() -> None:
    seller = ApiOffer("seller", "m", 1.0, 2.0, DAY, 0, "a page", kind="reseller")
    terms = [offer("commitment", 1.0), offer("commitment", 0.8, commitment_months=36), offer("spot", 1.5, region="s")]
    rich = replace(full_market(), api_offers=[seller], offers=[offer("on_demand", 2.0), EU, *terms])
    every = workload(growth=0.3, countries=["FR", "US"], capital_budget=9e6).model_copy(
        update={"count": tuple(INPUTS), "resilience": Resilience(spare_servers=1), "currency": "EUR"}
    )
    found = decide(every, load(0.2, 1.9), rich)
    text = as_text(found, "fr")
    assert "Recommandation" in text and "Recommendation" not in text
    assert "\u202f%" in text and "9\u202f000\u202f000" in text and "1,2500 USD" in text
    assert text.count("\n=") == as_text(found).count("\n=")
    assert '<html lang="fr">' in as_html(found, "fr") and "## Recommandation" in as_markdown(found, "fr")
    for other in (answer(load(1.0), market(servers=[]), data_may_not_leave=True), answer(load(1.0), market(offers=[]))):
        assert "Recommandation" in as_text(other, "fr")


def test_comparisons_and_sweeps_are_french_too() -> None:
    cheap = market(offers=[offer("on_demand", 0.1)])
    assert "a basculé" in comparison_as_text(workload(), compare(workload(), load(0.5), market(), cheap, ("a", "b")), "fr")
    assert "fois le" in sweep_as_text([(workload(), sweep(workload(), load(1.0), market(), 1e3, 1e9, points=3))], "fr")


def test_questions_are_asked_in_french() -> None:
    asked: list[str] = []
    ask(lambda words: asked.append(words) or "", pytest.fail, language="fr")  # type: ignore[func-returns-value]
    assert asked[0] == "Quel est le nom de la charge\u202f? [My workload] " and len(asked) == 10


def test_json_says_the_same_whatever_is_read() -> None:
    found = answer(load(1.0))
    before = json.dumps(as_dict(found), default=str)
    as_text(found, "fr")
    assert json.dumps(as_dict(found), default=str) == before and '"own 1 of 8x-g"' in before


def test_what_is_said_is_its_english_text_until_it_is_read() -> None:
    text = said(
        "the capital of {servers}, {usd} USD, is above the budget", servers=said("{count} of {server}", count="2", server="x"), usd=1e6
    )
    assert text == "the capital of 2 of x, 1,000,000 USD, is above the budget" and copy.deepcopy(text).values == text.values
    assert speech("fr").of(text) == "le capital de 2 × x, 1\u202f000\u202f000 USD, dépasse le budget"
    with pytest.raises(LocaleError, match="no sentence for 'unheard'"):
        speech("fr")("unheard")
    with pytest.raises(LocaleError, match="language 'de'"):
        speech("de")


def test_no_french_sentence_is_left_of_an_english_one_that_went() -> None:
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "pipelines").rglob("*.py"))
    written = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    written |= units()
    assert {s for s in FRENCH if s not in written and s.removeprefix("input ") not in written} == set()


def test_how_sure_an_answer_is_cannot_be_read_as_a_price() -> None:
    words = {word: speech("fr")(word) for word in ("clear", "lean", "toss-up")}
    assert words == {"clear": "avantage net", "lean": "avantage probable", "toss-up": "indécis"}
    assert all(word in rule(speech("fr")) for word in words.values())


def test_units_of_local_costs_have_french_words() -> None:
    assert len(units()) == len(LOCAL) and units() <= FRENCH.keys()


def test_a_price_is_written_as_the_language_writes_figures() -> None:
    found = decide(workload(), load(0.9), replace(full_market(), offers=[offer("on_demand", 2.0), offer("reserved", 1.25)]), draws=1)
    assert "1.25 USD per GPU-hour" in as_text(found) and "1,25 USD par heure" in " ".join(as_text(found, "fr").split())
