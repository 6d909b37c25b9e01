"""Settings: environment variables over `breakeven.toml` over defaults, typed.

Belongs here: what may be set, its type, and clear errors for a bad value. Does not belong here: credentials (each source declares
its own variables and they are read only when it is fetched), facts about sources.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipelines.platform.paths import DataFolder, working_folder
from pipelines.platform.text import fit_to_show


class SettingsError(Exception):
    """A setting has a bad value; the message names the setting, the value and what was expected."""


class SourceSettings(BaseModel):
    """What may be set for one source; None means the source's own default."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    base_url: str | None = Field(default=None, pattern=r"^https?://")
    timeout: float | None = Field(default=None, gt=0, le=3600)
    enabled: bool = True


class BreakEvenLine(BaseModel):
    """A use that the break-even of a server is watched against; a message is sent when it crosses."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    server: str
    utilisation_share: float = Field(ge=0, le=1)
    model: str = "Llama-3.1-70B"
    precision: str = "fp8"
    workload: str = "business_hours_1024_1024"
    comparator: Literal["cheapest", "median", "dearest"] = "median"


class AlertSettings(BaseModel):
    """What is told, and when. Whom it is told to is a secret, and comes from the environment.

    `workloads` are files for `breakeven decide` whose answers are watched; a relative path begins where `breakeven.toml` lies.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    break_even_lines: tuple[BreakEvenLine, ...] = ()
    workloads: tuple[Path, ...] = ()
    silent_after_days: int = Field(default=3, ge=1, le=365)
    expiring_within_days: int = Field(default=30, ge=1, le=365)


class Settings(BaseModel):
    """All settings. `data` is the folder that a refresh writes to.

    `publish_to` is where each version is copied: `s3://bucket/prefix` or a folder.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    data: Path = Field(default_factory=lambda: working_folder() / "data")
    offline: bool = False
    keep_versions: int = Field(default=5, ge=2, le=1000)
    keep_record_days: int = Field(default=30, ge=1, le=3650)
    fetch_threads: int = Field(default=8, ge=1, le=64)
    alerts: AlertSettings = Field(default_factory=AlertSettings)
    publish_to: str | None = Field(default=None, min_length=1)
    sources: dict[str, SourceSettings] = Field(default_factory=dict)

    @field_validator("data")
    @classmethod
    def _usable_folder(cls, data: Path) -> Path:
        # DuckDB looks for its log where a question mark or a backslash would send it, not beside the file.
        if str(data) in ("", ".") or any(c in str(data.absolute()) for c in "?\\\0\n"):
            raise ValueError("expected a folder of its own, whose path has no question mark, no backslash and no line break")
        try:
            nearest = next(folder for folder in (data.absolute(), *data.absolute().parents) if _exists(folder))
            is_folder = nearest.is_dir()
        except OSError as error:
            raise ValueError(f"expected a folder that can be made: {error.strerror}") from error
        if not is_folder and nearest != data.absolute():
            raise ValueError(f"expected a folder within folders, and {nearest} is none")
        if not is_folder:
            raise ValueError(f"expected a folder, found {'a link that leads nowhere' if nearest.is_symlink() else 'a file'}")
        return data

    @property
    def folders(self) -> DataFolder:
        """What lies in the data folder."""
        return DataFolder(self.data)

    def source(self, name: str) -> SourceSettings:
        """Settings of one source."""
        return self.sources.get(name, SourceSettings())


def _exists(path: Path) -> bool:
    """True of a link that leads nowhere, too. Raises OSError for a name that can be none."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


_SIMPLE = ("data", "offline", "keep_versions", "keep_record_days", "fetch_threads", "publish_to")
_OF_A_SOURCE, _OF_SOURCES = ("base_url", "timeout", "enabled"), "BREAKEVEN_SOURCE_"


def load_settings(environment: Mapping[str, str], toml_path: Path | None = None) -> Settings:
    """Read settings.

    `BREAKEVEN_DATA`, `BREAKEVEN_OFFLINE`, ... set the simple ones, `BREAKEVEN_SOURCE_<NAME>_<BASE_URL|TIMEOUT|ENABLED>` those of a
    source; the same names stand in `breakeven.toml`, a source's under `[sources.<name>]`. Raises SettingsError.
    """
    path = toml_path or working_folder() / "breakeven.toml"
    values, origin = _written_in(path), {}
    for key in _SIMPLE:
        variable = f"BREAKEVEN_{key.upper()}"
        if variable in environment:
            values[key], origin[key] = environment[variable], variable
    for variable, value in environment.items():
        if variable.startswith(_OF_SOURCES):
            name, key = _source_and_key(variable)
            origin[f"sources.{name}.{key}"] = variable
            sources = values.setdefault("sources", {})
            given = sources.setdefault(name, {}) if isinstance(sources, dict) else None
            if isinstance(given, dict):  # what the file has in its place is refused below
                given[key] = value
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        said, found = first["msg"].removeprefix("Value error, "), fit_to_show(repr(first["input"]))
        raise SettingsError(f"{origin.get(key, f'{path.name}: {key}')}: {said}, found {found}") from error


def _written_in(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path.name}: {error.strerror}, expected a file that can be read") from error
    except ValueError as error:  # of the text, or of its encoding
        raise SettingsError(f"{path.name}: not readable as TOML: {error}") from error


def _source_and_key(variable: str) -> tuple[str, str]:
    key = next((k for k in _OF_A_SOURCE if variable.endswith(f"_{k.upper()}")), "")
    name = variable[len(_OF_SOURCES) : -len(key) - 1].lower() if key else ""
    if not name:
        raise SettingsError(f"{variable}: unknown setting; expected {_OF_SOURCES}<NAME>_ and one of BASE_URL, TIMEOUT, ENABLED")
    return name, key
