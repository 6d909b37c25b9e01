"""A refresh begins and ends: recorded as running, then a version published, nothing new, or the last good figures again with the reason.

Belongs here: what the session, `publication`, the command line and the failure sensor share. Does not belong here: Dagster, how a version
is written (`publication`), what the record comes to when it is read (`state`). Nothing is recorded before it is done: `published` is
written after the link was swapped.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines import dashboard
from pipelines.catalogue.contracts import catalogue
from pipelines.catalogue.published_sql import bi_views, macros
from pipelines.platform.clock import utc_now
from pipelines.platform.lock import refresh_lock
from pipelines.platform.settings import Settings
from pipelines.platform.text import fit_to_show
from pipelines.publication import remote
from pipelines.publication.manifest import VersionFacts, changed_files, kept_marts, write_manifest
from pipelines.publication.ops import OpsRecorder, condense, read_ops, runs, thin_out
from pipelines.publication.run_outcomes import INTERRUPTED, recorded_snapshots, settled_outcome
from pipelines.publication.versions import DUCKDB_FILE, PublishedFolder
from pipelines.publication.write import STORAGE_VERSION, Before, write_blocked_version, write_version
from pipelines.refresh.record import source_statuses
from pipelines.refresh.session import RefreshSession, code_fingerprint, software_version

log = logging.getLogger("breakeven")

# Of what a table or an answer makes an error say, so much is kept in manifest and record.
_LONGEST_REASON = 2_000


def record_start(session: RefreshSession) -> bool:
    """Say that this run is running, and first what became of those before it; their details are condensed when they are old.

    True where one of them had ended without a word.
    """
    folder = session.ops.folder
    earlier = [run for run in runs(folder) if run["run_id"] != session.run_id]
    manifest = session.published.whole_manifest()
    for run in earlier:
        settled = settled_outcome(run, manifest, is_running=False, is_last=run is earlier[-1])
        if settled != (run["outcome"], run["detail"]):
            ended = {**run, "outcome": settled[0], "detail": settled[1], "finished_at": run["finished_at"] or utc_now()}
            OpsRecorder(folder, run["run_id"]).append("refreshes", [ended])
    thin_out(folder)
    condense(folder, utc_now() - timedelta(days=session.settings.keep_record_days))
    for loss in session.store.losses(recorded_snapshots(session.settings)):
        log.warning("lost   %s", loss)
    number = 1 + max((run["number"] for run in earlier), default=0)
    started = _row(session.as_of, session.started_at, "running", None)
    session.ops.append("refreshes", [{**started, "finished_at": None, "number": number}])
    return any(run["outcome"] == "running" for run in earlier)


def publish_version(session: RefreshSession) -> Path:
    """Make the built marts the current version; return its folder."""
    published = session.published
    made = published.start(session.version)
    end = _row(session.as_of, session.started_at, "published", None)
    in_version = {**end, "table": "refreshes", "run_id": session.run_id}
    ops = read_ops(session.ops.folder, session.catalogue, [in_version])
    parts = {contract.name: session.mart_parts(contract) for contract in session.catalogue.layer("marts")}
    before = Before(None, None, code_fingerprint()) if session.rebuild else Before(published.current, published.spare, code_fingerprint())
    write_version(made, parts, session.catalogue, ops, bi_views(), macros(), before)
    dashboard.write(made, _formulas(), session.settings.folders.scripts)
    facts = VersionFacts(
        version=session.version,
        run_id=session.run_id,
        as_of=session.as_of,
        created_at=utc_now(),
        fingerprint=session.fingerprint(),
        software_version=software_version(),
        duckdb_storage_version=STORAGE_VERSION,
        kept_marts={f"marts.{name}": kept.stated() for name, kept in sorted(session.kept.items())},
    )
    write_manifest(made, DUCKDB_FILE, facts, source_statuses(session.ops))
    version = published.make_current(made, session.settings.keep_versions)
    session.ops.append("refreshes", [{**end, "finished_at": utc_now(), **_store_state(session)}])
    _copy_elsewhere(version, session.settings)
    return version


def is_unchanged(session: RefreshSession) -> bool:
    """True where the published version was made from the same day, code and snapshots, and nothing of it is to be made again."""
    manifest, current = session.published.whole_manifest(), session.published.current
    if (
        session.rebuild
        or manifest is None
        or current is None
        or manifest["blocked"]
        or kept_marts(manifest)
        or changed_files(current, manifest)
    ):
        return False
    return bool(manifest["fingerprint"] == session.fingerprint())


def record_unchanged(session: RefreshSession) -> None:
    """Say in the record that this refresh found nothing new; its sources are as the published version says."""
    manifest = session.published.whole_manifest()
    if manifest is not None:
        session.ops.append("source_status", [{**row, "run_id": session.run_id} for row in manifest["sources"]])
    session.ops.append("refreshes", [_row(session.as_of, session.started_at, "unchanged", None) | _store_state(session)])


def _store_state(session: RefreshSession) -> dict[str, str]:
    # While something is lost the state before stays the one to compare with: the loss is said until it is mended or accepted.
    lost = session.store.losses(recorded_snapshots(session.settings))
    return {} if lost else {"snapshots": session.store.state()}


@dataclass(frozen=True)
class FailedRefresh:
    """How a refresh that did not publish ended: `outcome` is blocked (a check stopped it) or failed."""

    outcome: str
    reason: str
    version: Path | None


def close_failed(settings: Settings, run_id: str, error: str | None = None, lock_wait_seconds: float = 600.0) -> FailedRefresh:
    """Record that a run did not publish, and publish the last good figures again with the record of why.

    Safe to call more than once for a run, and late. `version` is None where nothing was ever published, or nothing whole.
    """
    with refresh_lock(settings.data, lock_wait_seconds):
        recorder = OpsRecorder(settings.folders.ops, run_id)
        outcome, reason = _why(recorder.rows("check_results"), error)
        published = PublishedFolder(settings.folders.published)
        manifest = published.whole_manifest()
        if manifest is not None and manifest["run_id"] == run_id:
            return FailedRefresh(outcome, reason, published.current)
        if (made_since := runs(recorder.folder)) and made_since[-1]["run_id"] != run_id and recorder.rows("refreshes"):
            # Told late, of a run that was killed: what later runs published is not to be marked with its fault.
            return FailedRefresh(INTERRUPTED, reason, None)
        rows = recorder.rows("refreshes")
        started_at = datetime.fromisoformat(rows[0]["started_at"]) if rows else utc_now()
        as_of = date.fromisoformat(rows[0]["as_of_on"]) if rows else utc_now().date()
        recorder.append("refreshes", [_row(as_of, started_at, outcome, reason)])
        previous = published.current
        if manifest is None or previous is None:
            return FailedRefresh(outcome, reason, None)
        version = f"{utc_now():%Y%m%dT%H%M%SZ}-{run_id[:8]}-blocked"
        made = published.start(version)
        write_blocked_version(made, previous, catalogue(), read_ops(settings.folders.ops, catalogue()), bi_views())
        dashboard.write_blocked(made, previous, _formulas(), settings.folders.scripts)
        facts = VersionFacts(
            version=version,
            run_id=run_id,
            as_of=date.fromisoformat(manifest["as_of"]),
            created_at=utc_now(),
            fingerprint=manifest["fingerprint"],
            software_version=manifest["software_version"],
            duckdb_storage_version=STORAGE_VERSION,
            blocked_reason=reason,
            kept_marts=kept_marts(manifest),
        )
        write_manifest(made, DUCKDB_FILE, facts, source_statuses(recorder) or manifest["sources"])
        current = published.make_current(made, settings.keep_versions)
        _copy_elsewhere(current, settings)
        return FailedRefresh(outcome, reason, current)


def _copy_elsewhere(version: Path, settings: Settings) -> None:
    """Copy a version to where `publish_to` says; what fails there is said, can be done again, and fails nothing here."""
    if settings.publish_to is None:
        return
    try:
        done = remote.publish_to(version, remote.place_of(settings.publish_to), settings.keep_versions)
        log.info("copied %s to %s: %d files sent", version.name, settings.publish_to, done["sent"])
    except remote.RemoteError as error:
        log.error("%s; `breakeven publish` tries again", error)


def _why(check_results: list[dict[str, Any]], error: str | None) -> tuple[str, str]:
    outcome, reason = _said(check_results, error)
    return outcome, fit_to_show(reason, _LONGEST_REASON)


def _said(check_results: list[dict[str, Any]], error: str | None) -> tuple[str, str]:
    blocking = [r for r in check_results if not r["is_passed"] and r.get("effect") == "blocked"]
    if blocking:
        return "blocked", "; ".join(f"{r['table_name']}, {r['rule']}: {r['detail']}" for r in blocking[:5])
    return "failed", error or "the run ended with an error; see its log in Dagster"


def _row(as_of: date, started_at: datetime, outcome: str, detail: str | None) -> dict[str, Any]:
    return {
        "as_of_on": as_of,
        "started_at": started_at,
        "finished_at": utc_now(),
        "outcome": outcome,
        "detail": detail,
        "software_version": software_version(),
    }


def _formulas() -> list[str]:
    return [macro.sql for macro in macros() if not macro.is_table]
