"""Settings: the environment over the file over the defaults, and errors that name the setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.platform.settings import SettingsError, load_settings


def test_settings_of_environment_and_file(tmp_path: Path) -> None:
    path = tmp_path / "breakeven.toml"
    path.write_text('keep_versions = 3\n[sources.azure_retail]\ntimeout = 5\nbase_url = "https://proxy.example"\n')
    found = load_settings({"BREAKEVEN_SOURCE_AZURE_RETAIL_TIMEOUT": "7", "BREAKEVEN_DATA": "here"}, path)
    assert found.keep_versions == 3 and found.source("azure_retail").timeout == 7 and str(found.data) == "here"
    assert found.source("azure_retail").base_url == "https://proxy.example" and found.source("other").enabled


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"BREAKEVEN_KEEP_VERSIONS": "many"}, "BREAKEVEN_KEEP_VERSIONS"),
        ({"BREAKEVEN_SOURCE_X_SPEED": "1"}, "BASE_URL, TIMEOUT, ENABLED"),
        ({"BREAKEVEN_SOURCE_X_BASE_URL": "ftp://x"}, "^BREAKEVEN_SOURCE_X_BASE_URL: "),
        ({"BREAKEVEN_SOURCE_X_TIMEOUT": "-1"}, "^BREAKEVEN_SOURCE_X_TIMEOUT: .* found '-1'"),
        ({"BREAKEVEN_SOURCE_X_ENABLED": "perhaps"}, "^BREAKEVEN_SOURCE_X_ENABLED: "),
        ({"BREAKEVEN_DATA": ""}, "^BREAKEVEN_DATA: expected a folder of its own"),
    ],
)
def test_bad_settings_are_named(environment: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=said):
        load_settings(environment, tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (b"keep_versions = 1", "^breakeven.toml: keep_versions: .* found 1"),
        (b"[sources.x]\ntimeout = 0", r"^breakeven.toml: sources\.x\.timeout: "),
        (b"[sources.x]\nspeed = 1", r"^breakeven.toml: sources\.x\.speed: "),
        (b"[sources]\nx = 1", r"^breakeven.toml: sources\.x: "),
        (b"sources = [1]", "^breakeven.toml: sources: "),
        (b"[alerts]\nsilent_after_days = 0", r"^breakeven.toml: alerts\.silent_after_days: "),
        (b"nonsense = 1", "^breakeven.toml: nonsense: "),
        (b"data = \xff", "^breakeven.toml: not readable as TOML: "),
        (b"data = [", "^breakeven.toml: not readable as TOML: "),
    ],
)
def test_a_bad_file_is_named_with_its_key(written: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "breakeven.toml").write_bytes(written)
    with pytest.raises(SettingsError, match=said):
        load_settings({}, tmp_path / "breakeven.toml")


def test_a_folder_in_place_of_the_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "breakeven.toml").mkdir()
    with pytest.raises(SettingsError, match=r"^breakeven\.toml: Is a directory"):
        load_settings({}, tmp_path / "breakeven.toml")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("file", "found a file"),
        ("file/data", "file is none"),
        ("dangling", "found a link that leads nowhere"),
        ("dangling/data", "dangling is none"),
        ("loop", "found a link that leads nowhere"),
        ("x" * 300, "File name too long"),
    ],
)
def test_a_folder_that_cannot_be_made_is_a_bad_setting(data: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(SettingsError, match=f"^BREAKEVEN_DATA: .*{said}"):
        load_settings({"BREAKEVEN_DATA": str(tmp_path / data)}, tmp_path / "none.toml")
