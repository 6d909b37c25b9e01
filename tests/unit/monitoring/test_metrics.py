"""Metrics in Prometheus' text format: each line is one, escaped, and true of the state."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

from pipelines.monitoring.metrics import metrics_text, write_metrics
from pipelines.monitoring.state import RefreshState, read_state
from pipelines.platform.settings import Settings
from tests.support.tables import AT

LINE = re.compile(r'(# (HELP|TYPE) breakeven_\w+ .+|breakeven_\w+(\{\w+="(\\.|[^"\\\n])*"(,\w+="(\\.|[^"\\\n])*")*\})? -?\d+)')


def test_every_line_is_of_the_format_and_says_what_stands() -> None:
    kept = {"kept_marts": {"marts.x": {"as_of": "2026-11-22", "reason": "y"}}}
    manifest = {**kept, "as_of": "2026-11-23", "files": {"a": {"bytes": 5}, "b": {"bytes": 7}}, "tables": {"marts.x": {"rows": 3}}}
    run = {"outcome": "failed", "started_at": AT.isoformat(), "finished_at": AT.isoformat()}
    sources = [{"source": 'odd"\n\\name', "status": "stale", "row_count": 4, "newest_figure_on": dt.date(2026, 11, 20)}]
    said = metrics_text(RefreshState(manifest, run, run, sources, [{"severity": "critical"}]), AT)
    assert [line for line in said.splitlines() if not LINE.fullmatch(line)] == []
    for line in (
        "breakeven_up 0",
        'breakeven_last_refresh_outcome{outcome="failed"} 1',
        "breakeven_last_good_refresh_timestamp_seconds 1795413600",
        "breakeven_published_bytes 12",
        "breakeven_kept_marts 1",
        'breakeven_source_status{source="odd\\"\\n\\\\name",status="stale"} 1',
        'breakeven_source_newest_figure_age_days{source="odd\\"\\n\\\\name"} 3',
        'breakeven_failed_rules{severity="critical"} 1',
    ):
        assert line in said.splitlines()


def test_before_the_first_refresh_there_is_a_file_too(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    path = write_metrics(settings, read_state(settings, AT), AT)
    assert "breakeven_up 0" in path.read_text() and not list(tmp_path.glob(".*"))
