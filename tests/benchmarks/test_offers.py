"""The price list file of an AWS region, 400,000 rows over loopback, beside gpuhunt: both from the address to prices of machines.

To reach: 2.5 times its rows a second, at most 250 MiB, the same prices. gpuhunt is found in the interpreter that `BREAKEVEN_GPUHUNT` names
(of a virtual environment with `gpuhunt[aws]`), the file is made by the folder of recorded material (`BREAKEVEN_SHARED`).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from .measure import measured
from .offers import THEIRS, served
from .scale import scale

RUNS = 5


def test_a_region_beside_gpuhunt(shared: Path, tmp_path: Path) -> None:
    interpreter = os.environ.get("BREAKEVEN_GPUHUNT")
    if not interpreter:
        pytest.skip("gpuhunt is not there (BREAKEVEN_GPUHUNT)")
    rows = 400_000 if scale().is_timed else 20_000
    file, cache = tmp_path / "offer.csv", tmp_path / "theirs.csv"
    subprocess.run([sys.executable, str(shared / "tools" / "make_aws_offer.py"), str(file), str(rows)], check=True, capture_output=True)
    seconds: dict[str, list[float]] = {"ours": [], "gpuhunt": []}
    with served(file) as url:
        for _ in range(RUNS):
            ours = measured("tests.benchmarks.offers:ours", url)
            cache.unlink(missing_ok=True)
            done = subprocess.run([interpreter, "-c", THEIRS, url, str(cache)], check=True, capture_output=True, text=True)
            theirs = json.loads(done.stdout)
            seconds["ours"].append(ours.seconds)
            seconds["gpuhunt"].append(theirs["seconds"])
    medians = {name: statistics.median(found) for name, found in seconds.items()}
    ratio = medians["gpuhunt"] / medians["ours"]
    said = ", ".join(f"{name} {time:.2f} s ({rows / time / 1e6:.2f} M rows/s)" for name, time in medians.items())
    print(f"\nAWS price list of {rows:,} rows, {file.stat().st_size / 1e6:.0f} MB: {said}; ratio {ratio:.1f}; peak {ours.peak_mib:.0f} MiB")
    # It leaves out families of machines that are no longer offered anew.
    assert theirs["result"] and theirs["result"].items() <= ours.result.items()
    assert ours.peak_mib <= 250
    if scale().is_timed:
        assert ratio >= 2.5
