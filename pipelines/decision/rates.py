"""How many tokens a device serves within the limits.

Belongs here: the choice of measured rates for one workload, by device, precision and number of GPUs. Does not belong here: prices.
"""

from __future__ import annotations

from datetime import date

import duckdb

from pipelines.costing.throughput_selection import LARGEST_SERVER_GPUS
from pipelines.decision.documents import WorkloadError
from pipelines.decision.market import Measurement
from pipelines.decision.workload import Workload
from pipelines.publication.reader import rows

# Of each device, precision and number of GPUs the fastest run within the limits. Where the longest sweep of its engine ended inside the
# limits, nobody saw the fastest.
_FASTEST = """
WITH run AS (
    SELECT *,
           max(concurrency) OVER (PARTITION BY gpu, precision, gpu_count, engine, engine_version) AS sweep_end
    FROM marts.throughput
    WHERE model = $model AND input_tokens = $input AND output_tokens = $output AND confidence <> 'low' AND scenario IS NULL
      AND gpu_count <= $gpus AND known_from::DATE <= $as_of
)
SELECT *, concurrency IS NOT NULL AND concurrency = sweep_end AS ended_early
FROM run
WHERE ttft_s <= $ttft AND time_per_output_token_s <= $per_token
QUALIFY row_number() OVER (
    PARTITION BY gpu, precision, gpu_count ORDER BY output_tokens_per_second_per_gpu DESC, throughput_id
) = 1
ORDER BY gpu, precision, gpu_count
"""


def measurements(connection: duckdb.DuckDBPyConnection, workload: Workload, as_of: date) -> list[Measurement]:
    """Rates for a workload. Raises WorkloadError where nothing is known of its model or lengths."""
    if workload.quotes.rates or workload.tokens.output == 0:
        return _measured(connection, workload, as_of)
    models = [m for (m,) in connection.execute("SELECT DISTINCT model FROM marts.throughput ORDER BY 1").fetchall()]
    if workload.model not in models:
        raise WorkloadError(f"model is {workload.model!r}, of which nothing was measured; expected one of {', '.join(models)}")
    lengths = connection.execute(
        "SELECT DISTINCT input_tokens, output_tokens FROM marts.throughput WHERE model = ? AND input_tokens IS NOT NULL ORDER BY ALL",
        [workload.model],
    ).fetchall()
    asked = (workload.tokens.input, workload.tokens.output)
    if asked not in lengths:
        known = ", ".join(f"{i}/{o}" for i, o in lengths)
        raise WorkloadError(f"tokens are {asked[0]}/{asked[1]}, at which {workload.model} was not measured; expected one of {known}")
    found = _measured(connection, workload, as_of)
    if not found:
        raise WorkloadError(_why_none(connection, workload))
    return found


def _measured(connection: duckdb.DuckDBPyConnection, workload: Workload, as_of: date) -> list[Measurement]:
    found = rows(
        connection,
        _FASTEST,
        {
            "model": workload.model,
            "input": workload.tokens.input,
            "output": workload.tokens.output,
            "gpus": LARGEST_SERVER_GPUS,
            "as_of": as_of,
            "ttft": workload.objective.ttft_s,
            "per_token": workload.objective.time_per_output_token_s,
        },
    )
    return [
        Measurement(
            r["gpu"],
            r["precision"],
            r["output_tokens_per_second_per_gpu"],
            r["gpu_count"],
            r["throughput_id"],
            r["measured_on"],
            r["source"],
            engine=" ".join(filter(None, (r["engine"], r["engine_version"]))),
            concurrency=r["concurrency"],
            ended_early=bool(r["ended_early"]),
        )
        for r in found
        if not workload.precisions or r["precision"] in workload.precisions
    ]


def _why_none(connection: duckdb.DuckDBPyConnection, workload: Workload) -> str:
    """`Not measured in bf16` is not `misses the limit`."""
    measured = {
        p
        for (p,) in connection.execute(
            "SELECT DISTINCT precision FROM marts.throughput WHERE model = ? AND input_tokens = ? AND output_tokens = ?",
            [workload.model, workload.tokens.input, workload.tokens.output],
        ).fetchall()
    }
    wanted = set(workload.precisions)
    if wanted and not wanted & measured:
        return f"precisions are {', '.join(workload.precisions)}, in which {workload.model} was not measured at these lengths; " + (
            f"expected one of {', '.join(sorted(measured))}"
        )
    return (
        f"no measurement of {workload.model} ({', '.join(workload.precisions) or 'any precision'}) meets objective.ttft_s "
        f"{workload.objective.ttft_s} and objective.time_per_output_token_s {workload.objective.time_per_output_token_s}"
    )
