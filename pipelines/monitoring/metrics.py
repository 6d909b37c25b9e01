"""The state of a data folder as Prometheus metrics, in the text format.

Belongs here: names, labels and values. Does not belong here: what the state is (`state`), serving them over HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from pipelines.monitoring.state import RefreshState
from pipelines.platform.files import write_whole
from pipelines.platform.settings import Settings

Values = list[tuple[dict[str, str], int]]
_OUTCOMES = ("running", "published", "unchanged", "blocked", "failed", "interrupted")


def write_metrics(settings: Settings, state: RefreshState, now: datetime) -> Path:
    """Write `data/metrics.prom`, which node_exporter's textfile collector can read at any time; return its path."""
    path = settings.folders.metrics
    write_whole(path, metrics_text(state, now).encode())
    path.chmod(0o644)
    return path


def metrics_text(state: RefreshState, now: datetime) -> str:
    """All metrics of a state."""
    last, good, manifest = state.last, state.last_good, state.manifest
    metrics: list[tuple[str, str, Values]] = [
        ("up", "Whether the figures can be relied on: the last refresh ended well and in time.", [({}, int(not state.is_failed))]),
        ("problems", "Problems that a person must look at.", [({}, len(state.problems))]),
        ("lost_snapshots", "Kinds of losses from the store of answers.", [({}, len(state.losses))]),
    ]
    if last is not None:
        started = datetime.fromisoformat(last["started_at"])
        outcomes = [({"outcome": outcome}, int(last["outcome"] == outcome)) for outcome in _OUTCOMES]
        metrics += [
            ("last_refresh_outcome", "How the last refresh ended.", outcomes),
            ("last_refresh_start_timestamp_seconds", "When the last refresh began.", [({}, _seconds(started))]),
        ]
    if good is not None:
        ended = datetime.fromisoformat(str(good["finished_at"] or good["started_at"]))
        metrics.append(("last_good_refresh_timestamp_seconds", "When the last good refresh ended.", [({}, _seconds(ended))]))
    if manifest is not None:
        day = datetime.fromisoformat(manifest["as_of"])
        tables = [({"table": table}, facts["rows"]) for table, facts in sorted(manifest["tables"].items())]
        metrics += [
            ("published_as_of_timestamp_seconds", "The day that the published figures are for.", [({}, _seconds(day))]),
            ("published_bytes", "Size of the published version.", [({}, sum(file["bytes"] for file in manifest["files"].values()))]),
            ("kept_marts", "Published marts that could not be made anew.", [({}, len(state.kept_marts))]),
            ("published_table_rows", "Rows of each published table.", tables),
        ]
    sources = state.sources
    ages = [({"source": s["source"]}, (now.date() - s["newest_figure_on"]).days) for s in sources if s["newest_figure_on"]]
    broken = [({"severity": v}, sum(c["severity"] == v for c in state.failed_checks)) for v in ("warning", "critical")]
    metrics += [
        ("source_status", "Status of each source.", [({"source": s["source"], "status": s["status"]}, 1) for s in sources]),
        ("source_rows", "Rows read from each source.", [({"source": s["source"]}, s["row_count"]) for s in sources]),
        ("source_newest_figure_age_days", "Age of the newest figure of each source.", ages),
        ("failed_rules", "Rules that did not hold in the last refresh.", broken),
    ]
    return "\n".join(line for metric in metrics for line in _metric(*metric)) + "\n"


def _metric(name: str, description: str, values: Values) -> list[str]:
    full = f"breakeven_{name}"
    shown = [f"{full}{_labels(labels)} {value}" for labels, value in values]
    return [f"# HELP {full} {description}", f"# TYPE {full} gauge", *shown] if shown else []


def _labels(labels: Mapping[str, str]) -> str:
    def escaped(value: str) -> str:
        return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')

    return "{" + ",".join(f'{name}="{escaped(value)}"' for name, value in labels.items()) + "}" if labels else ""


def _seconds(at: datetime) -> int:
    return int(at.replace(tzinfo=UTC).timestamp())
