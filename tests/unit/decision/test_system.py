"""Machines at work: at least their share of the load, at most all the time, and most of the time where requests come one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.decision.system import System

SWEEP = ((0.1, 4.0), (0.5, 32.0), (1.0, 128.0))


def test_few_requests_keep_a_machine_at_work_longer_than_their_share_of_its_best_batch() -> None:
    # A fortieth of the load is one request at a time: 1 - 1/e of the time, not a fortieth.
    assert System(1, SWEEP).at_work(np.array([0.025]))[0] == pytest.approx(1 - math.exp(-1))
    # Of eight copies one is at work, and the others are not.
    assert System(8, SWEEP).at_work(np.array([0.025 / 8]))[0] == pytest.approx((1 - math.exp(-1)) / 8)
    assert System(1, SWEEP).at_work(np.array([0.0, 1.0, 2.5])) == pytest.approx([0.0, 1.0, 3.0])


def test_work_that_may_wait_fills_its_machine() -> None:
    assert System(1, ()).at_work(np.array([0.025, 2.5])) == pytest.approx([0.025, 2.5])
    assert System(8, ()).billed(np.array([0.25]), 360.0) == pytest.approx([0.35])


def test_a_machine_that_is_switched_off_is_paid_while_there_is_a_request() -> None:
    assert System(1, SWEEP).billed(np.array([0.025, 0.0, 3.0]), 0.0) == pytest.approx([1 - math.exp(-1), 0.0, 3.0])
    # One full copy of eight keeps the machine on for the hour.
    assert System(8, SWEEP).billed(np.array([0.125]), 360.0) == pytest.approx([1.0])


@given(st.floats(0, 50), st.floats(0, 50), st.sampled_from([1, 2, 8]))
def test_more_load_never_works_less_and_never_less_than_its_share(one: float, other: float, copies: int) -> None:
    less, more = sorted((one, other))
    system = System(copies, SWEEP)
    at_less, at_more = system.at_work(np.array([less, more]))
    assert less - 1e-9 <= at_less <= at_more + 1e-9
    assert at_more <= math.ceil(more * copies + 1e-9) / copies + 1e-9
