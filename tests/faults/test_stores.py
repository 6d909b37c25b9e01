"""Every fault of the table that needs no refresh; `make faults` prints the table, and kills whole refreshes too."""

from __future__ import annotations

import pytest

from tests.faults.cases import CASES
from tests.faults.running import run_apart

# The restore has the most steps; each of them is tried by `make faults`.
SLOW = ("kill before every step: restore",)


@pytest.mark.parametrize("name", [name for name in CASES if name not in SLOW])
def test_what_must_hold_holds(name: str) -> None:
    found = run_apart(name)
    assert found.fault is None and found.tries > 0, found


def test_a_case_of_another_module_runs_in_its_own_process_and_says_what_came_of_it() -> None:
    found = run_apart("network day: as recorded, every service")
    assert found.fault is None and found.tries > 40, found
    assert len(found.outcomes["as recorded"]) > 40
