"""The page of benchmarks: what a module has measured replaces its own sections there.

Belongs here: docs/benchmarks.md as a whole. Does not belong here: any figure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import pytest

from tests.support.paths import ROOT

from .measure import machine
from .scale import scale

PAGE = ROOT / "docs" / "benchmarks.md"


@pytest.fixture(scope="module")
def page() -> Iterator[list[str]]:
    """Texts of a module's sections, each with its heading; written at its end, where they were timed."""
    texts: list[str] = []
    yield texts
    text = "\n".join(texts)
    print("\n" + text)
    if scale().is_timed and text:
        PAGE.write_text(_with(PAGE.read_text(encoding="utf-8"), _sections(text)), encoding="utf-8")


def _with(written: str, measured: dict[str, str]) -> str:
    """The page with these sections in place of its own. What another machine has measured is not kept beside them."""
    at = f"Machine: {machine()}; "
    sections = (_sections(written) if at in written else {}) | measured
    head = "# Benchmarks\n\nWritten by `make bench`. Ratios first: they carry over to another machine, seconds do not.\n\n"
    return f"{head}{at}{date.today():%Y-%m}.\n\n" + "\n\n".join(sections.values()) + "\n"


def _sections(text: str) -> dict[str, str]:
    found = re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]
    return {section.split("\n", 1)[0]: section.strip() for section in found}
