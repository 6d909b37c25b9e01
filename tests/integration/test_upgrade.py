"""A warehouse that the first version left is taken over: answers, record, published version; what has another form is made anew."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import duckdb

from pipelines.ingest.snapshots import SnapshotStore
from pipelines.sources.skypilot_catalog import payload
from tests.support.cli import SMALL_MARKET, Cli

# Rows of the record as the first version wrote them: no number, no effect of a rule, `published` before the deed.
OLD_RECORD = [
    {
        "as_of_on": "2026-11-20",
        "started_at": "2026-11-20T05:15:00.000001",
        "finished_at": "2026-11-20T05:15:30.000001",
        "outcome": "published",
        "detail": None,
        "software_version": "0.1.0",
        "table": "refreshes",
        "run_id": "old-run",
    },
    {
        "table_name": "marts.price_history",
        "rule": "usd_per_hour_above",
        "rule_kind": "row",
        "severity": "critical",
        "is_passed": True,
        "failing_count": 0,
        "row_count": 1,
        "detail": "0 of 1 rows break it",
        "table": "check_results",
        "run_id": "old-run",
    },
    {
        "table_name": "t",
        "quarantine_number": 1,
        "row_key": "k",
        "rule": "r",
        "reason": "why",
        "row_json": "{}",
        "table": "quarantine",
        "run_id": "old-run",
    },
]
CATALOG = (
    "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,Region,AvailabilityZone\n"
    "p5.48xlarge,H100,8.0,192.0,2048.0,x,55.04,25.0,us-east-1,us-east-1a\n"
)


def stored_by_the_first_version(data: Path) -> None:
    store = SnapshotStore(data / "snapshots")
    for day in (18, 20):
        at = dt.datetime(2026, 11, day, 5, 15)
        answer = payload("aws", CATALOG.encode(), "https://catalog.example/aws/vms.csv")
        store.add("skypilot_catalog", at.date(), "old-run", [replace(answer, fetched_at=at)])
    (data / "snapshots" / "index.check").unlink()
    (data / "ops").mkdir()
    (data / "ops" / "old-run.jsonl").write_text("".join(json.dumps(row) + "\n" for row in OLD_RECORD))
    (data / "history").mkdir()
    for file, table in (("history/history.duckdb", "statement"), ("build.duckdb", "x"), ("work.duckdb", "x")):
        with duckdb.connect(str(data / file)) as connection:
            connection.execute(f"CREATE TABLE {table} AS SELECT 1 AS series_id")
    version = data / "published" / "versions" / "20261120T051500Z-old"
    version.mkdir(parents=True)
    (version / "breakeven.duckdb").write_bytes((data / "build.duckdb").read_bytes())
    keys = ("version", "blocked_reason", "fingerprint", "sources", "tables", "files")
    manifest = {
        **{key: {} for key in keys},
        "run_id": "old-run",
        "as_of": "2026-11-20",
        "created_at": "2026-11-20T05:15:30Z",
        "blocked": False,
    }
    (version / "manifest.json").write_text(json.dumps(manifest))
    (data / "published" / "current").symlink_to(Path("versions") / version.name)
    (data / "published" / "breakeven.duckdb").symlink_to(Path("current") / "breakeven.duckdb")


def test_a_warehouse_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    cli = Cli(tmp_path / "data", SMALL_MARKET)
    stored_by_the_first_version(cli.data)
    before = cli("status")
    assert before.returncode == 1 and "Last refresh: published" in before.stdout and "hours old" in before.stdout
    done = cli("refresh", "--offline", "--as-of", "2026-11-23")
    assert done.returncode == 0, done.stderr
    with duckdb.connect(str(cli.current / "breakeven.duckdb"), read_only=True) as published:
        outcomes = published.execute("SELECT run_id = 'old-run', outcome FROM ops.refreshes ORDER BY started_at").fetchall()
        assert outcomes == [(True, "published"), (False, "published")]
        assert published.execute("SELECT count(*) FROM ops.check_results WHERE run_id = 'old-run' AND is_passed").fetchall() == [(1,)]
        prices = published.execute(
            "SELECT count(*) > 0 FROM marts.price_history WHERE source = 'skypilot_catalog' AND instance_type = 'p5.48xlarge'"
        )
        assert prices.fetchall() == [(True,)]
    after = cli("status", "--json")
    found = json.loads(after.stdout)
    assert found["problems"] == [] and found["losses"] == [] and found["last_refresh"]["outcome"] == "published"
    assert len((cli.data / "snapshots" / "index.check").read_text().splitlines()) > 2
