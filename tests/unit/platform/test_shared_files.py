"""Files that several machines see: whole or not there, and the newest of several."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.platform.shared_files import SharedBucket, SharedFolder, shared_files
from tests.support.object_store import object_store


def test_an_address_is_a_folder_or_a_bucket(tmp_path: Path) -> None:
    assert shared_files(str(tmp_path)) == SharedFolder(tmp_path)
    assert shared_files("s3://prices/runs/today/") == SharedBucket("prices", "runs/today")
    assert shared_files("s3://prices") == SharedBucket("prices", "")


@pytest.mark.parametrize("where", ["folder", "bucket"])
def test_what_is_put_again_replaces_what_was_there(tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    with object_store(monkeypatch):
        files = SharedFolder(tmp_path / "shared") if where == "folder" else SharedBucket("prices", "run")
        for content in ("first", "second"):
            file.write_text(content)
            files.put(file, "a/b.txt")
            assert files.get("a/b.txt", tmp_path / content).read_text() == content
        assert file.read_text() == "second", "what was put stays where it was"
        with pytest.raises(FileNotFoundError, match=r"a/c\.txt"):
            files.get("a/c.txt", tmp_path / "scratch")
    if where == "folder":
        assert [path.name for path in (tmp_path / "shared" / "a").iterdir()] == ["b.txt"]
