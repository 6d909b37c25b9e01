"""All marts on many machines: the same bytes as day by day and as rebuilt, at any number of threads, whoever is lost in the middle.

On a market of our own: a price that moves, one that stays, one that goes missing, one beyond what can be, a day whose answer is set aside,
an offer that its seller takes off his list.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest

from pipelines.ingest.snapshots import SnapshotStore
from pipelines.platform.shared_files import shared_files
from pipelines.publication.parts import files_of
from pipelines.sources.lib.source import Payload
from tests.support.catalog_snapshots import Reading, write_readings, write_snapshots
from tests.support.cli import MANY_SELLERS, Cli, without
from tests.support.object_store import object_store
from tests.support.once import made_once
from tests.support.paths import ROOT

FIRST, DAYS = date(2026, 8, 1), 8
LAST = FIRST + timedelta(days=DAYS - 1)
POISONED = 3
# One machine stands in thirty zones: the past of its seller's own series speaks against a price.
ZONE = "zone-"
MARKET = without(*MANY_SELLERS)
# That day twice thirty prices at spot and one on demand, and the one price beside them that no machine of its kind has.
ON_BOTH_NODES = {"nodes": 2, "own": False, "aside": 1, "quarantined": 63}
needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the optional extra `distributed` is not installed")

# On two nodes of one core each. The worker that is asked to ends itself while it writes the bucket 7, once.
ON_TWO_NODES = """
import json, os, pathlib, signal, sys, threading
from datetime import date
import ray
from ray.cluster_utils import Cluster
from pipelines.history.distributed.ray import RayWorkers, ray_workers
from pipelines.platform.settings import load_settings
from pipelines.platform.shared_files import shared_files
from pipelines.publication.parts import files_of
from pipelines.refresh.distributed.rebuild import rebuild_marts

as_of, files, marks = sys.argv[1:]
marks = pathlib.Path(marks)

def noted(function, *arguments):
    if function.__name__ == "write_bucket" and arguments[2] == "7":
        (marks / str(os.getpid())).touch()
        if (marks / "kill").exists():
            (marks / "kill").unlink()
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGKILL)).start()
    return ray.get_runtime_context().get_node_id(), os.getpid(), function(*arguments)

class Noting(RayWorkers):
    seen = set()

    def start(self, function, *arguments):
        return super().start(noted, function, *arguments)

    def results(self, started):
        found = super().results(started)
        self.seen |= {(node, pid) for node, pid, _ in found}
        return [result for _, _, result in found]

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
cluster.add_node(num_cpus=1)
with ray_workers(cluster.address, threads=2):
    workers = Noting()
    made = rebuild_marts(load_settings(os.environ), date.fromisoformat(as_of), shared_files(files), workers, parts=3)
    nodes, pids = {node for node, _ in workers.seen}, {pid for _, pid in workers.seen}
    print(json.dumps({"nodes": len(nodes), "own": os.getpid() in pids, "aside": len(made.not_used), "quarantined": made.quarantined}))
cluster.shutdown()
"""


def readings(path: Path) -> Path:
    rows: list[Reading] = []
    for number in range(DAYS * 2):
        at = datetime.combine(FIRST, time(1)) + timedelta(hours=12 * number)
        is_poisoned = number // 2 == POISONED
        rows += [
            (at, "p5.48xlarge", "H100", 8.0, 55.04, 20.0 + 0.1 * number),
            (at, "p4d.24xlarge", "A100", 8.0, 21.96, 8.0),
            (at, "p3.2xlarge", "V100", 1.0, 3.06, None if 4 < number < 12 else 0.9),
            (at, "g5.xlarge", "A10G", 1.0, 1.006, 900.0 if number == 9 else 0.4),
            *((at, f"{ZONE}{n}", "T4", 1.0, 9999.0 if is_poisoned else 0.53, 9999.0 if is_poisoned else 0.2) for n in range(30)),
        ]
    is_in_a_zone = pl.col("instance_type").str.starts_with(ZONE)
    kind = pl.when(is_in_a_zone).then(pl.lit("g4dn.xlarge")).otherwise("instance_type")
    zone = pl.when(is_in_a_zone).then("instance_type").otherwise("zone")
    pl.read_parquet(write_readings(path, rows)).with_columns(zone=zone, instance_type=kind).write_parquet(path)
    return path


def write_answers(folder: Path, first: int, last: int) -> None:
    """What was answered on some days, counted from 0."""
    folder.mkdir(parents=True, exist_ok=True)
    own = folder.parent / "readings.parquet"
    write_snapshots(readings(own), folder, first=FIRST + timedelta(days=first), last=FIRST + timedelta(days=last))
    store = SnapshotStore(folder)
    answer = json.loads((ROOT / "tests" / "fixtures" / "lambda" / "answer.json").read_text())["data"]
    for number in range(first, last + 1):
        day = FIRST + timedelta(days=number)
        listed = {name: answer[name] for name in ("gpu_8x_h100_sxm5", "gpu_1x_gh200") if number < 5 or name == "gpu_1x_gh200"}
        content = json.dumps({"data": listed}).encode()
        payload = Payload("answer", "https://lambda.example/", content, datetime.combine(day, time(6)))
        store.add("lambda", day, f"replay-{day}", [payload])


def hashes(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*.parquet"))}


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A warehouse refreshed on three days, of which the last brings five."""

    def make(folder: Path) -> None:
        for first, last in ((0, 1), (2, 2), (3, DAYS - 1)):
            write_answers(folder / "data" / "snapshots", first, last)
            done = Cli(folder / "data", MARKET)("refresh", "--offline", "--as-of", str(FIRST + timedelta(days=last)))
            assert done.returncode in (0, 3), done.stdout + done.stderr

    return Cli(made_once(tmp_path_factory, "grown_by_the_day", make) / "data", MARKET)


@pytest.fixture(scope="module")
def day_by_day(grown: Cli) -> dict[str, str]:
    """The hash of every mart, which holds what this market is made for."""

    def mart(name: str) -> pl.DataFrame:
        return pl.concat([pl.read_parquet(file) for file in files_of(grown.current, f"marts.{name}").values()])

    assert "unlisted" in mart("offer_availability").get_column("offer_state").to_list()
    history = mart("price_history")
    assert history.filter(pl.col("usd_per_gpu_hour") > 800).is_empty()
    # The day that was set aside is none on which the prices of that machine were other ones.
    assert history.filter(pl.col("zone") == f"{ZONE}7").height == 1
    for name in ("gpu_price_rolling", "price_history_versions", "market_price", "rented_price", "cost_per_token", "break_even"):
        assert mart(name).height, name
    assert len(files_of(grown.current, "marts.gpu_price_rolling")) > 1
    return hashes(grown.current / "marts")


def copy_of(grown: Cli, folder: Path) -> Cli:
    """A data folder with the same snapshots and nothing else."""
    folder.mkdir()
    (folder / "snapshots").symlink_to(grown.data / "snapshots")
    return Cli(folder, MARKET)


def run(cli: Cli, *command: str, environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        env={**cli.environment, "PYTHONPATH": str(ROOT), **(environment or {})},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout.splitlines()[-1]


def test_a_rebuild_gives_the_same_bytes(grown: Cli, day_by_day: dict[str, str], tmp_path: Path) -> None:
    anew = copy_of(grown, tmp_path / "anew")
    done = anew("refresh", "--offline", "--as-of", str(LAST))
    assert done.returncode in (0, 3), done.stdout + done.stderr
    assert hashes(anew.current / "marts") == day_by_day


@pytest.mark.parametrize("threads", [pytest.param("1", marks=pytest.mark.long), pytest.param("2", marks=pytest.mark.long), "8"])
def test_parts_give_the_same_bytes_at_any_number_of_threads(grown: Cli, day_by_day: dict[str, str], tmp_path: Path, threads: str) -> None:
    cli, files = copy_of(grown, tmp_path / "data"), tmp_path / "files"
    command = ["-m", "pipelines.refresh.distributed", str(files), "--as-of", str(LAST), "--workers", "0", "--parts", "5"]
    run(cli, *command, environment={"POLARS_MAX_THREADS": threads})
    assert hashes(files / "marts") == day_by_day
    assert not (cli.data / "published").exists()


@needs_ray
def test_a_worker_killed_in_the_middle_changes_nothing(grown: Cli, day_by_day: dict[str, str], tmp_path: Path) -> None:
    marks, files = tmp_path / "marks", tmp_path / "files"
    marks.mkdir()
    (marks / "kill").touch()
    said = json.loads(run(copy_of(grown, tmp_path / "data"), "-c", ON_TWO_NODES, str(LAST), str(files), str(marks)))
    assert said == ON_BOTH_NODES
    assert len(list(marks.iterdir())) == 2, "one worker was killed in the bucket 7, another one wrote it"
    assert hashes(files / "marts") == day_by_day


@needs_ray
@pytest.mark.long
def test_the_same_on_an_object_store(grown: Cli, day_by_day: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is shared but the object store: the answers are there, too."""
    pytest.importorskip("moto.server", reason="moto's server is not installed")
    marks = tmp_path / "marks"
    marks.mkdir()
    with object_store(monkeypatch) as (_, address):
        environment = {
            "AWS_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        cli = copy_of(grown, tmp_path / "data")
        said = json.loads(run(cli, "-c", ON_TWO_NODES, str(LAST), "s3://prices/run", str(marks), environment=environment))
        assert said == ON_BOTH_NODES
        there = shared_files("s3://prices/run")
        found = {name: sha256(there.get(f"marts/{name}", tmp_path / "got").read_bytes()).hexdigest() for name in day_by_day}
    assert found == day_by_day
