"""Old responses packed together by month: what a service says today is mostly what it said yesterday, and packs as such.

Belongs here: packing stored bytes, finding them again, and removing what nothing refers to. Does not belong here: the index of fetches
(`snapshots`), which stays as it is. Nothing that cannot be had again is ever removed: a response leaves its own file only when a pack
holds it and was read back.

A pack is `packs/<YYYY-MM>-<n>.xz`, the responses one after the other, and `packs/<YYYY-MM>-<n>.json`, where each of them lies; without
its JSON a pack is not there.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import count
from pathlib import Path

from pipelines.platform.errors import ExplainedError
from pipelines.platform.files import sync

# Fast, and of repeated text as good as any.
_PRESET = 1


class PackError(ExplainedError):
    """A pack does not hold what its list says; the message names the file."""


@dataclass(frozen=True)
class Compacted:
    """What a compaction did: responses packed, files that nothing referred to, bytes of their files before and of the packs after."""

    packed: int
    removed: int
    bytes_before: int
    bytes_after: int


class PackStore:
    """`<snapshots>/packs`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def content(self, sha256: str) -> bytes | None:
        """Bytes of a packed response, or None where no pack holds it. Raises PackError."""
        unreadable: PackError | None = None
        for listing in self._listings():
            try:
                place = _places(listing).get(sha256)
            except PackError as error:
                unreadable = error  # it may stand in another
                continue
            if place is not None:
                start, size = place
                return _unpacked(listing.with_suffix(".xz"))[start : start + size]
        if unreadable is not None:
            raise unreadable
        return None

    def hashes(self) -> set[str]:
        """Responses that packs hold, as far as their lists can be read and the packs are there."""
        found: set[str] = set()
        for listing in self._listings():
            if listing.with_suffix(".xz").is_file():
                with suppress(PackError):
                    found.update(_places(listing))
        return found

    def broken(self) -> list[str]:
        """A sentence for each pack whose list cannot be read."""
        said = []
        for listing in self._listings():
            try:
                _places(listing)
            except PackError as error:
                said.append(f"snapshots/packs/{error}; restore it from a backup")
        return said

    def _listings(self) -> list[Path]:
        return sorted(p for p in self.folder.glob("*.json") if p.is_file() and not p.name.startswith("."))

    def add(self, month: str, responses: Iterable[tuple[str, bytes]]) -> Path:
        """Pack responses (hash, bytes) and read them back. Raises PackError where they do not come back."""
        self.folder.mkdir(parents=True, exist_ok=True)
        # A number that neither a pack nor a list has: a pack whose list was lost is not written over.
        taken = {path.stem for path in self.folder.glob(f"{month}-*")}
        pack = self.folder / f"{month}-{next(n for n in count() if f'{month}-{n}' not in taken)}.xz"
        places, start = {}, 0
        temporary = pack.with_suffix(".tmp")
        with lzma.open(temporary, "wb", preset=_PRESET) as file:
            for sha256, content in responses:
                file.write(content)
                places[sha256] = (start, len(content))
                start += len(content)
        sync(temporary)
        temporary.replace(pack)
        whole = _unpacked(pack)
        for sha256, (at, size) in places.items():
            if hashlib.sha256(whole[at : at + size]).hexdigest() != sha256:
                raise PackError(f"{pack.name}: {sha256} does not come back as it was; nothing was removed")
        listing = pack.with_suffix(".json")
        unfinished = listing.with_suffix(".part")
        unfinished.write_text(json.dumps(places), encoding="utf-8")
        sync(unfinished)
        unfinished.replace(listing)
        sync(self.folder)
        return pack


def compact(folder: Path, referred: Iterable[tuple[date, str]], before: date) -> Compacted:
    """Pack the responses of `folder` that were last referred to before a day, by month; remove files that nothing refers to.

    `referred`: (day, sha256) of each response of each fetch. Call under the refresh lock. Raises PackError.
    """
    last: dict[str, date] = {}
    for day, sha256 in referred:
        last[sha256] = max(day, last.get(sha256, day))
    by_month: dict[str, list[str]] = defaultdict(list)
    objects = {path.name.removesuffix(".gz"): path for path in (folder / "objects").glob("*/*.gz")}
    for sha256 in sorted(objects):
        if sha256 in last and last[sha256] < before:
            by_month[f"{last[sha256]:%Y-%m}"].append(sha256)
    orphans = [path for sha256, path in objects.items() if sha256 not in last]
    orphans += [*(folder / "objects").glob("*/*.tmp"), *(folder / "packs").glob("*.tmp"), *(folder / "packs").glob("*.part")]
    packed, bytes_before, bytes_after = 0, 0, 0
    store = PackStore(folder / "packs")
    for month, hashes in sorted(by_month.items()):
        # Responses of one name follow each other in time: what repeats lies close together.
        ordered = sorted(hashes, key=lambda sha256: (last[sha256], sha256))
        pack = store.add(month, ((sha256, _read(objects[sha256])) for sha256 in ordered))
        bytes_after += pack.stat().st_size
        for sha256 in ordered:
            bytes_before += objects[sha256].stat().st_size
            objects[sha256].unlink()
        packed += len(ordered)
    for path in orphans:
        path.unlink()
    return Compacted(packed, len(orphans), bytes_before, bytes_after)


def _read(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes())


def _unpacked(pack: Path) -> bytes:
    try:
        return _decompressed(pack, pack.stat().st_mtime_ns)
    except (OSError, lzma.LZMAError) as error:
        raise PackError(f"{pack.name}: not readable: {error}") from error


@lru_cache(maxsize=1)
def _decompressed(pack: Path, _mtime_ns: int) -> bytes:
    return lzma.decompress(pack.read_bytes())


def _places(listing: Path) -> dict[str, tuple[int, int]]:
    try:
        return _read_places(listing, listing.stat().st_mtime_ns)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise PackError(f"{listing.name}: not readable: {type(error).__name__}") from error


@lru_cache(maxsize=256)
def _read_places(listing: Path, _mtime_ns: int) -> dict[str, tuple[int, int]]:
    return {sha256: (start, size) for sha256, (start, size) in json.loads(listing.read_text(encoding="utf-8")).items()}
