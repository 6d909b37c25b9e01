"""What the record of a run comes to once its process is gone: a process that died claims what it did not do, or says nothing.

Belongs here: reading the record of runs against what is published. Does not belong here: writing the record (`ops`), a verdict on the
whole data folder (`pipelines.monitoring`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.platform.settings import Settings
from pipelines.publication.ops import runs

INTERRUPTED = "interrupted"
_GONE = "the run ended without a word: its process was killed, or the machine went down"
_NOT_SHOWN = "the run ended before its version was current"


def settled_outcome(
    run: Mapping[str, Any], manifest: Mapping[str, Any] | None, *, is_running: bool, is_last: bool
) -> tuple[str, str | None]:
    """What a run's record comes to, as (outcome, detail)."""
    is_current = manifest is not None and manifest["run_id"] == run["run_id"] and not manifest["blocked"]
    if run["outcome"] == "running":
        if is_running and is_last:
            return "running", run["detail"]
        return ("published", None) if is_current else (INTERRUPTED, _GONE)
    # Versions of this software before the record was kept honest said so before the deed.
    if run["outcome"] == "published" and is_last and manifest is not None and not is_current:
        return INTERRUPTED, _NOT_SHOWN
    return run["outcome"], run["detail"]


def recorded_snapshots(settings: Settings) -> str | None:
    """What the store of snapshots came to by the record of the last run that said so."""
    said = (run.get("snapshots") for run in reversed(runs(settings.folders.ops)))
    return next((state for state in said if isinstance(state, str)), None)
