"""Parts of a computation on many machines, by Ray (an optional extra: `pip install breakeven[distributed]`), or in this process.

Belongs here: handing parts to workers and giving back what they report. Does not belong here: what is done with a part. Each worker
reads and writes its own files, on a path that all see or on an object store; only numbers and verdicts travel.

    python -m pipelines.history.distributed PRICES TARGET --buckets 16 --as-of 2026-07-30 [--address auto]

An object store is reached as the environment says (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, ...), on the workers too.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from pipelines.history.distributed.buckets import Bucket, StorageOptions, buckets, compute_bucket

# A worker that is lost, with its machine or by a kill, costs its part: that is done again, and writes the same files again.
_TRIES_AGAIN = 5


class Workers(Protocol):
    """Who does the parts."""

    def start(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Have a part done; gives what `results` takes."""

    def results(self, started: Sequence[Any]) -> list[Any]:
        """What the functions of started parts gave. Raises what one of them raised."""


def every(workers: Workers, function: Callable[..., Any], parts: Sequence[tuple[Any, ...]]) -> list[Any]:
    """What a function gives for each list of arguments."""
    return workers.results([workers.start(function, *part) for part in parts])


class ThisProcess:
    """One part after the other, here."""

    def start(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """See Workers."""
        return function(*arguments)

    def results(self, started: Sequence[Any]) -> list[Any]:
        """See Workers."""
        return list(started)


class RayWorkers:
    """Each part a task of one core."""

    def start(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """See Workers."""
        import ray  # noqa: PLC0415  (an optional extra)

        return ray.remote(num_cpus=1, max_retries=_TRIES_AGAIN)(function).remote(*arguments)

    def results(self, started: Sequence[Any]) -> list[Any]:
        """See Workers."""
        import ray  # noqa: PLC0415  (an optional extra)

        return list(ray.get(list(started)))


@contextmanager
def ray_workers(address: str | None = None, count: int | None = None, threads: int = 1) -> Iterator[RayWorkers]:
    """The workers of the Ray cluster at `address`, else of one that is started here, with `count` workers. One that runs already is used.

    A task has one core, and so by default one thread of polars.
    """
    import ray  # noqa: PLC0415  (an optional extra)

    started_here = not ray.is_initialized()
    if started_here:
        own: dict[str, Any] = {} if address else {"num_cpus": count, "include_dashboard": False, "_metrics_export_port": None}
        ray.init(address=address, log_to_driver=False, runtime_env={"env_vars": {"POLARS_MAX_THREADS": str(threads)}}, **own)
    try:
        yield RayWorkers()
    finally:
        if started_here:
            ray.shutdown()


def compute_on_ray(parts: Sequence[Bucket], as_of: date, storage_options: StorageOptions | None = None, address: str | None = None) -> int:
    """Every bucket of prices as a task of a Ray cluster. Gives the number of rows read."""
    with ray_workers(address) as workers:
        return sum(every(workers, compute_bucket, [(part, as_of, storage_options) for part in parts]))


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
