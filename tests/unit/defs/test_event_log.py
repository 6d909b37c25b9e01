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
from pipelines.defs.event_log import instance_ref


@dg.multi_asset(
    specs=[dg.AssetSpec("table"), dg.AssetSpec("other")],
    check_specs=[dg.AssetCheckSpec("rule", asset="table"), dg.AssetCheckSpec("broken", asset="table")],
)
def tables() -> Iterator[dg.MaterializeResult[Any]]:
    results = [dg.AssetCheckResult(asset_key="table", check_name=name, passed=name == "rule") for name in ("rule", "broken")]
    yield dg.MaterializeResult(asset_key="table", metadata={"rows": 7}, check_results=results)
    yield dg.MaterializeResult(asset_key="other")


JOB = dg.Definitions(assets=[tables], jobs=[dg.define_asset_job("refresh")]).resolve_job_def("refresh")


def test_dagsters_own_storage_reads_what_was_written(tmp_path: Path) -> None:
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
