"""One file with all that cannot be made again, and the way back.

Belongs here: which parts of a data folder a backup holds, writing and reading it. Does not belong here: when it is made. The stored
answers, the record and what a person decided cannot be made again; the current version is in it so that readers have something at once;
everything else the next refresh makes anew.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from pipelines.platform.files import sync
from pipelines.platform.paths import DataFolder

_LISTING, _EXTRACTED = "breakeven-backup.json", ".extracted"
# What the next refresh makes anew, or what is of this machine alone.
_OF = DataFolder(Path())
_MADE_ANEW = (_OF.dagster, _OF.unreadable_dagster, _OF.history, _OF.replay, _OF.spilled, _OF.published, _OF.lock)
_LEFT_OUT = frozenset(path.parts[0] for path in _MADE_ANEW)
_LEFT_OUT_STARTS = (".", "work.duckdb", "build")


class BackupError(Exception):
    """A backup cannot be written, or is not one, or cannot be put here; the message says what to do."""


def write_backup(data: Path, target: Path) -> int:
    """Write a backup, read it back, then give it its name; returns the number of files. Call under the refresh lock."""
    if not DataFolder(data).snapshots.is_dir():
        raise BackupError(f"{data} holds no snapshots; there is nothing to back up yet")
    making = target.with_name(f".{target.name}.part")
    listing = {}
    with tarfile.open(making, "w:gz", compresslevel=1) as archive:
        for path in _parts(data):
            name = str(path.relative_to(data))
            archive.add(path, name, recursive=False)
            if path.is_file() and not path.is_symlink():
                listing[name] = _sha256(path)
        content = json.dumps(listing).encode()
        entry = tarfile.TarInfo(_LISTING)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    try:
        _check(making)
    except BackupError:
        making.unlink()
        raise
    sync(making)
    making.replace(target)
    return len(listing)


def restore_backup(source: Path, data: Path) -> int:
    """Put a backup into an empty data folder; returns the number of files. Call under the refresh lock. Raises BackupError."""
    making = DataFolder(data).restoring
    extracted = making / _EXTRACTED
    listing = _check(source)
    # A restore that was killed while it moved its parts goes on; one killed before had changed nothing yet.
    if not extracted.exists():
        found = sorted(p.name for p in data.iterdir() if p.name not in _LEFT_OUT and not p.name.startswith("."))
        if found or DataFolder(data).published.exists():
            raise BackupError(f"{data} is not empty (it has {', '.join(found[:3] or ['published'])}); move it away, or set BREAKEVEN_DATA")
        shutil.rmtree(making, ignore_errors=True)
        with tarfile.open(source, "r:gz") as archive:
            archive.extractall(making, filter="data")
        (making / _LISTING).unlink()
        extracted.touch()
    for part in sorted(making.iterdir()):
        if part != extracted:
            part.rename(data / part.name)
    extracted.unlink()
    making.rmdir()
    sync(data)
    return len(listing)


def _check(file: Path) -> dict[str, str]:
    try:
        found, listing = {}, None
        with gzip.open(file) as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            for entry in archive:
                content = archive.extractfile(entry) if entry.isfile() else None
                if content is not None and entry.name == _LISTING:
                    listing = json.loads(content.read())
                elif content is not None:
                    found[entry.name] = hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type]
            # To the end: the sum over all bytes stands there.
            while stream.read(1 << 20):
                pass
    except (tarfile.TarError, zlib.error, OSError, EOFError, ValueError) as error:
        raise BackupError(f"{file}: not readable as a backup ({type(error).__name__}); take another") from error
    if listing is None or found != listing:
        raise BackupError(f"{file}: not whole: it holds {len(found)} files, expected those of its list; take another")
    return found


def _parts(data: Path) -> Iterator[Path]:
    for part in sorted(data.iterdir()):
        if part.name not in _LEFT_OUT and not part.name.startswith(_LEFT_OUT_STARTS):
            yield from _tree(part)
    folders = DataFolder(data)
    published, current = folders.published, folders.current
    if current.is_symlink() and current.exists():
        yield published
        yield published / "versions"
        yield from _tree(current.resolve())
        yield from (link for link in (current, folders.current_file) if link.is_symlink())


def _tree(path: Path) -> Iterator[Path]:
    yield path
    if path.is_dir() and not path.is_symlink():
        for folder, folders, files in os.walk(path):
            folders.sort()
            yield from (Path(folder) / name for name in [*folders, *sorted(files)] if not name.endswith(".tmp"))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
