"""The folder of published versions: making one aside, the swap of the link, what is kept.

Belongs here: names, links, permissions and retention below `data/published`. Does not belong here: what a version holds (`write`,
`manifest`), deciding whether a refresh is good.

A version is a folder `versions/<id>/`. It is made under a hidden name, renamed when whole, and becomes current by one rename of the link
`current`. Readers hold the old files open undisturbed; a kill at any instant leaves the old version current. Published files cannot be
written to: a client that opens one plainly neither changes it nor locks the others out. Of the version that was removed last the DuckDB
file is put by: a later version can be made from it without a copy.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from pipelines.platform.files import sync
from pipelines.publication.manifest import MANIFEST_FILE, DamagedVersionError, read_manifest

DUCKDB_FILE = "breakeven.duckdb"
_FILE_MODE, _FOLDER_MODE = 0o444, 0o755
_VERSION_NAME = re.compile(r"\d{8}T\d{6}Z-")


class PublishedFolder:
    """`data/published`: versions, and the link to the current one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.versions = folder / "versions"
        self._spare = folder / ".spare"

    @property
    def current(self) -> Path | None:
        """Folder of the current version, or None before the first publication."""
        link = self.folder / "current"
        return link.resolve() if link.exists() else None

    @property
    def spare(self) -> Path | None:
        """A folder with the DuckDB file and the manifest of a version that is shown no more, None where there is none."""
        return self._spare if (self._spare / DUCKDB_FILE).exists() else None

    def manifest(self) -> dict[str, Any] | None:
        """Manifest of the current version, None before the first publication. Raises DamagedVersionError."""
        current = self.current
        return None if current is None else read_manifest(current)

    def whole_manifest(self) -> dict[str, Any] | None:
        """As `manifest`, and None where the current version cannot be read: there is nothing to build on then."""
        try:
            return self.manifest()
        except DamagedVersionError:
            return None

    def start(self, version: str) -> Path:
        """An empty folder in which a version is made; leftovers of crashed ones are removed. Call under the refresh lock."""
        self.versions.mkdir(parents=True, exist_ok=True)
        for leftover in self.versions.glob(".*"):
            # A stray file, as a desktop or a network file system leaves them, is not ours to remove.
            if leftover.is_dir():
                shutil.rmtree(leftover, ignore_errors=True)
        folder = self.versions / f".{version}"
        folder.mkdir()
        return folder

    def make_current(self, made: Path, keep: int) -> Path:
        """Rename a made version to its name, swap the link to it, remove versions beyond the last `keep`."""
        final = self.versions / made.name.removeprefix(".")
        _make_read_only(made)
        _sync_tree(made)
        if final.is_dir() and final != self.current:
            self._remove(final)  # a kill came between its rename and the link
        made.rename(final)
        sync(self.versions)
        self._link("current", Path("versions") / final.name)
        self._link(DUCKDB_FILE, Path("current") / DUCKDB_FILE)
        sync(self.folder)
        for old in self.all_versions()[:-keep]:
            if old != self.current:
                self._remove(old, put_by=True)
        return final

    def all_versions(self) -> list[Path]:
        """Folders of the versions, oldest first."""
        return sorted(p for p in self.versions.iterdir() if p.is_dir() and _VERSION_NAME.match(p.name))

    def _remove(self, version: Path, *, put_by: bool = False) -> None:
        # Hidden first: a version that a kill leaves half removed is a leftover, which the next refresh clears away.
        hidden = self.versions / f".{version.name}.removed"
        version.rename(hidden)
        if put_by and (hidden / DUCKDB_FILE).exists():
            shutil.rmtree(self._spare, ignore_errors=True)
            self._spare.mkdir()
            for name in (MANIFEST_FILE, DUCKDB_FILE):
                (hidden / name).replace(self._spare / name)
        shutil.rmtree(hidden, ignore_errors=True)

    def _link(self, name: str, target: Path) -> None:
        link = self.folder / name
        if link.is_symlink() and link.readlink() == target:
            return
        if link.is_dir() and not link.is_symlink():
            raise DamagedVersionError(f"{link} is a folder, expected a link to a version; move it away and refresh again")
        temporary = self.folder / f".{name}.new"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(target)
        temporary.replace(link)


def _make_read_only(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        path.chmod(_FOLDER_MODE if path.is_dir() else _FILE_MODE)


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)
