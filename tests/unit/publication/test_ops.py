"""The record of refreshes: a line that cannot be read costs that line, text is bounded, old details go."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.publication.ops import OpsRecorder, condense, read_ops, runs, thin_out, unreadable_lines
from tests.support.tables import AT


def row(outcome: str = "running", at: dt.datetime = AT, **other: object) -> dict[str, object]:
    return {
        "as_of_on": at.date(),
        "started_at": at,
        "finished_at": None,
        "outcome": outcome,
        "detail": None,
        "software_version": "1",
        **other,
    }


@pytest.mark.parametrize(
    "damage",
    [
        b'{"table": "refreshes", "run_',
        b"\x00" * 4096,
        b'{"table": "refreshes", "run_id": "x", "started_at": "yesterday", "outcome": "running"}\n',
        b'{"table": "refreshes", "run_id": null}\n',
        b"[1, 2]\nnull\n\xff\xfe\n",
    ],
)
def test_a_damaged_line_costs_that_line_and_is_named(tmp_path: Path, damage: bytes) -> None:
    recorder = OpsRecorder(tmp_path, "run")
    recorder.append("refreshes", [row()])
    with (tmp_path / "run.jsonl").open("ab") as file:
        file.write(damage)
    recorder.append("refreshes", [row("published")])
    [found] = read_ops(tmp_path, catalogue())["refreshes"].filter(run_id="run").to_dicts()
    assert found["outcome"] == "published" and found["started_at"] == AT and found["finished_at"] is None
    assert "run.jsonl" in unreadable_lines(tmp_path, catalogue())[0]


def test_a_row_of_an_earlier_version_keeps_what_it_knew(tmp_path: Path) -> None:
    known = {"table_name": "marts.x", "rule": "r", "severity": "warning", "is_passed": False}
    OpsRecorder(tmp_path, "run").append("check_results", [known])
    [found] = read_ops(tmp_path, catalogue())["check_results"].to_dicts()
    assert found["rule"] == "r" and found["is_passed"] is False and found["detail"] is None


def test_what_is_stray_is_left_alone(tmp_path: Path) -> None:
    OpsRecorder(tmp_path, "run").append("refreshes", [row()])
    (tmp_path / ".DS_Store").write_bytes(b"\x00\x01")
    (tmp_path / "._run.jsonl").write_bytes(b"\x00\x05\x16\x07")
    (tmp_path / "folder.jsonl").mkdir()
    assert read_ops(tmp_path, catalogue())["refreshes"].height == 1 and unreadable_lines(tmp_path, catalogue()) == []


def test_a_text_of_others_is_kept_cut(tmp_path: Path) -> None:
    OpsRecorder(tmp_path, "run").append("fetch_outcome", [{"source": "s", "detail": "x" * 30_000_000}])
    assert (tmp_path / "run.jsonl").stat().st_size < 3_000


def test_runs_are_in_the_order_in_which_they_were_made(tmp_path: Path) -> None:
    """One of them with the clock in 2099."""
    for number, (run, at) in enumerate([("b", AT), ("a", AT.replace(year=2099)), ("c", AT + dt.timedelta(days=1))], 1):
        OpsRecorder(tmp_path, run).append("refreshes", [row(at=at, number=number), row("published", at=at)])
    assert [(run["run_id"], run["number"], run["outcome"]) for run in runs(tmp_path)] == [
        ("b", 1, "published"),
        ("a", 2, "published"),
        ("c", 3, "published"),
    ]


def test_of_old_runs_only_how_they_ended_is_kept(tmp_path: Path) -> None:
    for day in range(10):
        at = AT + dt.timedelta(days=day)
        recorder = OpsRecorder(tmp_path, f"run-{day}")
        recorder.append("refreshes", [row(at=at, number=day + 1)])
        recorder.append("quarantine", [{"table_name": "t", "quarantine_number": 1, "row_json": "x" * 1000}])
        recorder.append("decision_of_a_person", [{"reason": "looked at"}])
        recorder.append("refreshes", [row("published", at=at)])
    before = read_ops(tmp_path, catalogue())["refreshes"]
    assert condense(tmp_path, AT + dt.timedelta(days=7)) == 7
    assert condense(tmp_path, AT + dt.timedelta(days=8)) == 1 and condense(tmp_path, AT + dt.timedelta(days=8)) == 0
    ops = read_ops(tmp_path, catalogue())
    assert ops["refreshes"].equals(before) and ops["quarantine"].height == 2
    assert [run["number"] for run in runs(tmp_path)] == list(range(1, 11))
    assert len(list(tmp_path.glob("*.jsonl"))) == 3
    assert (tmp_path / "earlier.jsonl").read_text().count("looked at") == 8


def test_verdicts_that_passed_are_kept_of_the_last_runs_alone(tmp_path: Path) -> None:
    for day in range(5):
        recorder = OpsRecorder(tmp_path, f"run-{day}")
        recorder.append("refreshes", [row(at=AT + dt.timedelta(days=day), number=day + 1)])
        for rule, passed in (("holds", True), ("breaks", False)):
            recorder.append("check_results", [{"table_name": "t", "rule": rule, "is_passed": passed}])
    (tmp_path / "run-0.jsonl").write_bytes((tmp_path / "run-0.jsonl").read_bytes() + b'{"torn')
    thin_out(tmp_path, keep_runs=2)
    found = read_ops(tmp_path, catalogue())["check_results"].select("run_id", "rule").rows()
    assert found == [(f"run-{day}", rule) for day in range(5) for rule in (("breaks", "holds") if day > 2 else ("breaks",))]
    assert [run["number"] for run in runs(tmp_path)] == [1, 2, 3, 4, 5]
    untouched = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    thin_out(tmp_path, keep_runs=2)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == untouched


def test_one_run_is_read_without_the_others(tmp_path: Path) -> None:
    for run in ("one", "other"):
        OpsRecorder(tmp_path, run).append(
            "source_status", [{"source": "s", "status": "ok", "is_bundled": False, "detail": '{"table": "refreshes"}'}]
        )
        OpsRecorder(tmp_path, run).append("refreshes", [row()])
    assert read_ops(tmp_path, catalogue(), run_id="one")["source_status"].get_column("run_id").to_list() == ["one"]
    assert [found["run_id"] for found in runs(tmp_path)] == ["one", "other"]
    assert [found["table"] for found in OpsRecorder(tmp_path, "one").rows("refreshes")] == ["refreshes"]
