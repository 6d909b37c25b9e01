"""The sources of a session fetched, and whether that brought anything to build from.

Belongs here: what every refresh does first, and the record of it. Does not belong here: fetching itself (`pipelines.ingest.fetch`), what
makes a refresh equal to the published one (`lifecycle`), Dagster (`pipelines.defs`): a refresh that finds nothing new needs none.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Collection

from pipelines.ingest.fetch import FetchOutcome, fetch_all
from pipelines.refresh.lifecycle import is_unchanged, record_unchanged
from pipelines.refresh.session import RefreshSession

log = logging.getLogger("breakeven")


def fetch_sources(session: RefreshSession, names: Collection[str] | None = None) -> list[FetchOutcome] | None:
    """Fetch the sources of these names, of all where none are given; None where the refresh would publish what is published already."""

    def report(outcome: FetchOutcome) -> None:
        session.ops.append("fetch_outcome", [dataclasses.asdict(outcome)])
        if outcome.status not in ("ok", "not_tried") or not session.modules[outcome.source].source.is_bundled:
            log.info("source %-28s %s%s", outcome.source, outcome.status, f": {outcome.detail}" if outcome.detail else "")

    outcomes = fetch_all(
        {name: module for name, module in session.modules.items() if names is None or name in names},
        session.store,
        session.settings,
        session.environment,
        session.as_of,
        session.run_id,
        offline=session.offline,
        only_source=session.only_source,
        report=report,
    )
    if is_unchanged(session):
        record_unchanged(session)
        log.info("nothing changed since the published version; the build is skipped (--rebuild forces it)")
        return None
    return outcomes
