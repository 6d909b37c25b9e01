"""The buckets of the real history on a local Ray cluster of two workers, on a path and on an object store: the tables are the same."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.history.distributed.buckets import buckets, compute_bucket, statistics_of, write_buckets
from tests.support.cli import Cli
from tests.support.paths import ROOT

COUNT = 4
ray = pytest.importorskip("ray", reason="the optional extra `distributed` is not installed")

ON_RAY = """
import datetime, json, os, sys
import ray
from pipelines.history.distributed.buckets import buckets
from pipelines.history.distributed.ray import compute_on_ray

prices, target, count, as_of = sys.argv[1:5]
options = json.loads(sys.argv[5])
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)

@ray.remote(num_cpus=1)
def worker():
    import time
    time.sleep(0.5)
    return os.getpid()

pids = set(ray.get([worker.remote() for _ in range(8)]))
rows = compute_on_ray(buckets(prices, target, int(count)), datetime.date.fromisoformat(as_of), options)
print(json.dumps({"rows": rows, "workers": len(pids), "own": os.getpid() in pids}))
"""


@pytest.fixture(scope="module")
def prices(archive: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prices")
    history = pl.scan_parquet(archive.current / "marts" / "price_history.parquet").with_columns(
        pl.col("usd_per_gpu_hour").round(8).cast(pl.Decimal(18, 8))
    )
    write_buckets(history, folder, COUNT)
    return folder


def on_two_workers(prices: str, target: str, as_of: str, options: dict[str, str]) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", ON_RAY, prices, target, str(COUNT), as_of, json.dumps(options)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_two_workers_write_the_same_files_as_one_process(archive: Cli, prices: Path, tmp_path: Path) -> None:
    as_of = str(archive.manifest()["as_of"])
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    day = date.fromisoformat(as_of)
    rows = sum(compute_bucket(part, day) for part in buckets(str(prices), str(here), COUNT))
    found = on_two_workers(str(prices), str(there), as_of, {})
    assert found == {"rows": rows, "workers": 2, "own": False}
    for number in range(COUNT):
        name = f"bucket={number}.parquet"
        assert (there / name).read_bytes() == (here / name).read_bytes()


def test_the_buckets_together_are_the_published_table(archive: Cli, prices: Path) -> None:
    day = date.fromisoformat(str(archive.manifest()["as_of"]))
    parts = [pl.read_parquet(prices / f"bucket={number}.parquet") for number in range(COUNT)]
    assert all(part.height for part in parts)
    found = pl.concat([statistics_of(part.lazy(), day).collect() for part in parts]).sort("series_id", "on_date", "window_days")
    with duckdb.connect(str(archive.current / "breakeven.duckdb"), read_only=True) as connection:
        published = connection.sql("FROM marts.gpu_price_rolling ORDER BY series_id, on_date, window_days").pl()
    floats = [name for name, kind in found.schema.items() if kind == pl.Float64]
    assert found.with_columns(pl.col(floats).round_sig_figs(12)).select(published.columns).equals(published)


def test_the_same_on_an_object_store(archive: Cli, prices: Path, tmp_path: Path) -> None:
    """A server of S3's protocol on loopback (moto) stands for the object store; both workers read from it and write to it."""
    server = pytest.importorskip("moto.server", reason="moto's server is not installed").ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        options = {
            "aws_endpoint_url": f"http://{host}:{port}",
            "aws_allow_http": "true",
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
            "aws_region": "us-east-1",
        }
        import boto3

        client = boto3.client(
            "s3",
            endpoint_url=options["aws_endpoint_url"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name="us-east-1",
        )
        client.create_bucket(Bucket="history")
        for file in sorted(prices.glob("*.parquet")):
            client.upload_file(str(file), "history", f"prices/{file.name}")
        as_of = str(archive.manifest()["as_of"])
        found = on_two_workers("s3://history/prices", "s3://history/statistics", as_of, options)
        assert found["workers"] == 2
        here = tmp_path / "here"
        here.mkdir()
        day = date.fromisoformat(as_of)
        for part in buckets(str(prices), str(here), COUNT):
            compute_bucket(part, day)
            stored = client.get_object(Bucket="history", Key=f"statistics/bucket={part.number}.parquet")["Body"].read()
            assert stored == Path(part.statistics).read_bytes()
    finally:
        server.stop()
        shutil.rmtree(tmp_path / "here", ignore_errors=True)
