"""Words, numbers and dates in the languages of the pages and reports.

Belongs here: reading message files and writing figures the way a language writes them. Does not belong here: what is said (each room
keeps its own `locales/<language>.yml`; words that several rooms use stand in `platform/locales`), HTML, settings.

A message is a `str.format` template with named places: `answer.own: "Own {servers}"` is `locale.text("answer.own", servers=...)`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.platform.documents import read_yaml

LANGUAGES = ("en", "fr")
SHARED_MESSAGES = Path(__file__).resolve().parent / "locales"
UNKNOWN = "–"
_NO_BREAK, _NARROW_NO_BREAK = "\u00a0", "\u202f"


_APOSTROPHE = "\u2019"
# Of French: what is written in a file, and what is set.
_SET = {
    re.compile(r" (?=[;!?%])"): _NARROW_NO_BREAK,
    re.compile(r" (?=[:»])|(?<=«) "): _NO_BREAK,
    re.compile(r"(?<=\w)'(?=[\w{])"): _APOSTROPHE,
}


class LocaleError(Exception):
    """A language is not one of ours, or a message is missing or asks for a value that it was not given; the message names it."""


@dataclass(frozen=True)
class Locale:
    """One language: its messages by key, and how it writes figures."""

    language: str
    messages: Mapping[str, str]

    def text(self, key: str, **values: Any) -> str:
        """The message of this key with its places filled. Raises LocaleError for an unknown key and for a place without a value."""
        try:
            return self.messages[key].format(**values)
        except KeyError as error:
            what = f"no message {key!r}" if key not in self.messages else f"message {key!r} needs a value for {error}"
            raise LocaleError(f"{self.language}: {what}") from None

    def name(self, kind: str, code: str | None) -> str:
        """The word for a code, such as name("option", "on_demand"); the code itself where there is none, as with names of products."""
        return UNKNOWN if code is None else self.messages.get(f"{kind}.{code}", code)

    def number(self, value: float | None, decimals: int | None = None) -> str:
        """A figure with its thousands apart: at least three digits, at least two decimals below 100, unless `decimals` says otherwise."""
        if value is None or not math.isfinite(value):
            return UNKNOWN
        places = Decimal(1).scaleb(-(decimals_of(value) if decimals is None else decimals))
        # Halves away from zero, as browsers round: 1.625 is 1.63 in a report and on a page alike.
        text = f"{Decimal(value).quantize(places, ROUND_HALF_UP):,f}"
        return text if self.language == "en" else text.translate({ord(","): _NARROW_NO_BREAK, ord("."): ","})

    def count(self, value: int | None) -> str:
        """A whole number with its thousands apart."""
        return self.number(value, decimals=0)

    def money(self, value: float | None, currency: str, decimals: int | None = None) -> str:
        """An amount in USD or EUR: `$14.07` and `€12.95`; in French `14,07 $US` and `12,95 €`."""
        if value is None or not math.isfinite(value):
            return UNKNOWN
        if self.language == "en":
            return f"{'-' if value < 0 else ''}{_BEFORE[currency]}{self.number(abs(value), decimals)}"
        return f"{self.number(value, decimals)}{_NO_BREAK}{_AFTER[currency]}"

    def share(self, value: float | None, decimals: int = 0) -> str:
        """A share of one as percent: `63%`, in French `63 %`."""
        if value is None or not math.isfinite(value):
            return UNKNOWN
        return self.number(value * 100, decimals) + ("%" if self.language == "en" else f"{_NARROW_NO_BREAK}%")

    def day(self, value: date | None) -> str:
        """A date in words: `21 July 2026`, in French `21 juillet 2026`."""
        if value is None:
            return UNKNOWN
        first = "1er" if self.language == "fr" and value.day == 1 else str(value.day)
        return f"{first} {self.text(f'month.{value.month}')} {value.year}"


_BEFORE = {"USD": "$", "EUR": "€"}
_AFTER = {"USD": "$US", "EUR": "€"}


def decimals_of(value: float) -> int:
    """Decimals that show three digits of a figure, and cents below 100."""
    if value == 0:
        return 2
    # A figure that rounds up to the next power of ten has that one's decimals: 99.999 is 100, not 100.00.
    magnitude = math.floor(math.log10(float(f"{abs(value):.2e}")))
    return 0 if magnitude >= 2 else max(2, 2 - magnitude)


@cache
def typeset(language: str, message: str) -> str:
    """A message as its language sets it: in French no line breaks before `;`, `!`, `?`, `%`, `:` and within quotation marks, and an
    apostrophe is one.
    """
    if language == "fr":
        for written, as_set in _SET.items():
            message = written.sub(as_set, message)
    return message


def load_locale(language: str, *folders: Path) -> Locale:
    """A language with the shared words and the messages of these folders. Raises LocaleError for a language that is not ours."""
    if language not in LANGUAGES:
        raise LocaleError(f"language {language!r}, expected one of {', '.join(LANGUAGES)}")
    messages: dict[str, str] = {}
    for folder in (SHARED_MESSAGES, *folders):
        path = folder / f"{language}.yml"
        found = read_yaml(path.read_text(encoding="utf-8"))
        twice = sorted(messages.keys() & found.keys())
        if twice:
            raise LocaleError(f"{path.parent.parent.name}/locales/{path.name}: {twice[0]!r} is a word that all rooms share")
        messages.update({key: typeset(language, message) for key, message in found.items()})
    return Locale(language, messages)
