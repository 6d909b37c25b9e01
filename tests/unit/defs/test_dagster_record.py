"""Dagster's record: a day leaves next to nothing in it, damage sets it aside, and a path may be anything."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from pipelines.defs.dagster_record import dagster_home, thin_out

COUNT, DAYS = 3, 8


@dg.multi_asset(
    specs=[dg.AssetSpec(f"table_{n}", skippable=True) for n in range(COUNT)],
    check_specs=[dg.AssetCheckSpec("rule", asset=f"table_{n}") for n in range(COUNT)],
)
def tables():  # type: ignore[no-untyped-def]
    for n in range(COUNT):
        yield dg.MaterializeResult(
            asset_key=f"table_{n}",
            metadata={"why": "x" * 500},
            check_results=[dg.AssetCheckResult(asset_key=f"table_{n}", check_name="rule", passed=True, metadata={"detail": "y" * 500})],
        )


JOB = dg.Definitions(assets=[tables], jobs=[dg.define_asset_job("refresh")]).resolve_job_def("refresh")


def size(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def refresh(instance: dg.DagsterInstance) -> str:
    return JOB.execute_in_process(instance=instance, raise_on_error=True).run_id


@dg.asset(output_required=False)
def answers(context):  # type: ignore[no-untyped-def]
    if "nothing_new" not in context.run.tags:
        yield dg.Output(None)


@dg.asset(deps=[answers], check_specs=[dg.AssetCheckSpec("rule", asset="prices")])
def prices():  # type: ignore[no-untyped-def]
    return dg.MaterializeResult(check_results=[dg.AssetCheckResult(check_name="rule", passed=True)])


def test_a_run_that_finds_nothing_new_leaves_the_last_verdicts(tmp_path: Path) -> None:
    job = dg.Definitions(assets=[answers, prices], jobs=[dg.define_asset_job("refresh")]).resolve_job_def("refresh")
    with dagster_home(tmp_path) as home, dg.DagsterInstance.from_config(str(home)) as instance:
        evaluated = job.execute_in_process(instance=instance).run_id
        for _ in range(2):
            run_id = job.execute_in_process(instance=instance, tags={"nothing_new": "yes"}).run_id
            thin_out(instance, home, "refresh", run_id, timedelta(days=30))
        key = dg.AssetCheckKey(dg.AssetKey("prices"), "rule")
        found = instance.event_log_storage.get_asset_check_execution_history(key, limit=10)
    assert [r.status.value for r in found if r.run_id == evaluated] == ["SUCCEEDED"]


def test_a_day_leaves_next_to_nothing(tmp_path: Path) -> None:
    sizes = []
    with dagster_home(tmp_path) as home, dg.DagsterInstance.from_config(str(home)) as instance:
        for _ in range(DAYS):
            run_id = refresh(instance)
            thin_out(instance, home, "refresh", run_id, timedelta(days=30))
            sizes.append(size(home))
        # What is left of a run is its row and a file without events, and those go after `keep`.
        grown = (sizes[-1] - sizes[2]) / (DAYS - 3)
        assert grown < 40_000, sizes
        # Nothing of an event that is gone stays in the index.
        with closing(sqlite3.connect(home / "history" / "runs" / "index.db")) as index:
            tags = index.execute("SELECT count(*), count(*) FILTER (WHERE event_id IN (SELECT id FROM event_logs)) FROM asset_event_tags")
            ((count, of_events),) = tags.fetchall()
            assert count == of_events > 0
        records = {r.asset_entry.asset_key.to_user_string(): r.asset_entry for r in instance.get_asset_records()}
        assert len(records) == COUNT
        for entry in records.values():
            assert entry.last_materialization_record is not None and entry.last_materialization_record.run_id == run_id
        checks = instance.event_log_storage.get_latest_asset_check_execution_by_key(
            [dg.AssetCheckKey(dg.AssetKey(f"table_{n}"), "rule") for n in range(COUNT)]
        )
        assert len(checks) == COUNT
        assert len(instance.get_runs()) == DAYS
        thin_out(instance, home, "refresh", run_id, timedelta(0))
        assert [run.run_id for run in instance.get_runs()] == [run_id]
        assert len(list((home / "history" / "runs").glob("*-*.db"))) == 1


@pytest.mark.parametrize("damaged", ["history/runs.db", "history/runs/index.db", "schedules/schedules.db"])
def test_a_damaged_record_is_set_aside_and_a_new_one_begins(tmp_path: Path, damaged: str, caplog: pytest.LogCaptureFixture) -> None:
    with dagster_home(tmp_path) as home, dg.DagsterInstance.from_config(str(home)) as instance:
        refresh(instance)
        instance.all_instigator_state()
    (home / damaged).write_bytes(b"\x00 no database" * 1000)
    with dagster_home(tmp_path) as home, dg.DagsterInstance.from_config(str(home)) as instance:
        assert instance.get_runs() == []
        refresh(instance)
    assert "set aside" in caplog.text and (tmp_path / "dagster.unreadable").is_dir()


@pytest.mark.parametrize("name", ["feature%2Fgpu", "what?", "a#b", "it's a [b] ü", "plain"])
def test_a_path_may_be_anything(tmp_path: Path, name: str) -> None:
    data = tmp_path / name
    data.mkdir()
    with dagster_home(data) as home, dg.DagsterInstance.from_config(str(home)) as instance:
        refresh(instance)
        assert len(instance.get_runs()) == 1
    assert (data / "dagster" / "history" / "runs.db").exists()
    assert [p.name for p in tmp_path.iterdir()] == [name]
