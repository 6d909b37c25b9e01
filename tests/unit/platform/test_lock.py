"""The refresh lock: one holder, whose name is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.platform.lock import RefreshLockedError, refresh_lock


def test_the_lock_names_its_holder(tmp_path: Path) -> None:
    with refresh_lock(tmp_path), pytest.raises(RefreshLockedError, match="process"), refresh_lock(tmp_path):
        pass
    with refresh_lock(tmp_path):
        pass
