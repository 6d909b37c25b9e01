"""All marts of the stored answers, on a Ray cluster.

    python -m pipelines.refresh.distributed FILES --as-of 2026-07-30 [--address auto] [--parts 16] [--digits 1]

FILES is a folder that every machine sees under the same path, or `s3://bucket/prefix`; the marts come to lie in its `marts/`. The answers
are those of the data folder (`BREAKEVEN_DATA`), of which nothing is changed but `distributed/`. What was put aside lies in `quarantine/`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from datetime import date

from pipelines.history.distributed.ray import ThisProcess, ray_workers
from pipelines.platform.settings import load_settings
from pipelines.platform.shared_files import shared_files
from pipelines.refresh.distributed.rebuild import rebuild_marts


def main(arguments: Sequence[str] | None = None) -> int:
    """Compute, and print how long each step took and what was not used."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.refresh.distributed", description="All marts, on a Ray cluster.")
    parser.add_argument("files", metavar="FILES", help="folder that all machines see, or s3:// URL, for what passes between workers")
    parser.add_argument("--as-of", type=date.fromisoformat, required=True, metavar="DATE", help="the day computed for (YYYY-MM-DD)")
    parser.add_argument("--parts", type=int, default=16, metavar="N", help="into how many a step by days or devices is divided (16)")
    parser.add_argument("--digits", type=int, default=1, choices=(1, 2), help="digits of an id that make a bucket of series: 16 or 256")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads of each worker (1)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--address", default=None, help="a running Ray cluster; by default one is started here")
    where.add_argument("--workers", type=int, default=None, metavar="N", help="so many workers here; 0 for none but this process")
    options = parser.parse_args(arguments)
    nobody_else = options.workers == 0
    with nullcontext(ThisProcess()) if nobody_else else ray_workers(options.address, options.workers, options.threads) as workers:
        made = rebuild_marts(
            load_settings(os.environ), options.as_of, shared_files(options.files), workers, parts=options.parts, digits=options.digits
        )
    print(json.dumps(asdict(made), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
