"""The draws are the same for a seed however many threads polars and the libraries under numpy are given."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.paths import ROOT

ANSWER = """
import hashlib, json
from pipelines.decision import as_dict, decide
from tests.unit.decision.test_plan import load, market, offer, workload
offers = [offer("on_demand", 1.1), offer("spot", 0.9, region="s"), offer("commitment", 0.7)]
found = as_dict(decide(workload(growth=0.3), load(0.2, 0.7, 1.9), market(offers=offers)))
print(hashlib.sha256(json.dumps([found["draws"], found["options"]], default=str, sort_keys=True).encode()).hexdigest())
"""


def answer_with(threads: int) -> str:
    names = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {**os.environ, **dict.fromkeys(names, str(threads)), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", ANSWER], env=environment, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        pytest.fail(done.stderr)
    return done.stdout.strip()


def test_a_seed_gives_the_same_draws_with_1_2_and_8_threads() -> None:
    assert len({answer_with(threads) for threads in (1, 2, 8)}) == 1
