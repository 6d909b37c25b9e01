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
        ({"BREAKEVEN_SOURCE_X_BASE_URL": "ftp://x"}, "base_url"),
    ],
)
def test_bad_settings_are_named(environment: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=said):
        load_settings(environment, tmp_path / "none.toml")
