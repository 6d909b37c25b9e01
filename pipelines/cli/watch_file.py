"""What `decide --watch` remembers: the kind of way that was the answer to each workload.

Belongs here: reading and writing that file, and what has turned since. Does not belong here: workloads that are watched after each refresh
(`pipelines.monitoring.workloads`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pipelines.cli.exits import UsageError
from pipelines.decision import Decision
from pipelines.platform.files import write_whole


def turned_since(path: Path, found: Sequence[Decision]) -> list[str]:
    """A sentence for each answer that is another kind of way than was remembered; what is said now is remembered. Raises UsageError."""
    names = [answer.workload.name for answer in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"--watch: {len(names)} workloads, of which more than one is called {twice[0]!r}, expected a name for each")
    before = _remembered(path)
    now = {a.workload.name: {"kind": a.best.kind if a.best else None, "as_of": str(a.market.as_of)} for a in found}
    try:
        write_whole(path, (json.dumps({**before, **now}, indent=1) + "\n").encode())
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error
    return [
        f"{name}: turned from {before[name]['kind'] or 'nothing'} ({before[name]['as_of']}) to {answer['kind'] or 'nothing'}"
        for name, answer in now.items()
        if name in before and before[name]["kind"] != answer["kind"]
    ]


def _remembered(path: Path) -> dict[str, dict[str, str | None]]:
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): {"kind": answer["kind"], "as_of": answer["as_of"]} for name, answer in found.items()}
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: is no file that --watch wrote: {type(error).__name__}") from error
