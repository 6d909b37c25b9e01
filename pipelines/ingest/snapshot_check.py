"""What was in the store once: so that a line, a response or a pack that is gone is noticed and said.

Belongs here: the list of what was ever added, and comparing it with what is there. Does not belong here: the store itself (`snapshots`).

`index.check` has one line for each line of the index, `<hash of the line> <source> <day>`, in the order in which they were added. It is
written after the index: what a kill keeps from it is added by the next look. Losses that a person accepted are in `accepted.txt`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.platform.files import write_whole

_SHOWN = 3


@dataclass(frozen=True)
class IndexLine:
    """One whole line of the index: its number, its hash, and the source and day that it is of (empty where it cannot be read)."""

    number: int
    key: str
    source: str
    as_of: str


def key_of(line: bytes) -> str:
    """What stands for a line of the index."""
    return hashlib.sha256(line).hexdigest()[:32]


class CheckList:
    """`index.check` and `accepted.txt` of a store."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "index.check"
        self._accepted = folder / "accepted.txt"

    def take_in(self, lines: Iterable[IndexLine]) -> None:
        """Note lines of the index that are not noted yet."""
        known = self._known()
        new = [f"{line.key} {line.source} {line.as_of}\n" for line in lines if line.source and line.key not in known]
        if not new:
            return
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            torn = size and os.pread(descriptor, 1, size - 1) != b"\n"
            os.write(descriptor, (("\n" if torn else "") + "".join(new)).encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def state(self) -> str:
        """Number of lines ever noted and the hash of them all, for a record kept elsewhere."""
        known = list(self._known())
        return f"{len(known)} {_chain(known)}"

    def losses(self, lines: Iterable[IndexLine], missing: Mapping[str, str], unreadable: Iterable[str], recorded: str | None) -> list[str]:
        """A sentence for each kind of loss; accepted ones are left out.

        `missing`: response by hash with the name of its fetch; `unreadable`: sentences of the store; `recorded`: `state` as some
        earlier run recorded it.
        """
        accepted = self._accepted_keys()
        known, present = self._known(), {line.key for line in lines}
        gone = [what for key, what in known.items() if key not in present and key not in accepted]
        lost = [what for key, what in missing.items() if key not in accepted]
        found = [f"snapshots/index.jsonl has lost {_counted(gone, 'fetch', 'fetches')}"] if gone else []
        found += [f"snapshots/ has lost {_counted(lost, 'response', 'responses')}"] if lost else []
        found += [sentence for sentence in unreadable if key_of(sentence.encode()) not in accepted]
        if recorded is not None and recorded not in accepted:
            count, _, chain = recorded.partition(" ")
            before = list(known)[: int(count)] if count.isdecimal() else []
            if len(before) < int(count or 0) or _chain(before) != chain:
                found.append(f"snapshots/index.check is not what it was ({count} fetches then, {len(known)} now)")
        return found

    def accept(self, lines: Iterable[IndexLine], missing: Mapping[str, str], unreadable: Iterable[str], recorded: str | None) -> None:
        """Say no more of what is gone now."""
        present = {line.key for line in lines}
        gone = [key for key in self._known() if key not in present]
        keys = {*self._accepted_keys(), *gone, *missing, *(key_of(s.encode()) for s in unreadable), *([recorded] if recorded else [])}
        write_whole(self._accepted, "".join(f"{key}\n" for key in sorted(keys)).encode())

    def _known(self) -> dict[str, str]:
        if not self._path.exists():
            return {}
        parts = (line.split(" ", 1) for line in self._path.read_text(encoding="utf-8", errors="replace").splitlines())
        return {part[0]: part[1] for part in parts if len(part) == 2 and len(part[0]) == 32}

    def _accepted_keys(self) -> set[str]:
        return set(self._accepted.read_text(encoding="utf-8").splitlines()) if self._accepted.exists() else set()


def _chain(keys: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()[:32]


def _counted(what: list[str], one: str, many: str) -> str:
    shown = ", ".join(what[:_SHOWN]) + (f" and {len(what) - _SHOWN} more" if len(what) > _SHOWN else "")
    return f"{len(what)} {one if len(what) == 1 else many}: {shown}; restore them from a backup, or `breakeven snapshots --accept`"
