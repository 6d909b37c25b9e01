"""How much of the time machines are at work, by what their system was measured to serve at each concurrency.

Pure. Belongs here: from load to machines at work. Does not belong here: what a machine costs, the load itself (`demand`).

A full machine serves at its best batch; one at a twentieth of its load does not. With few requests at a time each is served fast, and the
machine is still at work whenever there is any: for requests that come one by one, independently, a share of 1 - exp(-n) of the time, with n
requests at a time on average (Little's law, from the measured rates). Work that may wait is gathered, and fills its machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# An excess that floats cannot tell from none needs no further machine.
ROUNDING = 1e-9


@dataclass(frozen=True)
class System:
    """A machine that holds `copies` of a measured system; `sweep`: share of a copy's best rate, and requests at a time that give it."""

    copies: int = 1
    sweep: Sequence[tuple[float, float]] = ()

    def at_work(self, load: np.ndarray) -> np.ndarray:
        """Machines at work (each copy counts its part) for a load in machines."""
        if not self.sweep:
            return load
        copies = load * self.copies
        full = np.floor(copies + ROUNDING)
        rest = np.maximum(copies - full, 0.0)
        shares, at_a_time = zip((0.0, 0.0), *self.sweep, strict=True)
        return np.asarray((full + np.maximum(rest, 1 - np.exp(-np.interp(rest, shares, at_a_time)))) / self.copies)

    def billed(self, load: np.ndarray, cold_start_s: float) -> np.ndarray:
        """Machines paid in an hour in which the last is switched off when it has nothing to do, and pays its start."""
        whole = np.floor(load + ROUNDING)
        rest = np.maximum(load - whole, 0.0)
        one_copy = np.minimum(rest * self.copies, 1.0) / self.copies
        running = np.minimum(1.0, self.at_work(one_copy) * self.copies) if self.sweep else rest
        return np.asarray(whole + np.where(rest > ROUNDING, np.minimum(1.0, running + cold_start_s / 3600), 0.0))
