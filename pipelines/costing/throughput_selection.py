"""Which measured configuration serves a workload: the fastest per GPU that keeps its limits, or none.

Belongs here: the choice, and on which days it is shown. No row, no figure: nothing is extrapolated to other lengths, devices or loads.
"""

from __future__ import annotations

from datetime import date

import polars as pl

CONFIGURATION = ["workload", "model", "precision", "gpu"]
# What one server holds; measured systems beyond it are racks or several servers, which nobody quotes as one machine here.
LARGEST_SERVER_GPUS = 8


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
            (pl.col("ttft_s") <= pl.col("ttft_limit_s")) & (pl.col("time_per_output_token_s") <= pl.col("time_per_output_token_limit_s"))
        )
        .sort("output_tokens_per_second_per_gpu", "throughput_id", descending=[True, False])
        .unique(CONFIGURATION, keep="first", maintain_order=True)
        .drop("ttft_limit_s", "time_per_output_token_limit_s")
    )


def measured_choice(throughput: pl.LazyFrame, reference_workload: pl.LazyFrame) -> pl.LazyFrame:
    """The configuration of one server that serves each workload, model, precision and device, with the least machine that holds it."""
    workload = reference_workload.select("workload", "utilisation_share", "is_default")
    needed = pl.col("gpu_count")
    size = pl.when(needed <= 1).then(1).when(needed <= 2).then(2).when(needed <= 4).then(4).when(needed <= 8).then(8)
    return (
        fastest_within(throughput.filter(pl.col("gpu_count") <= LARGEST_SERVER_GPUS), reference_workload)
        .join(workload, on="workload")
        .select(
            "workload",
            "model",
            "precision",
            "gpu",
            "utilisation_share",
            "is_default",
            "input_tokens",
            "output_tokens",
            "throughput_id",
            pl.col("measured_on").alias("throughput_measured_on"),
            "output_tokens_per_second_per_gpu",
            "ttft_s",
            "time_per_output_token_s",
            size.cast(pl.Int64).alias("min_gpu_count"),
        )
    )


def only_on_larger_systems(throughput: pl.LazyFrame, reference_workload: pl.LazyFrame) -> pl.LazyFrame:
    """Workloads, models, precisions and devices that were measured within the limits, but never on one server."""
    larger = fastest_within(throughput.filter(pl.col("gpu_count") > LARGEST_SERVER_GPUS), reference_workload)
    return larger.select(CONFIGURATION).join(measured_choice(throughput, reference_workload), on=CONFIGURATION, how="anti")


def is_shown(refreshed_on: date | None) -> pl.Expr:
    """The default workload is shown for every day, the others on the day of the refresh, if that is among them, and at month ends."""
    is_month_end = pl.col("on_date") == pl.col("on_date").dt.month_end()
    return pl.col("is_default") | is_month_end | (pl.col("on_date") == refreshed_on if refreshed_on is not None else pl.lit(False))
