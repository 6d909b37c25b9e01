"""What a report says in words and how its tables fit: a reader takes a sentence for what it says, and a broken figure for two."""

from __future__ import annotations

import pytest

from pipelines.decision import as_text, decide
from pipelines.decision.report.text import WIDTH, table
from tests.unit.decision.test_plan import answer, load, market, offer, workload
from tests.unit.decision.test_whole_machines import full_market


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(("years", "said"), [(1, "Over 1 year 'own"), (2, "Over 2 years 'own")])
def test_one_year_is_no_years(years: int, said: str) -> None:
    text = as_text(decide(workload(horizon_years=years), load(3.0), market(offers=[offer("on_demand", 20.0)])))
    assert said in text and f"By part, over {years} year{'s' if years > 1 else ''}\n" in text


@pytest.mark.parametrize(("growth", "said"), [(0.4, "It grows by 40% a year."), (-0.4, "It shrinks by 40% a year.")])
def test_a_load_that_shrinks_does_not_grow(growth: float, said: str) -> None:
    assert said in flat(as_text(decide(workload(growth=growth), load(1.0), market())))


def test_a_rented_way_says_how_many_machines_it_takes() -> None:
    cheap = market(offers=[offer("on_demand", 0.01)])
    one, many = flat(as_text(answer(load(0.5), cheap))), flat(as_text(answer(load(2.5, 11.0), cheap)))
    assert "Its greatest hour takes 11 such machines at a time." in many and "on demand at cloud r, up to 11 at a time; " in many
    assert "such machines" not in one and "at a time;" not in one


def test_inputs_that_change_the_answer_each_by_itself_are_counted() -> None:
    found = answer(load(1.0), full_market())
    flips = [swing.name for swing in found.robustness.tested if swing.flips]
    text = flat(as_text(found))
    assert len(flips) != 1 or f"One input alone changes the answer within its range: {flips[0]}." in text
    assert len(flips) < 2 or f"{len(flips)} inputs change the answer within their ranges, each of them alone: {', '.join(flips)}." in text


def test_the_tariff_of_a_country_where_the_servers_may_not_stand_is_said() -> None:
    said = "The tariff is that of US, where the servers may not stand: state site.country."
    priced = market(offers=[offer("on_demand", 20.0, country="MT")])
    assert said in flat(as_text(answer(load(1.0), priced, countries=("MT",))))
    assert said not in flat(as_text(answer(load(1.0), priced)))


def test_no_figure_of_a_table_is_broken_in_two() -> None:
    row = {f"{n} years": "14,932,104" for n in (1, 3, 5, 7)} | {"low..high": "10,045,589..169,494,202"}
    shown = table([{"way": "1", **row, "per million": "1.169", "capital": "339,344", "price age, days": 316}])
    assert max(map(len, shown.splitlines())) <= WIDTH
    for figure in ("14,932,104", "10,045,589..", "169,494,202", "339,344"):
        assert figure in shown, shown


def test_no_word_of_a_table_is_broken_in_two() -> None:
    usd = {f"way {n}": "12,460,542" for n in range(1, 8)}
    shown = table([{"part": "maintenance", **usd}, {"part": "rent of the peaks", **usd}])
    assert max(map(len, shown.splitlines())) <= WIDTH
    assert "maintenance" in shown and "rent of the\n" in shown.replace(" " * 2, "\n")


def test_a_column_of_long_words_alone_is_a_column() -> None:
    assert "agents-around-the-clock" in table([{"name": "agents-around-the-clock", "way": "own"}])
    assert "x" * 40 in table([{"name": "x" * 40}])


def test_a_table_of_many_ways_stands_in_parts_that_each_fit() -> None:
    ways = [f"way {n}" for n in range(1, 10)]
    rows = [{"part": part} | {way: f"{258_918_181 + n:,}" for n, way in enumerate(ways)} for part in ("machines while in use", "tokens")]
    shown = table(rows)
    assert max(map(len, shown.splitlines())) <= WIDTH
    parts = shown.split("\n\n")
    assert len(parts) == 2 and all(part.startswith("part") and "machines" in part and "tokens" in part for part in parts)
    figures = [line.split()[1:] for part in parts for line in part.splitlines() if line.startswith("tokens")]
    assert [figure for line in figures for figure in line] == [f"{258_918_181 + n:,}" for n in range(9)]


@pytest.mark.parametrize("count", [1, 2, 5, 9, 12])
@pytest.mark.parametrize("digits", [1, 6, 9, 15])
def test_no_table_is_wider_than_a_terminal(count: int, digits: int) -> None:
    row = {"part": "a part with a long name"} | {f"way {n}": f"{10**digits:,}..{10 ** (digits + 1):,}" for n in range(count)}
    assert max(map(len, table([row]).splitlines())) <= WIDTH
