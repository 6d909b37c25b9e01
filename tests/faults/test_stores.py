"""Every fault of the table that needs no refresh; `make faults` prints the table, and kills whole refreshes too."""

from __future__ import annotations

import pytest

from tests.faults.cases import CASES, run_apart

# The restore has the most steps; each of them is tried by `make faults`.
SLOW = ("kill before every step: restore",)


@pytest.mark.parametrize("name", [name for name in CASES if name not in SLOW])
def test_what_must_hold_holds(name: str) -> None:
    found = run_apart(name)
    assert found.fault is None and found.tries > 0, found
