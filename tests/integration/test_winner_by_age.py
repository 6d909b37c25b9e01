"""The cheapest way changes because its price became a year old: said in the record, at the end of the refresh and on the page."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import duckdb

from pipelines.ingest.scaffold import stored_answers
from pipelines.ingest.snapshots import SnapshotStore
from pipelines.sources.lib.source import Payload
from tests.support.cli import MANY_SELLERS, Cli, without

RULE = "no_winner_changes_by_age"


def test_a_winner_that_grew_too_old_is_a_warning(tmp_path: Path) -> None:
    cli, day = Cli(tmp_path / "data", without(*MANY_SELLERS)), dt.date(2026, 11, 23)
    seen = dt.datetime.combine(day - dt.timedelta(days=366), dt.time(6))
    models = json.loads(stored_answers("deepinfra")[0].read_bytes())
    [model] = [model for model in models if model["model_name"] == "openai/gpt-oss-120b"]
    # Cheaper than any machine and any other seller, and not so cheap that it must be a mistake.
    model["pricing"] |= {"cents_per_input_token": 5e-6, "cents_per_output_token": 1.1e-5}
    answer = Payload("models", "https://deepinfra.example/models", json.dumps(models).encode(), seen)
    SnapshotStore(cli.data / "snapshots").add("deepinfra", seen.date(), "a-year-ago", [answer])
    done = cli("refresh", "--offline", "--as-of", day.isoformat())
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    with duckdb.connect(str(cli.current / "breakeven.duckdb"), read_only=True) as connection:
        [(passed, severity, detail)] = connection.execute(
            "SELECT is_passed, severity, detail FROM ops.check_results WHERE rule = ?", [RULE]
        ).fetchall()
    assert (passed, severity) == (False, "warning")
    assert '"winner_before": "api"' in detail and '"seller_before": "deepinfra"' in detail and '"age_before": 365' in detail
    assert f"Warning, {RULE}: " in done.stdout
    # What the page of health draws its table of broken rules from.
    assert RULE in (cli.current / "dashboard" / "data" / "health.js").read_text()
