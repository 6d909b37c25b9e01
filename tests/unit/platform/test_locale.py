"""Words and figures in both languages."""

from __future__ import annotations

import re
import string
from datetime import date
from pathlib import Path

import pytest
import yaml

from pipelines.platform.locale import LANGUAGES, LocaleError, load_locale, typeset
from pipelines.platform.paths import PACKAGE_FOLDER

EN, FR = load_locale("en"), load_locale("fr")
FOLDERS = sorted(PACKAGE_FOLDER.glob("*/locales"))


def messages(folder: Path, language: str) -> dict[str, str]:
    found: dict[str, str] = yaml.safe_load((folder / f"{language}.yml").read_text(encoding="utf-8"))
    return found


def places(message: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(message) if name is not None}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_both_languages_say_the_same_things(folder: Path) -> None:
    english = messages(folder, "en")
    for language in LANGUAGES[1:]:
        other = messages(folder, language)
        assert sorted(other) == sorted(english)
        assert {key: places(text) for key, text in other.items()} == {key: places(text) for key, text in english.items()}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_no_line_of_french_begins_with_a_mark(folder: Path) -> None:
    spoken = load_locale("fr", *([folder] if folder.parent.name != "platform" else []))
    assert [text for text in spoken.messages.values() if re.search(r" [;:!?»]|« ", text)] == []


def test_the_spaces_of_french() -> None:
    assert (
        typeset("fr", "Acheter ou louer ? « Louer » : {a} ; non !")
        == "Acheter ou louer\u202f? «\u00a0Louer\u00a0»\u00a0: {a}\u202f; non\u202f!"
    )
    assert typeset("fr", "l'heure, 30 % d'{area} ; 'load' s'écrit") == "l\u2019heure, 30\u202f% d\u2019{area}\u202f; 'load' s\u2019écrit"
    assert typeset("en", "a ; b, one's 5 %") == "a ; b, one's 5 %"


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [
        (1.003, "1.00", "1,00"),
        (0.6012, "0.601", "0,601"),
        (0.0123456, "0.0123", "0,0123"),
        (14.07, "14.07", "14,07"),
        (99.996, "100", "100"),
        (123.4, "123", "123"),
        (785340.4, "785,340", "785\u202f340"),
        (0, "0.00", "0,00"),
        (-3.8, "-3.80", "-3,80"),
        (None, "–", "–"),
        (float("nan"), "–", "–"),
    ],
)
def test_numbers(value: float | None, english: str, french: str) -> None:
    assert (EN.number(value), FR.number(value)) == (english, french)


def test_money_shares_and_days() -> None:
    assert (EN.money(14.07, "USD"), FR.money(14.07, "USD")) == ("$14.07", "14,07\u00a0$US")
    assert (EN.money(-1234.5, "EUR"), FR.money(-1234.5, "EUR")) == ("-€1,235", "-1\u202f235\u00a0€")
    assert (EN.share(0.263), FR.share(0.263)) == ("26%", "26\u202f%")
    assert (EN.day(date(2026, 7, 1)), FR.day(date(2026, 7, 1))) == ("1 July 2026", "1er juillet 2026")
    assert (EN.name("option", "api"), FR.name("option", "api"), EN.name("option", "x"), EN.name("option", None)) == (
        "tokens from an API",
        "jetons achetés à une API",
        "x",
        "–",
    )


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(LocaleError, match="'de', expected one of en, fr"):
        load_locale("de")
    with pytest.raises(LocaleError, match=r"en: no message 'nothing\.here'"):
        EN.text("nothing.here")
    (tmp_path / "en.yml").write_text("hello: 'Hello {who}'\n")
    with pytest.raises(LocaleError, match="message 'hello' needs a value for 'who'"):
        load_locale("en", tmp_path).text("hello")
    (tmp_path / "fr.yml").write_text("option.api: x\n")
    with pytest.raises(LocaleError, match=r"'option\.api' is a word that all rooms share"):
        load_locale("fr", tmp_path)
