"""A picture of the graph as text, so that a review sees it change; the schedule and the sensor as Dagster would run them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import dagster as dg
import pytest

from pipelines.definitions import defs
from tests.support.cli import Cli
from tests.support.paths import ROOT

SNAPSHOT = Path(__file__).parent / "graph.txt"


def picture() -> str:
    made = defs()
    graph = made.resolve_asset_graph()
    lines = []
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        lines.append(f"{key.to_user_string()} [{node.group_name}] <- " + ", ".join(sorted(p.to_user_string() for p in node.parent_keys)))
    lines += [f"check {key.to_user_string()}" for key in sorted(graph.asset_check_keys, key=str)]
    lines += [f"schedule {s.name}: {s.cron_schedule} {s.execution_timezone} {s.default_status.value}" for s in made.schedules or []]
    lines += [f"sensor {s.name}: {s.default_status.value}" for s in made.sensors or []]
    return "\n".join(lines) + "\n"


def test_graph_is_as_recorded() -> None:
    found = picture()
    if not SNAPSHOT.exists():
        SNAPSHOT.write_text(found)
        pytest.fail("the picture of the graph was written; look at it and run again")
    assert found == SNAPSHOT.read_text(), f"the graph changed; delete {SNAPSHOT.name} and run again where that is meant"


def test_every_asset_is_described_and_owned() -> None:
    graph = defs().resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description and node.owners and node.kinds, key


def test_the_schedule_asks_for_the_day_of_its_tick() -> None:
    made = defs()
    schedule = made.resolve_schedule_def("daily_refresh")
    tick = dt.datetime(2026, 11, 23, 5, 15, tzinfo=dt.UTC)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(instance=instance, scheduled_execution_time=tick)
        [request] = schedule.evaluate_tick(context).run_requests
    assert request.run_config["resources"]["session"]["config"]["as_of"] == "2026-11-23"


def test_a_source_that_was_offline_is_a_failed_check_that_warns(archive: Cli) -> None:
    with dg.DagsterInstance.from_config(str(archive.data / "dagster")) as instance:
        key = dg.AssetCheckKey(dg.AssetKey(["raw", "ecb_fx"]), "source_state")
        found = instance.event_log_storage.get_asset_check_execution_history(key, limit=10)
    # A refresh that finds nothing new evaluates nothing.
    (record,) = [r for r in found if r.run_id == archive.manifest()["run_id"]]
    assert record.event is not None and record.event.dagster_event is not None
    evaluation = record.event.dagster_event.asset_check_evaluation_data
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert str(evaluation.description).startswith("ecb_fx is offline: ")


def test_policies_hold_for_every_asset() -> None:
    graph = defs().resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        assert (graph.get(key).freshness_policy is not None) == (key.path[0] in ("raw", "staging", "marts")), key


def test_no_signature_is_made_up() -> None:
    for path in (ROOT / "pipelines" / "defs").rglob("*.py"):
        text = path.read_text()
        assert "__signature__" not in text and "__annotations__" not in text and "IOManager" not in text, path
