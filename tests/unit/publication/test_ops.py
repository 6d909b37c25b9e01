"""The record of refreshes: a torn line is passed over."""

from __future__ import annotations

from pathlib import Path

from pipelines.catalogue.contracts import catalogue
from pipelines.publication.ops import OpsRecorder, read_ops
from tests.support.tables import AT


def test_a_torn_line_of_the_record_is_passed_over(tmp_path: Path) -> None:
    recorder = OpsRecorder(tmp_path, "run")
    row = {"as_of_on": AT.date(), "started_at": AT, "finished_at": None, "outcome": "running", "detail": None, "software_version": "1"}
    recorder.append("refreshes", [row])
    with (tmp_path / "run.jsonl").open("ab") as file:
        file.write(b'{"table": "refreshes", "run_')
    [found] = read_ops(tmp_path, catalogue())["refreshes"].to_dicts()
    assert found["run_id"] == "run" and found["started_at"] == AT and found["finished_at"] is None
