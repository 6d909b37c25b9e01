"""The file that the DuckDB file of a version is made from: that of the current version, or of one that is shown no more.

Belongs here: whether a published file may be built on, and how it comes to its new place. Does not belong here: what is changed in it
(`marts`), which versions there are (`versions`).

A file is built on where the software that wrote it is this one, where it is as it was published, and where more than half of it stays.
After some updates it is made from nothing again, so that nothing that gathers in it lives for ever.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from pipelines.platform.files import clone, is_ours_alone
from pipelines.publication.manifest import DamagedVersionError, read_manifest
from pipelines.publication.marts import held_by
from pipelines.publication.parts import Part, sha256_of
from pipelines.publication.versions import DUCKDB_FILE

MOST_UPDATES = 7


def lay(target: Path, current: Path | None, spare: Path | None, parts: Mapping[str, Sequence[Part]], software: str) -> bool:
    """Put a file at `target` that the version with these parts can be made from; False where there is none, and nothing is there.

    `current` and `spare` are folders of versions. The file of `spare` is taken away if nobody reads it any more, which copies nothing.
    """
    if current is not None and not _may_be_built_on(current, parts, software):
        current = None
    if current is not None and clone(current / DUCKDB_FILE, target):
        return True
    if spare is not None and _may_be_built_on(spare, parts, software) and is_ours_alone(spare / DUCKDB_FILE):
        (spare / DUCKDB_FILE).replace(target)
    elif current is not None:
        shutil.copyfile(current / DUCKDB_FILE, target)
    else:
        return False
    target.chmod(0o644)
    return True


def _may_be_built_on(version: Path, parts: Mapping[str, Sequence[Part]], software: str) -> bool:
    file = version / DUCKDB_FILE
    try:
        with duckdb.connect(str(file), read_only=True) as connection:
            held = held_by(connection)
        if held is None or held.software != software or held.updates >= MOST_UPDATES or _share_that_stays(parts, held.parts) <= 0.5:
            return False
        return bool(sha256_of(file) == read_manifest(version)["files"][DUCKDB_FILE]["sha256"])
    except (DamagedVersionError, KeyError, TypeError, OSError, duckdb.Error):
        return False


def _share_that_stays(parts: Mapping[str, Sequence[Part]], held: Mapping[str, Mapping[str, str]]) -> float:
    """By the size of the files, which grows as the room in a DuckDB file does."""
    sizes = {(name, part.name, part.sha256): part.file.stat().st_size for name, own in parts.items() for part in own}
    staying = sum(size for (name, part, sha256), size in sizes.items() if held.get(name, {}).get(part) == sha256)
    return staying / max(1, sum(sizes.values()))
