"""Raw tables of a session: what a run's record says of a fetch is not read again for each source."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from pipelines.ingest.registry import sharing
from pipelines.platform.settings import Settings
from pipelines.publication.ops import OpsRecorder
from pipelines.refresh.fetching import fetch_sources
from pipelines.refresh.raw_tables import build_raw_table
from pipelines.refresh.session import refresh_session


def test_how_the_fetches_went_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    read = OpsRecorder.rows
    with refresh_session("a-run", dt.date(2026, 11, 23), offline=True, settings=Settings(data=tmp_path)) as session:
        fetch_sources(session)
        monkeypatch.setattr(OpsRecorder, "rows", lambda self, table: asked.append(table) or read(self, table))
        states = {}
        for name in ("offer", "reference_gpu", "ecb_fx"):
            states |= build_raw_table(session.catalogue.tables[name], sharing(session.modules.values(), name), session).states
    assert states["reference_gpu"] == ("ok", None) and states["ecb_fx"][0] == states["vultr"][0] == "offline"
    assert states["lambda"][0] == "skipped_no_credential" and "www.ecb.europa.eu" in str(states["ecb_fx"][1])
    assert asked.count("fetch_outcome") <= 1
