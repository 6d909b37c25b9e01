"""Running one case in a fresh process, and how it went. Does not belong here: the cases."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.cases import CASES


@dataclass(frozen=True)
class Result:
    """How a case went: number of tries, seconds, and the fault that showed, if any. `outcomes`: what each source made of each fault."""

    name: str
    tries: int
    seconds: float
    fault: str | None
    outcomes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def run_case(name: str) -> Result:
    """Run one case in a folder of its own."""
    # A fresh process knows no case before these are imported; whoever only lists the cheap ones need not know them.
    from tests.faults import network, refreshes, roll_over  # noqa: F401

    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="breakeven-faults-") as folder:
        try:
            tries, fault = CASES[name](Path(folder)), None
        except Exception as error:
            tries, fault = 0, f"{type(error).__name__}: {error}"[:300]
    return Result(name, tries, time.monotonic() - began, fault, network.OUTCOMES)


def run_apart(name: str) -> Result:
    """Run one case in a fresh process of its own."""
    # Not forked from this one, whose libraries may have started threads that a fork does not take along.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as fresh:
        return fresh.submit(run_case, name).result()
