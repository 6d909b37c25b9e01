"""Ten questions whose answers make a workload file.

Belongs here: the questions, their defaults, what fits them, and the file that follows. Does not belong here: reading it (`workload`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from pipelines.decision.documents import WorkloadError
from pipelines.decision.fields import NUMBER, Country, Positive, Text
from pipelines.decision.lookups import known_value
from pipelines.decision.mistakes import in_words
from pipelines.decision.report.speech import speech
from pipelines.decision.workload import Currency, Growth, InputTokens, OutputTokens, Shape, Years
from pipelines.prices.places import EUROPE


@dataclass(frozen=True)
class Question:
    """What is asked, what an empty answer stands for, and what an answer has to be."""

    key: str
    words: str
    default: str
    fits: Any
    read: Callable[[str], Any] = str


def _number(text: str) -> float | int | str:
    """As a workload's file reads it; what is no number is said by what the question fits."""
    if not NUMBER.fullmatch(text):
        return text
    value = float(text)
    return int(value) if value.is_integer() else value


def _countries(text: str) -> list[str]:
    return text.replace(",", " ").upper().split()


QUESTIONS = (
    Question("name", "What is the workload called?", "My workload", Text),
    Question("model", "Which model serves it?", "Llama-3.1-70B", Text),
    Question("input", "How many tokens has a prompt?", "1024", InputTokens, _number),
    Question("output", "How many tokens has an answer?", "1024", OutputTokens, _number),
    Question("per_day", "How many tokens are written on a mean day?", "50e6", Positive, _number),
    Question("shape", "When: constant, business_hours, diurnal, bursty or growing?", "business_hours", Shape),
    Question("growth", "By which share does it grow a year (0.2 is a fifth)?", "0", Growth, _number),
    Question("years", "Over how many years is it decided?", "3", Years, _number),
    Question("countries", "In which countries may machines stand (such as FR or EU; empty: anywhere)?", "", list[Country], _countries),
    Question("currency", "In which currency: USD or EUR?", "EUR", Currency, str.upper),
)
# Of work on the input alone, what is read is counted.
INPUT_PER_DAY = "How many tokens are read on a mean day?"


def ask(answer: Callable[[str], str], say: Callable[[str], None], models: Collection[str] = (), language: str = "en") -> dict[str, Any]:
    """Each question until its answer fits; an empty one takes the default. `answer` is given the words to show, `say` what did not fit.

    Where `models` are given, the model is one of them.
    """
    t, found = speech(language), dict[str, Any]()
    for question in QUESTIONS:
        words = INPUT_PER_DAY if question.key == "per_day" and not found["output"] else question.words
        while question.key not in found:
            value = question.read(answer(f"{t(words)} [{question.default}] ").strip() or question.default)
            try:
                TypeAdapter(question.fits).validate_python(value)
                if question.key == "model" and models:
                    known_value("model", value, models)
            except ValidationError as error:
                say(in_words(error))
            except WorkloadError as error:
                say(str(error))
            else:
                found[question.key] = value
    return found


def as_yaml(answers: dict[str, Any]) -> str:
    """The file that the answers stand for."""
    counted = "output_tokens_per_day" if answers["output"] else "input_tokens_per_day"
    document = {
        "name": answers["name"],
        "model": answers["model"],
        "tokens": {"input": answers["input"], "output": answers["output"]},
        "objective": {"ttft_s": 2, "time_per_output_token_s": 0.05},
        "load": {counted: answers["per_day"], "shape": answers["shape"], "growth_per_year": answers["growth"]},
        "horizon_years": answers["years"],
        "currency": answers["currency"],
        **_area(answers["countries"], answers["currency"]),
        **({"constraints": {"countries": answers["countries"]}} if answers["countries"] else {}),
    }
    first = "# Written by `breakeven new-workload`; docs/deciding.md names every field.\n"
    return first + yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def _area(countries: list[str], currency: str) -> dict[str, str]:
    """The one country that machines may stand in, where a tariff is known of or around it; else what the currency says."""
    if len(countries) == 1 and countries[0] in EUROPE | {"US", "CA"}:
        return {"electricity_area": countries[0]}
    return {"electricity_area": "EU27_2020"} if currency == "EUR" else {}
