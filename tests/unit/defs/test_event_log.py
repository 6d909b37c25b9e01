"""The kept event log writes what Dagster's own writes, into the same files, and opens each file once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as db

from pipelines.defs import event_log
from pipelines.defs.dagster_record import dagster_home
from pipelines.defs.event_log import EVENTS_AT_ONCE, instance_ref


@dg.multi_asset(
    specs=[dg.AssetSpec("table"), dg.AssetSpec("other")],
    check_specs=[dg.AssetCheckSpec("rule", asset="table"), dg.AssetCheckSpec("broken", asset="table")],
)
def tables() -> Iterator[dg.MaterializeResult[Any]]:
    results = [dg.AssetCheckResult(asset_key="table", check_name=name, passed=name == "rule") for name in ("rule", "broken")]
    yield dg.MaterializeResult(asset_key="table", metadata={"rows": 7}, check_results=results)
    yield dg.MaterializeResult(asset_key="other")


JOB = dg.Definitions(assets=[tables], jobs=[dg.define_asset_job("refresh")]).resolve_job_def("refresh")


@pytest.mark.parametrize("at_once", ["0", EVENTS_AT_ONCE[1]])
def test_dagsters_own_storage_reads_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: str) -> None:
    monkeypatch.setenv(EVENTS_AT_ONCE[0], at_once)
    with dagster_home(tmp_path) as home:
        with dg.DagsterInstance.from_ref(instance_ref(home)) as instance:
            run_id = JOB.execute_in_process(instance=instance).run_id
            written = [(e.dagster_event_type, e.message) for e in instance.all_logs(run_id)]
        with dg.DagsterInstance.from_config(str(home)) as plain:
            assert type(plain.event_log_storage) is not event_log.KeptSqliteEventLogStorage
            assert [(e.dagster_event_type, e.message) for e in plain.all_logs(run_id)] == written
            expected = JOB.execute_in_process(instance=plain).run_id
            assert [kind for kind, _ in written] == [e.dagster_event_type for e in plain.all_logs(expected)]
            newest = plain.get_latest_materialization_event(dg.AssetKey("table"))
            assert newest is not None and newest.run_id == expected
            keys = [dg.AssetCheckKey(dg.AssetKey("table"), name) for name in ("rule", "broken")]
            checks = plain.event_log_storage.get_latest_asset_check_execution_by_key(keys)
            assert [checks[key].status.value for key in keys] == ["SUCCEEDED", "FAILED"]


def test_each_file_is_opened_by_one_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    create = db.create_engine

    def counted(address: str, **options: Any) -> db.Engine:
        made.append(address)
        return create(address, **options)

    monkeypatch.setattr(event_log.db, "create_engine", counted)
    with dagster_home(tmp_path) as home, dg.DagsterInstance.from_ref(instance_ref(home)) as instance:
        run_id = JOB.execute_in_process(instance=instance).run_id
        assert len([address for address in made if address.endswith(f"/{run_id}.db")]) == 1
        assert len([address for address in made if address.endswith("/index.db")]) == 1


def test_what_a_run_plans_is_one_transaction_of_each_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    committed: list[str] = []
    create = db.create_engine

    def counted(address: str, **options: Any) -> db.Engine:
        engine = create(address, **options)
        db.event.listen(engine, "commit", lambda _: committed.append(Path(address).name))
        return engine

    monkeypatch.setattr(event_log.db, "create_engine", counted)
    commits = {}
    for at_once in ("0", EVENTS_AT_ONCE[1]):
        monkeypatch.setenv(EVENTS_AT_ONCE[0], at_once)
        with dagster_home(tmp_path / at_once) as home, dg.DagsterInstance.from_ref(instance_ref(home)) as instance:
            committed.clear()
            run = instance.create_run_for_job(JOB)
            commits[at_once] = sorted(set(committed)), len(committed)
            assert len(instance.all_logs(run.run_id)) == 4
    files = sorted([f"{run.run_id}.db", "index.db"])
    # Two tables and two rules, each mirrored in the index, beside what is committed as a file is made.
    assert commits["0"][1] - commits[EVENTS_AT_ONCE[1]][1] >= 6 and commits[EVENTS_AT_ONCE[1]][0] == files
