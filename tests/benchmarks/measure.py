"""What one process costs: a command, or a call with what it returned, as JSON; what a query takes.

    python -m tests.benchmarks.measure MODULE FUNCTION [ARGUMENT ...]

Started from a small process: Linux counts the peak of whoever forks as that of the child.
"""

from __future__ import annotations

import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from tests.support.paths import ROOT

LAUNCHER = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_maxrss / 1024, used.ru_oublock / 2048, used.ru_utime + used.ru_stime)
sys.exit(code)
"""


@dataclass(frozen=True)
class Cost:
    """What a command takes; `written_mib` is what reached a disk, `cpu_seconds` what all its threads computed."""

    seconds: float
    peak_mib: float
    written_mib: float
    cpu_seconds: float


def cost_of(arguments: list[str], data: Path, settings: Mapping[str, str] | None = None) -> Cost:
    """Run a command on a data folder with these settings alone, without keys."""
    # polars leaves its allocator's settings in the environment of whoever imports it, this process included.
    foreign = ("AWS_", "BREAKEVEN_", "DAGSTER_", "_RJEM_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", LAUNCHER, *arguments],
        env={**kept, **(settings or {}), "BREAKEVEN_DATA": str(data)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    peak, written, computed = done.stdout.splitlines()[-1].split()
    return Cost(time.monotonic() - started, float(peak), float(written), float(computed))


@dataclass(frozen=True)
class Measured:
    """`seconds` and `cpu_seconds` of the call alone, without the imports; `peak_mib` and `written_mib` of the whole process."""

    seconds: float
    cpu_seconds: float
    peak_mib: float
    written_mib: float
    result: Any


def measured(function: str, *arguments: object, python: str = sys.executable) -> Measured:
    """Call `module:function` with arguments as text, in this Python or another one."""
    module, name = function.split(":")
    # polars leaves its allocator's settings in the environment of whoever imports it, this process included.
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("_RJEM_", "POLARS_"))}
    command = [python, "-m", "tests.benchmarks.measure", module, name, *(str(a) for a in arguments)]
    done = subprocess.run([sys.executable, "-c", LAUNCHER, *command], env=kept, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    *_, answer, used = done.stdout.splitlines()
    peak, written, _ = map(float, used.split())
    said = json.loads(answer)
    return Measured(said["seconds"], said["cpu_seconds"], peak, written, said["result"])


def machine() -> str:
    """The machine in one line."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown processor")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, Python {sys.version.split()[0]}"


if __name__ == "__main__":
    call = getattr(importlib.import_module(sys.argv[1]), sys.argv[2])
    started, computed = time.perf_counter(), time.process_time()
    value = call(*sys.argv[3:])
    taken = {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - computed}
    print(json.dumps({**taken, "result": value}))


def timed(connection: duckdb.DuckDBPyConnection, sql: str) -> float:
    """The median of five readings, in seconds, rows and all."""
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        connection.sql(sql).pl()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)
