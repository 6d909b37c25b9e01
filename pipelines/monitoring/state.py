"""How the last refresh went and what is published, as the lock, the link and the record together show it.

Belongs here: reading these three against each other; a verdict that a monitor can use. Does not belong here: writing anything, the words
for a person (`cli`). What a process claimed before it died counts only as far as the link bears it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines.ingest.snapshots import SnapshotStore
from pipelines.platform.lock import is_held
from pipelines.platform.settings import Settings
from pipelines.publication.manifest import DamagedVersionError, changed_files, kept_marts
from pipelines.publication.ops import read_ops, runs, unreadable_lines
from pipelines.publication.run_outcomes import INTERRUPTED, recorded_snapshots, settled_outcome
from pipelines.publication.versions import PublishedFolder

# A daily refresh with two hours to spare.
LONGEST_AGE = timedelta(hours=26)
_CLOCK_SLACK = timedelta(hours=1)
_PUBLISH_AGAIN = "`breakeven refresh --rebuild` publishes a new version"
NOT_WELL = ("stale", "partial", "failed", "offline")


@dataclass(frozen=True)
class RefreshState:
    """What stands. `problems` are whole sentences with what to do; `last` has the columns of `ops.refreshes`."""

    manifest: dict[str, Any] | None
    last: dict[str, Any] | None
    last_good: dict[str, Any] | None
    sources: list[dict[str, Any]] = field(default_factory=list)
    failed_checks: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)

    @property
    def is_failed(self) -> bool:
        """True where a person must look: the last refresh did not end well, is too long ago, or what is published is damaged."""
        return bool(self.problems) or self.last is None or self.last["outcome"] in ("blocked", "failed", INTERRUPTED)

    @property
    def kept_marts(self) -> dict[str, dict[str, str]]:
        """Published marts that could not be made anew: of which day (`as_of`) and why (`reason`)."""
        return {} if self.manifest is None else kept_marts(self.manifest)

    @property
    def sources_not_well(self) -> list[str]:
        """Sources that were tried and are not whole."""
        return [row["source"] for row in self.sources if row["status"] in NOT_WELL]


def read_state(settings: Settings, now: datetime) -> RefreshState:
    """The state of a data folder; works before the first publication, and while a refresh runs."""
    problems: list[str] = []
    published = PublishedFolder(settings.folders.published)
    manifest = None
    try:
        manifest = published.manifest()
    except DamagedVersionError as error:
        problems.append(str(error))
    if manifest is not None and published.current is not None:
        problems += [f"published {what}; {_changed_remedy(published.current)}" for what in changed_files(published.current, manifest)]
    folder = settings.folders.ops
    is_running = is_held(settings.data)
    all_runs = runs(folder)
    settled = []
    for run in all_runs:
        outcome, detail = settled_outcome(run, manifest, is_running=is_running, is_last=run is all_runs[-1])
        settled.append({**run, "outcome": outcome, "detail": detail})
    last = settled[-1] if settled else None
    last_good = next((run for run in reversed(settled) if run["outcome"] in ("published", "unchanged")), None)
    problems += _age_problems(last_good, now) if last is not None else []
    if manifest is None and not problems and last_good is not None:
        problems.append(f"what the refresh of {last_good['started_at'][:16].replace('T', ' ')} UTC published is gone; {_PUBLISH_AGAIN}")
    losses = SnapshotStore(settings.folders.snapshots).losses(recorded_snapshots(settings))
    if last is None:
        return RefreshState(manifest, None, None, problems=problems, losses=losses)
    shown = next((run for run in reversed(settled) if run["outcome"] not in ("running", INTERRUPTED)), last)
    ops = read_ops(folder, run_id=shown["run_id"])
    checks = [row for row in ops["check_results"].to_dicts() if not row["is_passed"]]
    return RefreshState(manifest, last, last_good, ops["source_status"].to_dicts(), checks, problems, losses)


def notes(settings: Settings) -> list[str]:
    """What is worth a word and spoils no figure."""
    found = unreadable_lines(settings.folders.ops)
    history = settings.folders.history
    if settings.folders.current.exists() and not history.exists():
        found.append("history/history.duckdb is missing; the next refresh makes it anew from the snapshots")
    return found


def _age_problems(last_good: Mapping[str, Any] | None, now: datetime) -> list[str]:
    if last_good is None:
        return ["no refresh has succeeded yet; `breakeven refresh` says why"]
    ended = datetime.fromisoformat(str(last_good["finished_at"] or last_good["started_at"]))
    if ended - now > _CLOCK_SLACK:
        return [f"the last good refresh ended at {ended:%Y-%m-%d %H:%M} UTC, which is in the future; check the clock of this machine"]
    if now - ended > LONGEST_AGE:
        hours = (now - ended).total_seconds() / 3600
        return [f"the last good refresh is {hours:.0f} hours old, expected at most 26; see whether the schedule runs, then refresh"]
    return []


def _changed_remedy(version: Path) -> str:
    return f"{_PUBLISH_AGAIN}; do not trust {version.name} until then"
