"""A word that a page lacks is an error of the build, also where only the script in the browser asks for it."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from pipelines.dashboard.build import _setup, find_pages
from pipelines.dashboard.page import Figure, Page, Shown
from pipelines.platform.locale import LANGUAGES, LocaleError, load_locale
from pipelines.platform.paths import PACKAGE_FOLDER

FACTS = {"as_of_on": dt.date(2026, 11, 23)}


def page(column: str) -> Page:
    return Page(order=1, choices=(), queries={"rows": "SELECT 1"}, figures=(Figure("sources", "rows", (Shown(column),)),))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_column_without_a_word_is_an_error_of_the_build(language: str) -> None:
    locale = load_locale(language, PACKAGE_FOLDER / "dashboard" / "locales")
    assert _setup("sources", page("source"), locale, FACTS)["figures"]
    with pytest.raises(LocaleError, match=r"column\.nobody_said"):
        _setup("sources", page("nobody_said"), locale, FACTS)


def test_sentences_of_the_record_are_those_that_the_program_writes() -> None:
    program = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE_FOLDER.rglob("*.py"))
    english = load_locale("en", PACKAGE_FOLDER / "dashboard" / "locales").messages
    said = {key: text for key, text in english.items() if key.startswith("record.")}
    assert len(said) > 20
    # Between its places and colons a sentence stands in the program as it does here, however its places are called there.
    parts = [(key, part) for key, text in said.items() for part in re.split(r"\{\w+\}|: ", text) if len(part) > 5]
    missing = {key: part for key, part in parts if part not in program}
    assert missing == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_has_its_words(language: str) -> None:
    locale = load_locale(language, PACKAGE_FOLDER / "dashboard" / "locales")
    for name, made in find_pages().items():
        assert _setup(name, made, locale, FACTS)["page"] == name
