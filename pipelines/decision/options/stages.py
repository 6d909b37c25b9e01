"""Buying in stages: how many units to have in each year at least cost.

Pure. Belongs here: the exact minimum over the years. Does not belong here: what a unit is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def staged(per_year: Sequence[np.ndarray], added: Sequence[float]) -> list[int]:
    """Units in each year, never fewer than the year before, so that the whole costs least.

    `per_year[y][n]` is what year y costs beside the units with n of them, `added[y]` what one unit costs from year y to the end;
    infinite where it cannot be. Exact, by dynamic programming; the fewer units win a tie. Raises ValueError where nothing is possible.
    """
    counts = np.arange(per_year[0].size, dtype=np.float64)
    best = np.where(counts == 0, 0.0, np.inf)  # cost so far with exactly n units before year y
    came_from: list[np.ndarray] = []
    for cost, unit in zip(per_year, added, strict=True):
        if np.isfinite(unit):
            reach = best - counts * unit
            lowest = np.minimum.accumulate(reach)
            # The first index at which the running minimum was reached.
            falls = np.concatenate(([True], lowest[1:] < lowest[:-1]))
            first = np.maximum.accumulate(np.where(falls, np.arange(counts.size), 0))
            best = lowest + counts * unit + cost
        else:
            first = np.arange(counts.size)
            best = best + cost
        came_from.append(first)
    if not np.isfinite(best).any():
        raise ValueError("no number of units serves every year")
    at = int(np.argmin(best))
    found: list[int] = []
    for first in reversed(came_from):
        found.append(at)
        at = int(first[at])
    return found[::-1]
