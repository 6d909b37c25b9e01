"""The buckets of a history on many machines, by Ray (an optional extra: `pip install breakeven[distributed]`).

Belongs here: handing buckets to workers and adding up what they report. Does not belong here: what is done with a bucket (`buckets`).
Each worker reads and writes its own Parquet, on a path that all see or on an object store; only numbers travel.

    python -m pipelines.history.distributed PRICES TARGET --buckets 16 --as-of 2026-07-30 [--address auto]

An object store is reached as the environment says (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, ...), on the workers too.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.history.distributed.buckets import Bucket, StorageOptions, buckets, compute_bucket


def compute_on_ray(parts: Sequence[Bucket], as_of: date, storage_options: StorageOptions | None = None, address: str | None = None) -> int:
    """Every bucket as a task of a Ray cluster: the one at `address`, else one that is started here. Gives the number of rows read.

    A task that fails is tried again elsewhere by Ray; it writes the same file again.
    """
    import ray  # noqa: PLC0415  (an optional extra)

    started_here = not ray.is_initialized()
    if started_here:
        ray.init(address=address, include_dashboard=False, log_to_driver=False, _metrics_export_port=None)
    try:
        task: Callable[..., Any] = ray.remote(num_cpus=1)(compute_bucket).remote
        done: list[int] = ray.get([task(part, as_of, storage_options) for part in parts])
        return sum(done)
    finally:
        if started_here:
            ray.shutdown()


def main(arguments: Sequence[str] | None = None) -> int:
    """Compute the statistics of a folder of buckets."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.history.distributed", description="Rolling statistics of buckets, on Ray.")
    parser.add_argument("prices", help="folder or s3:// URL with bucket=<number>.parquet")
    parser.add_argument("target", help="folder or s3:// URL for the statistics")
    parser.add_argument("--buckets", type=int, required=True, metavar="N", help="how many buckets there are, numbered from 0")
    parser.add_argument("--as-of", type=date.fromisoformat, required=True, metavar="DATE", help="last day of the history (YYYY-MM-DD)")
    parser.add_argument("--address", default=None, help="a running Ray cluster; by default one is started here")
    options = parser.parse_args(arguments)
    if "://" not in options.target:
        Path(options.target).mkdir(parents=True, exist_ok=True)
    rows = compute_on_ray(buckets(options.prices, options.target, options.buckets), options.as_of, address=options.address)
    print(f"{rows} rows of prices read, statistics in {options.target}")
    return 0
