"""One language for a report: its sentences by their English ones, and how it writes figures.

Belongs here: finding the sentence and the number. Does not belong here: what is said (`sentences`, `sections`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.decision.words import Figure, Said
from pipelines.platform.documents import read_yaml
from pipelines.platform.locale import Locale, LocaleError, load_locale, typeset

# Kinds of ways in words.
KINDS = {
    "own": "own",
    "hybrid": "own, rent the peaks",
    "on_demand": "on demand",
    "spot": "spot",
    "api": "tokens",
    "capacity_block": "capacity block",
    "dedicated_month": "dedicated by the month",
    "marketplace": "marketplace",
    "reserved": "reserved",
    "serverless": "serverless",
}
FOLDER = Path(__file__).resolve().parent.parent / "sentences"
_FRENCH_SIGNS = {ord(","): "\u202f", ord("."): ","}


@dataclass(frozen=True)
class Speech:
    """A language. `sentences` is empty in English, which stands in the code."""

    locale: Locale
    sentences: Mapping[str, str]

    def __call__(self, template: str, **values: Any) -> str:
        """The sentence of this language with its places filled. Raises LocaleError for one that it does not have."""
        spoken = {name: self.of(value) for name, value in values.items()}
        return self._sentence(template).format(**spoken)

    def of(self, value: Any) -> Any:
        """What was kept to be said, as it is said here; a float is a sum."""
        if isinstance(value, Said):
            return self(value.template, **value.values)
        if isinstance(value, Figure):
            return self.number(value)
        return self.amount(value) if isinstance(value, float) else value

    def _sentence(self, template: str) -> str:
        if self.locale.language == "en":
            return template
        try:
            return self.sentences[template]
        except KeyError:
            raise LocaleError(f"{self.locale.language}: no sentence for {template!r}") from None

    def input(self, name: str, *, with_code: bool = False) -> str:
        """An input by its name: in English the one that a file uses, which reads well enough."""
        if self.locale.language == "en":
            return name
        words = self.sentences.get(f"input {name}", name)
        return f"{words} ({name})" if with_code and words != name else words

    def kind(self, kind: str) -> str:
        """A kind of way in words."""
        term = re.fullmatch(r"commitment_(\d+)_months", kind)
        return self("commitment of {months} months", months=term[1]) if term else self(KINDS.get(kind, kind))

    def years(self, count: int) -> str:
        """A length of time."""
        return self("{years} year" if count == 1 else "{years} years", years=count)

    def amount(self, value: float) -> str:
        """A sum of money or a count, without decimals."""
        return self.number(f"{value:,.0f}")

    def figure(self, value: float) -> str:
        """A price: at least three digits."""
        return self.number(f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}")

    def share(self, value: float) -> str:
        """A share as percent."""
        return f"{value:.0%}" if self.locale.language == "en" else f"{value * 100:.0f}\u202f%"

    def number(self, text: str) -> str:
        """A figure that was written the English way."""
        return text if self.locale.language == "en" else text.translate(_FRENCH_SIGNS)


@cache
def speech(language: str) -> Speech:
    """A language with its sentences. Raises LocaleError for one that is not ours."""
    locale = load_locale(language)
    if language == "en":
        return Speech(locale, {})
    path = FOLDER / f"{language}.yml"
    found = read_yaml(path.read_text(encoding="utf-8"))
    return Speech(locale, {template: typeset(language, sentence) for template, sentence in found.items()})
