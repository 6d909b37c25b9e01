"""What is said of a disk, a folder or a file: one sentence with what to do, no traceback."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import duckdb
import pytest

from pipelines.cli.main import main
from pipelines.cli.problems import explain, with_remedy


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "owner of the data folder"),
        (errno.EIO, "system's log"),
    ],
)
def test_the_remedy_is_said(number: int, said: str) -> None:
    error = RuntimeError("something else")
    error.__cause__ = OSError(number, os.strerror(number), "/data/x")
    assert said in explain(error) and "\n" not in explain(error)


@pytest.mark.parametrize("words", ["IO Error: No space left on device", "(sqlite3.OperationalError) database or disk is full"])
def test_a_library_s_words_are_known(words: str) -> None:
    assert "free some space" in with_remedy(words)


@pytest.mark.parametrize("damage", ["cut short", "overwritten", "of another kind"])
def test_a_damaged_file_has_its_remedy(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "breakeven.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE TABLE t AS SELECT range::VARCHAR || 'x' AS x FROM range(300000)")
    whole = file.read_bytes()
    middle = len(whole) // 2
    damaged = {
        "cut short": whole[:middle],
        "overwritten": whole[:12_288] + b"\xff" * (len(whole) - 12_288),
        "of another kind": b"a" * 50_000,
    }
    file.write_bytes(damaged[damage])
    with pytest.raises(duckdb.Error) as raised, duckdb.connect(str(file), read_only=True) as connection:
        connection.execute("SELECT max(x) FROM t").fetchall()
    assert "refresh --rebuild" in with_remedy(str(raised.value)), raised.value


def test_a_message_of_others_is_cut_and_clean() -> None:
    said = with_remedy("\x1b[31m" + "x" * 30_000_000)
    assert len(said) < 2_000 and "\x1b" not in said


@pytest.mark.parametrize("data", ["", "a\\b", "what?", "what?/data"])
def test_a_folder_that_cannot_be_used_is_a_bad_setting(
    data: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BREAKEVEN_DATA", data)
    assert main(["status"]) == 2
    assert "BREAKEVEN_DATA" in capsys.readouterr().err


def test_a_file_in_place_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data").write_text("")
    monkeypatch.setenv("BREAKEVEN_DATA", str(tmp_path / "data"))
    assert main(["refresh"]) == 2
    assert "expected a folder, found a file" in capsys.readouterr().err


class _Closed:
    def write(self, _: str) -> int:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


@pytest.mark.parametrize("command", [["completion", "bash"], ["sources"]])
def test_output_that_nobody_takes_is_no_success(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a process that the signal ends: of `status | head` and `refresh | head` nobody may take the end for a good one."""
    monkeypatch.setattr(sys, "stdout", _Closed())
    assert main(command) == 141


def test_tomorrow_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("BREAKEVEN_DATA", str(tmp_path / "data"))
    assert main(["refresh", "--offline", "--as-of", "2999-01-01"]) == 2
    assert "is in the future" in capsys.readouterr().err
