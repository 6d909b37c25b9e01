"""The end of a refresh that did not publish is marked on what it left, never on what later runs published."""

from __future__ import annotations

from pathlib import Path

from pipelines.platform.settings import Settings
from pipelines.publication.ops import runs
from pipelines.publication.versions import PublishedFolder
from pipelines.refresh.lifecycle import close_failed
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
