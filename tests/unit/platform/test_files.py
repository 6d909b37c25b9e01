"""A file is shared under a second name, or copied where that cannot be."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pipelines.platform.files import share


def test_one_file_under_two_names(tmp_path: Path) -> None:
    file = tmp_path / "prices.parquet"
    file.write_bytes(b"prices")
    share(file, tmp_path / "version" / "marts" / "prices.parquet")
    assert (tmp_path / "version" / "marts" / "prices.parquet").samefile(file)
    with pytest.raises(FileExistsError):
        share(file, tmp_path / "version" / "marts" / "prices.parquet")


@pytest.mark.parametrize("why", [errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_a_copy_where_the_file_system_gives_no_second_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: int) -> None:
    def link(*_: object) -> None:
        raise OSError(why, os.strerror(why))

    file = tmp_path / "prices.parquet"
    file.write_bytes(b"prices")
    monkeypatch.setattr(os, "link", link)
    copy = tmp_path / "version" / "prices.parquet"
    share(file, copy)
    assert copy.read_bytes() == b"prices" and not copy.samefile(file)
