"""How many tokens a device serves within the limits.

Belongs here: the choice of rates for one workload, by device, precision and number of GPUs: measured, else carried over from other
lengths, else estimated where the workload allows it or nothing was measured at its lengths. Does not belong here: the estimate itself
(`estimate`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import duckdb

from pipelines.costing.throughput_selection import LARGEST_SERVER_GPUS
from pipelines.decision.documents import WorkloadError
from pipelines.decision.estimate import (
    ACROSS_ERROR,
    SIZES,
    Level,
    Run,
    carried_over,
    carrying_error,
    fastest,
    level_of,
    share_of_most,
    sweep_to,
)
from pipelines.decision.facts import Facts
from pipelines.decision.lookups import hint
from pipelines.decision.market import MOST_NODES, EngineRate, Measurement
from pipelines.decision.words import said
from pipelines.decision.workload import Workload
from pipelines.platform.text import fit_to_show
from pipelines.publication.reader import rows

# Of each device, precision, number of GPUs and lengths the fastest run within the limits. Where the sweep of its engine ended inside the
# limits, nobody saw the fastest.
_FASTEST = """
WITH run AS (
    SELECT *, max(concurrency) OVER sweep AS sweep_end,
           list({at_a_time: concurrency, rate: output_tokens_per_second_per_gpu}) FILTER (concurrency > 0) OVER sweep AS runs
    FROM marts.throughput
    WHERE model = $model AND input_tokens IS NOT NULL AND output_tokens IS NOT NULL AND confidence <> 'low' AND scenario IS NULL
      AND (gpu_count <= $gpus OR gpu_count % $gpus = 0 AND gpu_count <= $gpus * $nodes) AND known_from::DATE <= $as_of
    WINDOW sweep AS (PARTITION BY gpu, precision, gpu_count, engine, engine_version, input_tokens, output_tokens)
)
SELECT *, concurrency IS NOT NULL AND concurrency = sweep_end AS ended_early
FROM run
WHERE ttft_s <= $ttft AND time_per_output_token_s <= $per_token
QUALIFY row_number() OVER (
    PARTITION BY gpu, precision, gpu_count, input_tokens, output_tokens ORDER BY output_tokens_per_second_per_gpu DESC, throughput_id
) = 1
ORDER BY gpu, precision, gpu_count, input_tokens, output_tokens
"""
# The same by engine: what differs between devices on one engine is the device's.
_BY_ENGINE = """
SELECT precision, engine, gpu, gpu_count, concurrency, output_tokens_per_second_per_gpu AS rate_per_gpu
FROM marts.throughput
WHERE model = $model AND input_tokens = $given AND output_tokens = $written AND confidence <> 'low' AND scenario IS NULL
  AND gpu_count <= $gpus AND engine IS NOT NULL AND known_from::DATE <= $as_of AND ttft_s <= $ttft AND time_per_output_token_s <= $per_token
QUALIFY row_number() OVER (
    PARTITION BY precision, engine, gpu ORDER BY output_tokens_per_second_per_gpu DESC, throughput_id
) = 1
ORDER BY precision, engine, rate_per_gpu, gpu
"""
_RUNS = """
SELECT model, gpu, precision, gpu_count, input_tokens, output_tokens, concurrency, output_tokens_per_second
FROM marts.throughput
WHERE scenario IS NULL AND confidence <> 'low' AND concurrency >= 1 AND gpu_count <= $gpus AND NOT is_disaggregated
  AND input_tokens IS NOT NULL AND output_tokens IS NOT NULL AND known_from::DATE <= $as_of
ORDER BY throughput_id
"""


# A guess that is further off than this for its model, to either side, is no figure.
WORST_ERROR = 2.0
# Which measured rate is carried: the nearest by the logarithms of both lengths, and another engine, or a sweep that ended before a limit
# bound, counts as so much further away.
OTHER_ENGINE, ENDED_EARLY = 1.0, 2.0


def measurements(connection: duckdb.DuckDBPyConnection, workload: Workload, as_of: date, facts: Facts) -> list[Measurement]:
    """Rates for a workload. Raises WorkloadError where nothing is known of its model, or nothing meets its limits."""
    known = facts.models
    measured_models = {m for (m,) in connection.execute("SELECT DISTINCT model FROM marts.throughput").fetchall()}
    if workload.model not in {*known, *measured_models} and not workload.quotes.rates and not workload.quotes.tokens:
        names = sorted({*known, *measured_models})
        asked = f"model is {fit_to_show(repr(workload.model))}, of which nothing was measured and no size is known"
        raise WorkloadError(f"{asked}; expected one of {', '.join(names)}{hint(workload.model, names)}")
    if workload.tokens.output == 0:
        return []  # no run without output was measured; tokens are sold for it all the same
    found = _of_lengths(connection, workload, as_of, facts)
    # A carried rate is as far off as an estimate: it does not keep other devices from being compared.
    is_measured = any(m.basis == "measured" for m in found)
    if workload.model in known and workload.estimates != "never" and (workload.estimates == "all" or not is_measured):
        estimated = _estimated(connection, workload, as_of, facts)
        closest = min((m.error_share for m in estimated), default=math.inf)
        # Of two ways to guess the one that lay closer for this model.
        found = [m for m in found if m.basis == "measured" or m.error_share <= closest]
        there = {(m.gpu, m.precision) for m in found}
        found += [m for m in estimated if (m.gpu, m.precision) not in there]
    found = [m for m in found if m.error_share <= WORST_ERROR]
    if not found and not workload.quotes.rates and not workload.quotes.tokens:
        raise WorkloadError(_why_none(connection, workload))
    return found


def within(connection: duckdb.DuckDBPyConnection, model: str, limits: tuple[float, float], as_of: date) -> list[dict[str, Any]]:
    """The fastest measured run of each system and pair of lengths within limits of the first and of each further token."""
    given = {"gpus": LARGEST_SERVER_GPUS, "nodes": MOST_NODES, "as_of": as_of, "ttft": limits[0], "per_token": limits[1]}
    return rows(connection, _FASTEST, {"model": model, **given})


def on_one_engine(connection: duckdb.DuckDBPyConnection, workload: Workload, as_of: date) -> list[EngineRate]:
    """The best rate of each device within the limits, engine by engine; only engines on which two devices were measured."""
    given = {
        "model": workload.model,
        "given": workload.tokens.input,
        "written": workload.tokens.output,
        "gpus": LARGEST_SERVER_GPUS,
        "as_of": as_of,
        "ttft": workload.objective.ttft_s,
        "per_token": workload.objective.time_per_output_token_s,
    }
    found = [
        EngineRate(**r) for r in rows(connection, _BY_ENGINE, given) if not workload.precisions or r["precision"] in workload.precisions
    ]
    devices = Counter((r.precision, r.engine) for r in found)
    return [r for r in found if devices[r.precision, r.engine] > 1]


def _of_lengths(connection: duckdb.DuckDBPyConnection, workload: Workload, as_of: date, facts: Facts) -> list[Measurement]:
    """Measured at the lengths asked for, else carried over from the nearest measured ones that lie around them."""
    limits = (workload.objective.ttft_s, workload.objective.time_per_output_token_s)
    found = [
        r for r in within(connection, workload.model, limits, as_of) if not workload.precisions or r["precision"] in workload.precisions
    ]
    asked = (workload.tokens.input, workload.tokens.output)
    exact = [r for r in found if (r["input_tokens"], r["output_tokens"]) == asked]
    if exact or workload.estimates == "never":
        return [_measurement(r) for r in exact]
    return _carried(found, workload, asked, facts)


def _carried(found: Sequence[dict[str, Any]], workload: Workload, asked: tuple[int, int], facts: Facts) -> list[Measurement]:
    limits = (workload.objective.ttft_s, workload.objective.time_per_output_token_s)
    moved, groups = mover(workload.model, limits, facts), by_system(found)
    error = carrying_error(left_out(groups, moved))
    made = []
    for group in groups:
        near = min(group, key=lambda o: _distance(o, asked))
        carried = moved(near, asked)
        if carried is not None and _within(group, asked):
            made.append(_measurement(near, rate=carried[0], basis="interpolated", error=error))
    return made


Mover = Callable[[dict[str, Any], tuple[int, int]], tuple[float, float] | None]


def mover(model_name: str, limits: tuple[float, float], facts: Facts) -> Mover:
    """What carries a measured rate of a model to other lengths: the rate there and its concurrency; None where no roof is known."""
    model = facts.models.get(model_name)

    def roof(r: dict[str, Any], lengths: tuple[int, int]) -> tuple[float, float] | None:
        device = facts.devices.get(r["gpu"])
        if model is None or device is None:
            return None
        # A sweep that ended says nothing of more requests at a time than it tried; one that a limit ended may go on at other lengths.
        tried = r["concurrency"] if r["ended_early"] and r["concurrency"] else math.inf
        return fastest(model, device, r["precision"], r["gpu_count"], lengths, limits, Level(1.5, 0.0, 0), tried)

    def moved(r: dict[str, Any], lengths: tuple[int, int]) -> tuple[float, float] | None:
        there, here = roof(r, (r["input_tokens"], r["output_tokens"])), roof(r, lengths)
        if there is None or here is None:
            return None
        return carried_over(r["output_tokens_per_second_per_gpu"], there[0], here[0]), here[1]

    return moved


def by_system(found: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Rates of one device, precision and number of GPUs together, one for each pair of lengths."""
    groups: dict[tuple[str, str, float], list[dict[str, Any]]] = {}
    for r in found:
        groups.setdefault((r["gpu"], r["precision"], r["gpu_count"]), []).append(r)
    return list(groups.values())


def left_out(groups: Sequence[Sequence[dict[str, Any]]], moved: Mover) -> list[tuple[float, float]]:
    """Each measured rate that another of its system can be carried to: (carried from the nearest other, measured).

    Where its own sweep ended before a limit bound, the measured rate is a lower bound: one carried to more requests at a time than it tried
    may lie above it, and that says nothing.
    """
    pairs = []
    for group in groups:
        for r in group:
            lengths = (r["input_tokens"], r["output_tokens"])
            near = min((o for o in group if o is not r), key=lambda o: _distance(o, lengths, r["engine"]), default=None)
            carried = moved(near, lengths) if near else None
            if carried is None:
                continue
            rate, at_a_time = carried
            measured = r["output_tokens_per_second_per_gpu"]
            if not (r["ended_early"] and rate > measured and at_a_time > (r["concurrency"] or 0)):
                pairs.append((rate, measured))
    return pairs


def _distance(r: dict[str, Any], lengths: tuple[int, int], engine: str | None = None) -> float:
    apart = abs(math.log(r["input_tokens"] / lengths[0])) + abs(math.log(r["output_tokens"] / lengths[1]))
    return apart + OTHER_ENGINE * (engine is not None and r["engine"] != engine) + ENDED_EARLY * bool(r["ended_early"])


def _within(group: Sequence[dict[str, Any]], asked: tuple[int, int]) -> bool:
    """Between measured lengths, and at most twice beyond them."""
    given, written = [r["input_tokens"] for r in group], [r["output_tokens"] for r in group]
    return bool(min(given) / 2 <= asked[0] <= max(given) * 2 and min(written) / 2 <= asked[1] <= max(written) * 2)


def _measurement(r: dict[str, Any], rate: float | None = None, basis: str = "measured", error: float = 0.0) -> Measurement:
    return Measurement(
        r["gpu"],
        r["precision"],
        r["output_tokens_per_second_per_gpu"] if rate is None else rate,
        r["gpu_count"],
        r["throughput_id"],
        r["measured_on"],
        r["source"],
        engine=" ".join(filter(None, (r["engine"], r["engine_version"]))),
        concurrency=r["concurrency"],
        ended_early=bool(r["ended_early"]),
        basis=basis,
        error_share=error,
        sweep=_sweep(r),
    )


def _sweep(r: dict[str, Any]) -> tuple[tuple[float, float], ...]:
    """What the same system gives with fewer requests at a time: the best of each, as long as more requests give more."""
    best: dict[float, float] = {}
    for run in r["runs"] or ():
        best[run["at_a_time"]] = max(run["rate"], best.get(run["at_a_time"], 0.0))
    most, found = r["output_tokens_per_second_per_gpu"], list[tuple[float, float]]()
    for at_a_time, rate in sorted(best.items()):
        if r["concurrency"] is not None and at_a_time <= r["concurrency"] and (found[-1][0] if found else 0.0) < rate / most <= 1:
            found.append((rate / most, float(at_a_time)))
    return tuple(found)


def runs(connection: duckdb.DuckDBPyConnection, as_of: date, facts: Facts) -> list[Run]:
    """Measured runs whose model and device have known sizes and roofs."""
    known, roofs = facts.models, facts.devices
    return [
        Run(
            known[r["model"]],
            roofs[r["gpu"]],
            r["precision"],
            r["gpu_count"],
            r["input_tokens"],
            r["output_tokens"],
            r["concurrency"],
            r["output_tokens_per_second"],
        )
        for r in rows(connection, _RUNS, {"gpus": LARGEST_SERVER_GPUS, "as_of": as_of})
        if r["model"] in known and r["gpu"] in roofs and r["precision"] in roofs[r["gpu"]].flops
    ]


def _estimated(connection: duckdb.DuckDBPyConnection, workload: Workload, as_of: date, facts: Facts) -> list[Measurement]:
    level = level_of(runs(connection, as_of, facts))
    model = facts.models[workload.model]
    # Where the model itself was measured at other lengths, its own error counts if it is the larger one.
    error = max(level.error_share, share_of_most(level.misses.get(model.model, ())))
    lengths = (float(workload.tokens.input), float(workload.tokens.output))
    limits = (workload.objective.ttft_s, workload.objective.time_per_output_token_s)
    found = []
    for device in facts.devices.values():
        for precision in workload.precisions or ("fp8", "bf16"):
            held = False
            for gpus in map(float, SIZES):
                across = gpus > LARGEST_SERVER_GPUS
                best = None if across and held else fastest(model, device, precision, gpus, lengths, limits, level)
                if best is not None:
                    held = True
                    rate, concurrency = best
                    source = said("roofline calibrated on {runs} measured runs", runs=float(level.runs))
                    found.append(
                        Measurement(
                            device.gpu,
                            precision,
                            rate / gpus,
                            gpus,
                            f"estimate of {model.model} on {gpus:g}x {device.gpu} {precision}",
                            None,
                            source,
                            engine=said("no engine"),
                            concurrency=concurrency,
                            basis="estimated",
                            error_share=max(error, ACROSS_ERROR) if across else error,
                            sweep=sweep_to(model, device, precision, gpus, lengths, concurrency),
                        )
                    )
    return found


def _why_none(connection: duckdb.DuckDBPyConnection, workload: Workload) -> str:
    """`Not measured in bf16` is not `misses the limit`."""
    measured = {
        p for (p,) in connection.execute("SELECT DISTINCT precision FROM marts.throughput WHERE model = ?", [workload.model]).fetchall()
    }
    if workload.precisions and not set(workload.precisions) & measured:
        said = f"precisions are {', '.join(workload.precisions)}, in which {workload.model} was not measured"
        return f"{said}; expected one of {', '.join(sorted(measured)) or 'those of another model'}"
    asked = f"{workload.tokens.input}/{workload.tokens.output}"
    return (
        f"no rate of {workload.model} ({', '.join(workload.precisions) or 'any precision'}) at tokens {asked} meets objective.ttft_s "
        f"{workload.objective.ttft_s:g} and objective.time_per_output_token_s {workload.objective.time_per_output_token_s:g}"
    )
