"""Broken input is stopped or quarantined before publication; a kill at any instant leaves a whole version."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.faults import run_with
from tests.support.cli import SMALL_MARKET, Cli
from tests.support.paths import ROOT
from tests.support.warm import run_command

REFRESH = ["refresh", "--offline", "--as-of", "2026-11-23", "--rebuild"]
MART_COUNT = "SELECT count(*), sum(usd_per_hour) FROM marts.price_history"


@pytest.fixture
def copy(small_market: Cli, tmp_path: Path) -> Cli:
    """A copy of the refreshed warehouse that a test may harm."""
    return copied(small_market, tmp_path)


def copied(refreshed: Cli, folder: Path) -> Cli:
    made = Cli(folder / "data", refreshed.settings)
    shutil.copytree(refreshed.data, made.data, symlinks=True)
    return made


def start(cli: Cli, fault: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.run_with", fault, *arguments],
        env=cli.environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(cli: Cli, fault: str, **environment: str) -> tuple[int, str]:
    done = run_command([fault, *REFRESH], {**cli.environment, **environment}, ROOT, timeout_seconds=180, command=run_with.main)
    return done.returncode, done.stdout + done.stderr


def ask(cli: Cli, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str((cli.data / "published" / "breakeven.duckdb").resolve()), read_only=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ("columns_reordered", "columns are in the order"),
        ("column_missing", "column 'licence' is missing"),
        ("type_changed", "column 'usd_per_hour' is String, expected Float64"),
        ("empty_frame", "no rows"),
        ("duplicate_key", "one row per series_id, valid_from"),
        ("nan_in_a_mart", "usd_per_hour_finite"),
        ("infinite_in_a_mart", "usd_per_hour_finite"),
        ("zero_in_a_mart", "usd_per_hour_above"),
    ],
)
def test_a_broken_mart_is_stopped_and_the_published_one_stays(copy: Cli, fault: str, named: str) -> None:
    before = ask(copy, MART_COUNT)
    code, said = run(copy, fault)
    assert code == 1, said
    assert named in said and "marts.price_history" in said
    assert ask(copy, MART_COUNT) == before
    manifest = copy.manifest()
    assert manifest["blocked"] is True and named in str(manifest["blocked_reason"])
    assert ask(copy, "SELECT outcome FROM ops.refreshes ORDER BY started_at DESC LIMIT 1") == [("blocked",)]
    assert ask(copy, "SELECT count(*) > 0 FROM ops.check_results WHERE NOT is_passed AND severity = 'critical'") == [(True,)]
    status = copy("status")
    assert status.returncode == 1 and "blocked" in status.stdout and named in status.stdout


@pytest.mark.parametrize(
    ("fault", "named", "kept"),
    [
        ("model_raises", "ValueError: a case that nobody thought of", {"marts.rented_price", "marts.cost_per_token"}),
        ("model_fails_on_its_rows", "conversion from `str` to `i64` failed", {"marts.rented_price", "marts.cost_per_token"}),
        ("model_in_parts_raises", "ValueError: a case that nobody thought of", {"marts.cost_per_token"}),
    ],
)
def test_a_mart_that_cannot_be_made_is_kept_and_the_others_are_published(copy: Cli, fault: str, named: str, kept: set[str]) -> None:
    count = "SELECT count(*), sum(base_usd_per_million_output_tokens) FROM marts.cost_per_token"
    before, version = ask(copy, count), copy.manifest()["version"]
    code, said = run(copy, fault)
    assert code == 3 and "Traceback" not in said and "Kept: marts.cost_per_token is of 2026-11-23" in said, said
    manifest: dict[str, Any] = copy.manifest()
    assert manifest["blocked"] is False and manifest["version"] != version and manifest["kept_marts"].keys() == kept
    assert any(named in facts["reason"] for facts in manifest["kept_marts"].values())
    assert ask(copy, count) == before
    recorded = "SELECT table_name FROM ops.check_results WHERE effect = 'kept' AND NOT is_passed AND rule = 'can_be_made'"
    assert {name for (name,) in ask(copy, recorded)} == kept
    status = copy("status")
    assert status.returncode == 3 and named in status.stdout
    # Nothing new has come, and yet it is tried again: what was kept is as old as it was, or new.
    again = copy("refresh", "--offline", "--as-of", "2026-11-23")
    assert again.returncode == 0 and copy.manifest()["kept_marts"] == {}, again.stdout + again.stderr


def test_what_the_marts_are_made_of_is_kept_by_nobody(copy: Cli) -> None:
    before = ask(copy, MART_COUNT)
    code, said = run(copy, "staging_raises", BREAKEVEN_TRACEBACK="1")
    assert code == 1 and "a case that nobody thought of" in said, said
    # Who asks is told where.
    assert "Traceback" in said and 'run_with.py", line' in said
    assert copy.manifest()["blocked"] is True and ask(copy, MART_COUNT) == before


def test_a_mart_that_was_never_published_cannot_be_kept(tmp_path: Path) -> None:
    cli = Cli(tmp_path / "data", SMALL_MARKET)
    code, said = run(cli, "model_raises")
    assert code == 1 and "a case that nobody thought of" in said and "Nothing has been published yet" in said, said
    assert not (cli.data / "published" / "current").exists()


def test_what_breaks_a_rule_of_the_whole_history_is_not_published(archive: Cli, tmp_path: Path) -> None:
    copy = copied(archive, tmp_path)
    before = copy.manifest()
    code, said = run(copy, "age_a_day_too_great")
    assert code == 1, said
    assert "no_price_is_shown_as_newer_than_it_is" in said and '"price_age_days"' in said
    assert copy.manifest()["as_of"] == before["as_of"] and copy.manifest()["blocked"] is True
    broken = "SELECT rule FROM ops.check_results WHERE rule_kind = 'sql' AND severity = 'critical' AND NOT is_passed"
    assert ask(copy, broken) == [("no_price_is_shown_as_newer_than_it_is",)]


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        ("zero_price", "native_amount_above"),
        ("nan_price", "native_amount_not_null"),
        ("infinite_price", "native_amount_not_null"),
        ("price_of_a_term", "gpu_hour_in_range"),
    ],
)
def test_a_bad_price_is_quarantined_with_rule_and_reason(copy: Cli, fault: str, rule: str) -> None:
    code, said = run(copy, fault)
    assert code == 0, said
    found = ask(
        copy,
        """SELECT rule, row_json LIKE '%p5.48xlarge%', reason <> '' FROM ops.quarantine
           WHERE table_name = 'staging.price_observation' AND run_id = (SELECT max_by(run_id, started_at) FROM ops.refreshes)""",
    )
    assert (rule, True, True) in found
    assert ask(
        copy,
        """SELECT count(*) FROM marts.price_history WHERE instance_type = 'p5.48xlarge' AND purchase_option = 'on_demand'
           AND valid_from = '2025-06-23' AND source = 'archive_aws_on_demand'""",
    ) == [(0,)]


@pytest.mark.parametrize(
    ("fault", "table", "lost"),
    [
        ("a_token_price_fails", "token_price", "provider = 'groq' AND model = 'gpt-oss-120b'"),
        ("a_price_fails", "price_history", "instance_type = 'p5.48xlarge' AND valid_from = '2025-06-23'"),
    ],
)
def test_a_row_on_which_a_computation_fails_costs_that_row(copy: Cli, fault: str, table: str, lost: str) -> None:
    others = f"SELECT count(*) FROM marts.{table} WHERE NOT ({lost})"
    before = ask(copy, others)
    code, said = run(copy, fault)
    assert code == 0, said
    broken = """SELECT DISTINCT table_name FROM ops.quarantine
                WHERE rule = 'can_be_computed' AND run_id = (SELECT max_by(run_id, started_at) FROM ops.refreshes)"""
    assert len(ask(copy, broken)) == 1
    assert ask(copy, f"SELECT count(*) FROM marts.{table} WHERE {lost}") == [(0,)]
    # Where the better source is silent, another may speak in its place.
    assert ask(copy, others) >= before


@pytest.mark.parametrize(
    "fault",
    ["parser_raises", "parser_gives_other_columns", "parser_gives_another_type", "parser_gives_nothing", "parser_gives_nulls"],
)
def test_a_broken_source_does_not_take_the_others_with_it(copy: Cli, fault: str) -> None:
    of_others = "SELECT source, series_id, valid_from, usd_per_hour FROM marts.price_history WHERE source <> 'archive_aws_on_demand'"
    before = set(ask(copy, of_others))
    code, said = run(copy, fault)
    assert code == 3, said
    assert ask(copy, "SELECT status FROM bi.data_age WHERE source = 'archive_aws_on_demand'") == [("failed",)]
    # Where the better source is silent, another may speak in its place.
    assert before and before <= set(ask(copy, of_others))


@pytest.mark.parametrize(
    "fault",
    ["kill_in_fetch", "kill_in_build", "kill_in_check", "kill_while_writing_the_version", "kill_between_version_and_link"],
)
def test_a_kill_at_a_named_point_leaves_a_whole_version(copy: Cli, fault: str) -> None:
    before = ask(copy, MART_COUNT)
    process = start(copy, fault, "refresh", "--as-of", "2026-11-23", "--rebuild")
    process.communicate(timeout=180)
    assert process.returncode == -signal.SIGKILL
    assert ask(copy, MART_COUNT) == before
    status = copy("status")
    assert status.returncode == 1 and "Last refresh: interrupted" in status.stdout and "process was killed" in status.stdout
    if fault == "kill_between_version_and_link":
        again = copy(*REFRESH)
        assert again.returncode == 0, again.stderr
        assert not list((copy.data / "published" / "versions").glob(".*"))
        outcomes = [outcome for (outcome,) in ask(copy, "SELECT outcome FROM ops.refreshes ORDER BY started_at")]
        assert outcomes == ["published", "interrupted", "published"]
        assert ask(copy, MART_COUNT) == before


def test_ten_kills_at_random_moments_then_a_refresh(copy: Cli) -> None:
    before = ask(copy, MART_COUNT)
    moments = random.Random(20261123)
    for _ in range(10):
        process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.cli.main", *REFRESH],
            env=copy.environment,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(moments.uniform(0.5, 14.0))
        process.kill()
        process.wait()
        assert ask(copy, MART_COUNT) == before
        assert not list((copy.data / "published").rglob("*.wal"))
    done = copy(*REFRESH)
    assert done.returncode == 0, done.stderr
    assert ask(copy, MART_COUNT) == before
    # What the kills left as started is marked as failed, so that the queue does not count it for ever.
    from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

    with DagsterInstance.from_config(str(copy.data / "dagster")) as instance:
        assert instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.STARTED, DagsterRunStatus.STARTING])) == []


def test_what_a_kill_left_in_dagsters_record_is_mended_though_nothing_is_new(copy: Cli) -> None:
    from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

    process = start(copy, "kill_in_build", *REFRESH)
    process.communicate(timeout=180)
    with DagsterInstance.from_config(str(copy.data / "dagster")) as instance:
        [started] = instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.STARTED]))
    assert copy("refresh", "--offline", "--as-of", "2026-11-23").returncode == 0
    assert ask(copy, "SELECT count(*) FROM ops.refreshes") == [(1,)], "the published version is the one from before the kill"
    with DagsterInstance.from_config(str(copy.data / "dagster")) as instance:
        found = instance.get_run_by_id(started.run_id)
        assert found is not None and found.status is DagsterRunStatus.FAILURE


def test_a_reader_that_keeps_the_file_open_neither_fails_nor_blocks(copy: Cli) -> None:
    path = str((copy.data / "published" / "breakeven.duckdb").resolve())
    with duckdb.connect(path, read_only=True) as reader:
        before = reader.execute(MART_COUNT).fetchall()
        done = copy(*REFRESH)
        assert done.returncode == 0, done.stderr
        assert reader.execute(MART_COUNT).fetchall() == before
        assert str(copy.current) != str(Path(path).parent)


def test_a_second_refresh_is_told_of_the_first(copy: Cli) -> None:
    from pipelines.platform.lock import refresh_lock

    with refresh_lock(copy.data):
        done = copy(*REFRESH)
    assert done.returncode == 1 and "another refresh is running" in done.stderr
