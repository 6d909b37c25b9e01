"""Rates that nobody measured: a roofline calibrated on those that somebody did.

Pure. Belongs here: the estimate, its error, and carrying a measured rate over to other lengths. Does not belong here: which rate is used
(`rates`). Every result is marked as what it is, with its error.

A step of decoding reads the weights that its sequences touch and their caches, computes two operations a weight and sequence, and has a
part that is always there; between steps the prompts of arriving requests are computed. Shares of the peaks were fitted once over all
measured runs of the archive; the level is fitted anew on the runs of the version that is read.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

MEMORY_SHARE, COMPUTE_SHARE = 0.6, 0.3
STEP_S = 0.006
# Reading weights on several GPUs gains less than their number: n^(1 - 0.3).
SPLIT_LOSS = 0.3
USABLE_MEMORY = 0.9
# Cache of a token at grouped attention: 131 kB for 8 billion active parameters, and as that of 32 and 70 billion grows.
CACHE_BYTES, CACHE_AT, CACHE_GROWTH = 131e3, 8e9, 0.42
BYTES = {"bf16": 2.0, "fp8": 1.0, "fp4": 0.5, "int4": 0.5}
SIZES = (1, 2, 4, 8, 16, 32)
# Beyond one machine no run calibrates the estimate: the network between them may cost half of it.
ACROSS_ERROR = 1.0
CONCURRENCIES = np.unique(np.round(np.geomspace(1, 1024, 61)))


@dataclass(frozen=True)
class Device:
    """A GPU: memory in bytes, bandwidth in bytes per second, dense operations per second by precision."""

    gpu: str
    memory: float
    bandwidth: float
    flops: dict[str, float]


@dataclass(frozen=True)
class Model:
    """A model: parameters in all, and those that a token uses."""

    model: str
    total: float
    active: float


@dataclass(frozen=True)
class Run:
    """A measured run: of which model, device and number of GPUs, at which lengths and concurrency, its rate in tokens per second."""

    model: Model
    device: Device
    precision: str
    gpus: float
    input_tokens: float
    output_tokens: float
    concurrency: float
    rate: float


@dataclass(frozen=True)
class Level:
    """What the roofline is multiplied by, and the error of four estimates of five, to either side, of models left out of the fit.

    `misses`: logarithms by which each run of a model lies off the level of the others, by model.
    """

    factor: float
    error_share: float
    runs: int
    misses: Mapping[str, Sequence[float]] = field(default_factory=dict)


def step_seconds(
    model: Model, device: Device, precision: str, gpus: float, lengths: tuple[float, float], concurrency: np.ndarray
) -> np.ndarray:
    """Seconds per output token of each sequence, prompts of others in between counted."""
    given, written = lengths
    share = model.active / model.total
    touched = (
        np.maximum(model.active, model.total * (1 - (1 - share) ** concurrency)) if share < 1 else np.full(concurrency.shape, model.total)
    )
    cache = CACHE_BYTES * (model.active / CACHE_AT) ** CACHE_GROWTH
    memory = device.bandwidth * MEMORY_SHARE
    reading = touched * BYTES[precision] / (gpus ** (1 - SPLIT_LOSS) * memory) + concurrency * cache * (given + written / 2) / (
        gpus * memory
    )
    computing = 2 * model.active * concurrency / (gpus * device.flops[precision] * COMPUTE_SHARE)
    return np.asarray(reading + computing + STEP_S + concurrency / written * prompt_seconds(model, device, precision, gpus, given))


def prompt_seconds(model: Model, device: Device, precision: str, gpus: float, given: float) -> float:
    """Seconds to compute one prompt alone."""
    return 2 * model.active * given / (gpus * device.flops[precision] * COMPUTE_SHARE)


def level_of(runs: Sequence[Run]) -> Level:
    """Fit the level; the error is that of each model by the level of the others."""
    if not runs:
        return Level(1.0, 1.0, 0)
    logs = np.array([math.log(run.rate / _roofline(run)) for run in runs])
    names = np.array([run.model.model for run in runs])
    misses = {
        str(name): np.abs(logs[names == name] - np.median(logs[names != name])).tolist()
        for name in np.unique(names)
        if (names != name).any()
    }
    error = share_of_most([m for of_model in misses.values() for m in of_model]) if misses else math.e - 1
    return Level(math.exp(float(np.median(logs))), error, len(runs), misses)


def share_of_most(misses: Sequence[float]) -> float:
    """Share by which four of five lie off at most, to either side, from logarithms; 0 for none."""
    return math.exp(float(np.quantile(misses, 0.8))) - 1 if len(misses) else 0.0


def _roofline(run: Run) -> float:
    at = np.array([run.concurrency])
    return float(
        run.concurrency / step_seconds(run.model, run.device, run.precision, run.gpus, (run.input_tokens, run.output_tokens), at)[0]
    )


def fastest(
    model: Model,
    device: Device,
    precision: str,
    gpus: float,
    lengths: tuple[float, float],
    limits: tuple[float, float],
    level: Level,
    most_at_a_time: float = math.inf,
) -> tuple[float, float] | None:
    """Highest rate of so many GPUs within the limits of first and further tokens, and its concurrency; None where nothing fits."""
    if precision not in device.flops:
        return None
    given, written = lengths
    cache = CACHE_BYTES * (model.active / CACHE_AT) ** CACHE_GROWTH
    free = device.memory * gpus * USABLE_MEMORY - model.total * BYTES[precision]
    most = free / (cache * (given + written))
    many = CONCURRENCIES[min(most, most_at_a_time) >= CONCURRENCIES]
    if many.size == 0:
        return None
    step = step_seconds(model, device, precision, gpus, lengths, many) / level.factor
    prompt = prompt_seconds(model, device, precision, gpus, given) / level.factor
    busy = np.minimum(0.95, many / written * prompt / step)
    good = (step <= limits[1]) & (prompt / (1 - busy) <= limits[0])
    if not good.any():
        return None
    rates = np.where(good, many / step, 0.0)
    best = int(np.argmax(rates))
    return float(rates[best]), float(many[best])


def sweep_to(
    model: Model, device: Device, precision: str, gpus: float, lengths: tuple[float, float], most: float
) -> tuple[tuple[float, float], ...]:
    """Shares of the rate at `most` requests at a time that fewer give."""
    many = np.unique(np.minimum([1.0, 4.0, 16.0, 64.0, 256.0, most], most))
    rates = many / step_seconds(model, device, precision, gpus, lengths, many)
    return tuple((float(rate / rates[-1]), float(at)) for rate, at in zip(rates, many, strict=True))


def carried_over(measured: float, there: float, here: float) -> float:
    """A measured rate carried to other lengths by what the roofline says of both."""
    return measured * here / there


def carrying_error(pairs: Iterable[tuple[float, float]]) -> float:
    """Error of four of five carried rates, to either side, from pairs of (carried, measured)."""
    misses = [abs(math.log(carried / measured)) for carried, measured in pairs]
    return share_of_most(misses) if misses else 1.0
