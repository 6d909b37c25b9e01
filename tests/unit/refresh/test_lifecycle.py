"""The end of a refresh that did not publish is marked on what it left, never on what later runs published."""

from __future__ import annotations

import datetime as dt
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from pipelines.catalogue.contracts import ContractError, catalogue
from pipelines.platform.settings import Settings
from pipelines.publication.ops import OpsRecorder, runs
from pipelines.publication.versions import PublishedFolder
from pipelines.refresh.lifecycle import close_failed, record_start
from pipelines.refresh.model_tables import _failure_recorded
from pipelines.refresh.session import RefreshSession, refresh_session
from tests.unit.monitoring.test_state import publish, recorded


def test_a_run_that_died_long_ago_does_not_mark_what_came_after(tmp_path: Path) -> None:
    recorded(tmp_path, "dead", 1, "interrupted")
    recorded(tmp_path, "good", 2, "published")
    current = publish(tmp_path, "good")
    found = close_failed(Settings(data=tmp_path), "dead", "ended without a word")
    assert (found.outcome, found.version) == ("interrupted", None)
    assert PublishedFolder(tmp_path / "published").current == current.resolve()
    assert [run["outcome"] for run in runs(tmp_path / "ops")] == ["interrupted", "published"]


def test_before_anything_was_published_only_the_record_says_so(tmp_path: Path) -> None:
    recorded(tmp_path, "first", 1, "running")
    found = close_failed(Settings(data=tmp_path), "first", "no space left on device")
    assert (found.outcome, found.version) == ("failed", None)
    [run] = runs(tmp_path / "ops")
    assert run["outcome"] == "failed" and run["detail"] == "no space left on device" and run["number"] == 1


@pytest.mark.parametrize(("outcome", "ended_without_a_word"), [("running", True), ("published", False), ("failed", False)])
def test_a_start_says_whether_an_earlier_run_ended_without_a_word(tmp_path: Path, outcome: str, ended_without_a_word: bool) -> None:
    recorded(tmp_path, "earlier", 1, outcome)
    publish(tmp_path, "earlier")
    settings = Settings(data=tmp_path)
    with refresh_session("now", dt.date(2026, 11, 23), settings=settings) as session:
        assert record_start(session) is ended_without_a_word
    # It is settled then: the next one finds nothing.
    OpsRecorder(settings.folders.ops, "now").append("refreshes", [{**runs(tmp_path / "ops")[-1], "outcome": "unchanged"}])
    with refresh_session("next", dt.date(2026, 11, 23), settings=settings) as session:
        assert record_start(session) is False


def test_a_reason_without_bound_is_cut_wherever_it_is_kept(tmp_path: Path) -> None:
    recorded(tmp_path, "first", 1, "running")
    found = close_failed(Settings(data=tmp_path), "first", "ContractError: \x1b[31m" + "x" * 1_000_000)
    assert len(found.reason) < 2_100 and "\x1b" not in found.reason and found.reason.startswith("ContractError: ")


def test_an_error_of_a_table_is_cut_in_the_log_and_in_the_record(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    session = cast("RefreshSession", SimpleNamespace(ops=OpsRecorder(tmp_path, "run")))
    gpu = catalogue().tables["gpu"]
    with pytest.raises(ContractError), _failure_recorded(session, gpu):
        raise ContractError("marts.gpu: \x1b[31m" + "x" * 1_000_000)
    assert not any(record.exc_info for record in caplog.records)
    [row] = session.ops.rows("check_results")
    for text in (caplog.text, row["detail"]):
        assert "marts.gpu" in text and len(text) < 2_100 and "\x1b" not in text


@pytest.mark.parametrize("error", [ContractError("marts.gpu: no rows"), ValueError("a case that nobody thought of")])
def test_where_a_table_failed_is_logged_for_those_who_ask(error: Exception, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "breakeven")
    session = cast("RefreshSession", SimpleNamespace(ops=OpsRecorder(tmp_path, "run")))
    with pytest.raises(type(error)), _failure_recorded(session, catalogue().tables["gpu"]):
        raise error
    assert "test_lifecycle.py" in caplog.text and "Traceback" in caplog.text
