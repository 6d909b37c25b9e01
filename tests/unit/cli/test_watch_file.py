"""`decide --watch`: what was said is remembered, what has turned is said, and a file that is something else is left alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.cli.exits import UsageError
from pipelines.cli.watch_file import turned_since
from pipelines.decision import decide
from tests.unit.decision.test_plan import load, market, offer, workload

OWN = decide(workload(), load(1.0), market(), draws=1)
RENT = decide(workload(), load(1.0), market(offers=[offer("on_demand", 0.1)]), draws=1)
NOTHING = decide(workload(data_may_not_leave=True), load(1.0), market(servers=[]), draws=1)


def test_an_answer_that_turned_is_said_once(tmp_path: Path) -> None:
    path = tmp_path / "answers.json"
    path.write_text('{"another": {"kind": "spot", "as_of": "2026-01-01"}}')
    assert turned_since(path, [OWN]) == turned_since(path, [OWN]) == []
    assert turned_since(path, [RENT]) == ["w: turned from own (2026-11-23) to on_demand"]
    assert turned_since(path, [RENT]) == []
    assert turned_since(path, [NOTHING]) == ["w: turned from on_demand (2026-11-23) to nothing"]
    assert json.loads(path.read_text())["another"] == {"kind": "spot", "as_of": "2026-01-01"}


@pytest.mark.parametrize("content", ["x", "[]", '"x"', '{"w": 5}', '{"w": {"kind": "own"}}', "{", "\udcff"])
def test_a_file_that_is_something_else_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "notes.json"
    path.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(UsageError, match=r"notes.json: is no file that --watch wrote"):
        turned_since(path, [OWN])
    assert path.read_bytes() == content.encode(errors="surrogateescape")


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none/answers.json: cannot be written: No such file"):
        turned_since(tmp_path / "none" / "answers.json", [OWN])
    with pytest.raises(UsageError, match="is no file that --watch wrote"):
        turned_since(tmp_path, [OWN])


def test_two_workloads_of_one_name_are_not_remembered_as_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="more than one is called 'w'"):
        turned_since(tmp_path / "answers.json", [OWN, RENT])
