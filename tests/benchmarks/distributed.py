"""All marts on workers of this machine, with what each part took: processor time, peak memory, bytes.

Belongs here: running and noting. Does not belong here: which sizes, what is concluded (`test_distributed`).
"""

from __future__ import annotations

import heapq
import os
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.history.distributed.ray import RayWorkers, ray_workers
from pipelines.platform.settings import load_settings
from pipelines.platform.shared_files import shared_files
from pipelines.refresh.distributed.rebuild import rebuild_marts


@dataclass(frozen=True)
class Part:
    """What one part took on its worker. `wave`: parts of one number ran side by side, those of the next one after them."""

    function: str
    wave: int
    cpu_seconds: float
    peak_mib: float


class Noting(RayWorkers):
    """Workers whose parts note what they took."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self._wave = 0

    def start(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return super().start(noted, function, *arguments)

    def results(self, started: Sequence[Any]) -> list[Any]:
        found = super().results(started)
        self._wave += 1
        self.parts += [Part(name, self._wave, cpu, peak) for name, cpu, peak, _ in found]
        return [result for *_, result in found]


def noted(function: Callable[..., Any], *arguments: Any) -> tuple[str, float, float, Any]:
    started = time.process_time()
    result = function(*arguments)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return function.__name__, time.process_time() - started, peak, result


def rebuilt(data: str, files: str, as_of: str, count: str) -> dict[str, Any]:
    """All marts of a data folder by so many workers: seconds and processor time of the whole and of the driver, and its parts."""
    os.environ["BREAKEVEN_DATA"] = data
    with ray_workers(count=int(count)):
        workers, started, cpu = Noting(), time.monotonic(), time.process_time()
        made = rebuild_marts(load_settings(os.environ), date.fromisoformat(as_of), shared_files(files), workers, parts=8)
        driver = time.process_time() - cpu
        seconds = time.monotonic() - started
    put = [path.stat().st_size for path in Path(files).rglob("*") if path.is_file()]
    return {
        "seconds": seconds,
        "driver_seconds": driver,
        "steps": made.seconds,
        "parts": [asdict(part) for part in workers.parts],
        "bytes_put": sum(put),
    }


def seconds_on(parts: Sequence[Part], driver_seconds: float, workers: int) -> float:
    """How long the same parts take on so many cores: each wave in the order in which it was asked for, and the driver between waves."""
    total = driver_seconds
    for wave in sorted({part.wave for part in parts}):
        free = [0.0] * workers
        for part in (part for part in parts if part.wave == wave):
            heapq.heapreplace(free, free[0] + part.cpu_seconds)
        total += max(free)
    return total


def fitted(sizes: Sequence[Sequence[float]], taken: Sequence[float]) -> list[float]:
    """What each unit of size takes, at the least squares of relative errors; none takes less than nothing."""
    import numpy as np

    chosen = list(range(len(sizes[0])))
    while True:
        matrix = np.array(sizes, dtype=float)[:, chosen] / np.array(taken)[:, None]
        found, *_ = np.linalg.lstsq(matrix, np.ones(len(taken)), rcond=None)
        if (found >= 0).all():
            return [float(found[chosen.index(n)]) if n in chosen else 0.0 for n in range(len(sizes[0]))]
        chosen.pop(int(found.argmin()))
