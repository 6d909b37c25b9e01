"""Ten questions whose answers make a workload file.

Belongs here: the questions, their defaults, and the file that follows. Does not belong here: reading it (`workload`).
"""

from __future__ import annotations

from collections.abc import Callable

import yaml

from pipelines.decision.report.speech import speech
from pipelines.prices.places import EUROPE

QUESTIONS: tuple[tuple[str, str, str], ...] = (
    ("name", "What is the workload called?", "My workload"),
    ("model", "Which model serves it?", "Llama-3.1-70B"),
    ("input", "How many tokens has a prompt?", "1024"),
    ("output", "How many tokens has an answer?", "1024"),
    ("per_day", "How many tokens are written on a mean day?", "50e6"),
    ("shape", "When: constant, business_hours, diurnal, bursty or growing?", "business_hours"),
    ("growth", "By which share does it grow a year (0.2 is a fifth)?", "0"),
    ("years", "Over how many years is it decided?", "3"),
    ("countries", "In which countries may machines stand (such as FR or EU; empty: anywhere)?", ""),
    ("currency", "In which currency: USD or EUR?", "EUR"),
)


def ask(answer: Callable[[str], str], language: str = "en") -> dict[str, str]:
    """Each question in turn; an empty answer takes the default. `answer` is given the words to show."""
    t = speech(language)
    return {key: answer(f"{t(words)} [{default}] ").strip() or default for key, words, default in QUESTIONS}


def as_yaml(answers: dict[str, str]) -> str:
    """The file that the answers stand for."""
    countries = [c for c in answers["countries"].replace(",", " ").upper().split() if c]
    document = {
        "name": answers["name"],
        "model": answers["model"],
        "tokens": {"input": _number(answers["input"]), "output": _number(answers["output"])},
        "objective": {"ttft_s": 2, "time_per_output_token_s": 0.05},
        "load": {
            "output_tokens_per_day": _number(answers["per_day"]),
            "shape": answers["shape"],
            "growth_per_year": _number(answers["growth"]),
        },
        "horizon_years": _number(answers["years"]),
        "currency": answers["currency"].upper(),
        **_area(countries, answers["currency"].upper()),
        **({"constraints": {"countries": countries}} if countries else {}),
    }
    first = "# Written by `breakeven new-workload`; docs/deciding.md names every field.\n"
    return first + yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def _area(countries: list[str], currency: str) -> dict[str, str]:
    """The one country that machines may stand in, where a tariff is known of or around it; else what the currency says."""
    if len(countries) == 1 and countries[0] in EUROPE | {"US", "CA"}:
        return {"electricity_area": countries[0]}
    return {"electricity_area": "EU27_2020"} if currency == "EUR" else {}


def _number(text: str) -> float | int | str:
    try:
        value = float(text)
    except ValueError:
        return text  # said by whoever reads the file, with its field
    return int(value) if value == int(value) else value
