"""python -m tests.faults [WORDS]: every fault whose name has the words, as a table; exit code 1 where one shows.

Each in a process of its own: the cases fork, and a library whose threads were running before would wait in the child for ever.
"""

from __future__ import annotations

import sys

from tests.faults import network, refreshes, roll_over  # noqa: F401  (their cases are among those that run)
from tests.faults.cases import CASES
from tests.faults.running import run_apart

if __name__ == "__main__":
    chosen = [name for name in CASES if " ".join(sys.argv[1:]) in name]
    results = []
    print(f"{'fault':<72} {'tries':>6} {'seconds':>8}  found")
    for name in chosen:
        results.append(found := run_apart(name))
        network.OUTCOMES.update(found.outcomes)
        print(f"{found.name:<72} {found.tries:>6} {found.seconds:>8.1f}  {found.fault or 'as it must be'}", flush=True)
    print(network.table())
    bad = sum(r.fault is not None for r in results)
    print(
        f"{len(results)} faults, {sum(r.tries for r in results)} tries, {sum(r.seconds for r in results):.0f} s: {bad} not as they must be"
    )
    sys.exit(1 if bad else 0)
