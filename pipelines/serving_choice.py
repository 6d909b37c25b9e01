"""Which measured configuration serves a workload: the fastest per GPU that keeps its limits, or none.

Belongs here: the choice alone. No row, no figure: nothing is extrapolated to other lengths, devices or loads.
"""

from __future__ import annotations

import polars as pl

CONFIGURATION = ["workload", "model", "precision", "gpu"]


def fastest_within(throughput: pl.LazyFrame, workload: pl.LazyFrame) -> pl.LazyFrame:
    """For each workload, model, precision and device the row with the highest output rate per GPU within the workload's limits.

    Lengths must be equal to the workload's. Rows of low confidence are never chosen. Equal rates are decided by the row's id.
    Returns the throughput columns with the workload's name.
    """
    limits = workload.select("workload", "input_tokens", "output_tokens", "ttft_limit_s", "time_per_output_token_limit_s")
    return (
        throughput.filter(pl.col("confidence") != "low")
        .join(limits, on=["input_tokens", "output_tokens"])
        .filter(
            (pl.col("ttft_s") <= pl.col("ttft_limit_s"))
            & (pl.col("time_per_output_token_s") <= pl.col("time_per_output_token_limit_s"))
        )
        .sort("output_tokens_per_second_per_gpu", "throughput_id", descending=[True, False])
        .unique(CONFIGURATION, keep="first", maintain_order=True)
        .drop("ttft_limit_s", "time_per_output_token_limit_s")
    )
