"""`breakeven show`: tables of 80 columns, plain in a pipe, in both languages."""

from __future__ import annotations

import re

import pytest

from tests.support.cli import Cli


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("what", ["prices", "market", "cost", "breakeven", "moved"])
def test_a_table_fits_and_is_plain(archive: Cli, what: str, language: str) -> None:
    done = archive("show", what, "--language", language)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) >= 5 and max(map(len, lines[2:])) <= 80
    assert "\x1b" not in done.stdout
    whole = {
        "prices": "USD/h EUR/h days",
        "market": "sellers least p25 median p75 known days",
        "cost": "low usd high days",
        "breakeven": "sellers low use high days",
        "moved": "day before now change",
    }[what]
    assert language == "fr" or any(set(whole.split()) <= set(line.split()) for line in lines), "no name of a figure is cut"
    assert ("vendeur" in done.stdout) == (language == "fr")
    assert not re.search(r"\d[.,]\d*…|\d…(\s|$)", re.sub(r"\S*-\S*…", "", done.stdout)), "a figure is never cut"
    assert {"en": "23 November 2026", "fr": "23 novembre 2026"}[language] in " ".join(done.stdout.split())


def test_what_is_not_known_is_said(archive: Cli) -> None:
    done = archive("show", "prices", "--gpu", "no-such-gpu")
    assert (done.returncode, "No figure is known" in done.stdout) == (0, True)
    assert archive("show", "nonsense").returncode == 2
