"""How sure an answer is: one input at a time, and all at once.

Pure. Belongs here: moving inputs within their bands, a seeded Monte Carlo, the rule that names an answer clear, lean or a toss-up. Does
not belong here: ways and their costs (`options`).

Inputs are drawn independently, each from two triangles around its base that end at the ends of its band, but for two: the prices of all
rented machines move together (one market), and the paths of rents and of tokens over the years are correlated by a half.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipelines.costing.assumptions import SERVER_INPUTS
from pipelines.decision import scenario as inputs
from pipelines.decision.market import Band
from pipelines.decision.options import Asked, Way
from pipelines.decision.options.extras import INPUTS
from pipelines.decision.options.way import LOAD_BAND, THROUGHPUT_BAND
from pipelines.decision.scenario import BASE, Scenario
from pipelines.decision.words import said

SEED, DRAWS = 20261126, 400
CLASSES_OF_HOURS = 48
PATH_CORRELATION = 0.5
# The written rule.
CLEAR_ADVANTAGE, CLEAR_SHARE, LEAN_SHARE = 0.10, 0.80, 0.60


@dataclass(frozen=True)
class Swing:
    """What the recommended kind of way saves against its best rival, with one input at its ends (dear end first where it falls)."""

    name: str
    at_low: float
    at_high: float
    low: float
    high: float
    is_assumed: bool
    rival_at_low: str
    rival_at_high: str

    @property
    def flips(self) -> bool:
        """Whether a rival is cheaper at an end."""
        return self.low < 0 or self.high < 0

    @property
    def regret(self) -> float:
        """What keeping the recommendation would cost at the worse end."""
        return max(0.0, -self.low, -self.high)


@dataclass(frozen=True)
class Draws:
    """A Monte Carlo: how often each kind is cheapest, and quantiles of cost and regret (USD) of each kind's base way."""

    count: int
    seed: int
    wins: dict[str, float]
    cost_quantiles: dict[str, dict[str, float]]
    regret_quantiles: dict[str, dict[str, float]]


@dataclass(frozen=True)
class Verdict:
    """How sure: `clear`, `lean`, `toss-up`, or `alone` where there is nothing to compare with; and what to find out first.

    `held_back`: what is too old, or not known well enough, for what would be clear else.
    """

    word: str
    advantage_share: float | None
    win_share: float | None
    find_out_first: list[str]
    held_back: tuple[str, ...] = ()


@dataclass(frozen=True)
class Robustness:
    """All of it. `tested` is empty where there was nothing to compare."""

    tested: list[Swing]
    draws: Draws | None
    verdict: Verdict


def robustness(asked: Asked, kept: Sequence[Way], count: int = DRAWS) -> Robustness:
    """Test the cheapest of the kept ways against the others."""
    if len({way.kind for way in kept}) < 2:
        return Robustness([], None, Verdict("alone", None, None, []))
    small = replace(asked, demand=tuple(year.coarse(CLASSES_OF_HOURS) for year in asked.demand))
    ways = [_on(way, small) for way in kept]
    bands = moved_inputs(asked, kept)
    best = min(kept, key=lambda way: way.base_usd)
    moved = (_swing(name, band, assumed, ways, best.kind) for name, (band, assumed) in bands.items())
    swings = sorted((s for s in moved if s is not None), key=lambda s: (-abs(s.high - s.low), s.name))
    draws = _draw(ways, list(bands), count)
    return Robustness(swings, draws, _verdict(kept, best, swings, draws))


def _on(way: Way, asked: Asked) -> Way:
    beside = {name: part.on(asked) for name in ("peaks", "until_there") if (part := getattr(way, name, None)) is not None}
    return replace(way.on(asked), **beside)


def moved_inputs(asked: Asked, kept: Sequence[Way]) -> dict[str, tuple[Band, bool]]:
    """Every input that the compared ways rest on, with its band and whether an end is our assumption."""
    market = asked.market
    runs = [way for way in kept if way.measurement is not None]
    owns = [way for way in kept if way.server is not None]
    rents = [way.offer for way in kept if way.offer is not None]
    sells = [way.api for way in kept if way.api is not None]
    found: dict[str, tuple[Band, bool]] = {inputs.LOAD: (LOAD_BAND, True)}
    if runs:
        found[inputs.THROUGHPUT] = (THROUGHPUT_BAND, True)
        found[inputs.SPARE] = ({"low": 0.0, "base": 0.0, "high": 1.0}, True)
    names = [inputs.PACKING] if runs else []
    if owns:
        names += [*SERVER_INPUTS, "staff_fte_per_fleet_gpu"]
        servers = [way.server for way in owns if way.server is not None]
        found[inputs.SERVER_PRICE] = (_shares([s.usd for s in servers]), any(s.is_band_assumed for s in servers))
        found[inputs.SERVER_POWER] = (_shares([s.load_kw for s in servers]), False)
        found[inputs.ELECTRICITY] = (market.electricity.band, market.electricity.is_assumed)
    if rents:
        drifts = [market.drift[o.option] for o in rents if o.option in market.drift]
        found[inputs.RENTED_PRICE] = (_shares([o.usd_per_gpu_hour for o in rents]), any(d.is_assumed for d in drifts))
        if drifts:
            ends = {"low": math.exp(min(d.low for d in drifts)), "base": 1.0, "high": math.exp(max(d.high for d in drifts))}
            found[inputs.RENT_PATH] = (ends, any(d.is_assumed for d in drifts))
        spot = [o.interruptions_per_month for o in rents if o.option == "spot"]
        if spot:
            names.append("spot_restart_s")
        if None in spot:
            names.append(inputs.TIME_BETWEEN_INTERRUPTIONS)
        stated = [band for band in spot if band is not None]
        if stated:
            ends = {"low": min(b["low"] for b in stated), "base": stated[0]["base"], "high": max(b["high"] for b in stated)}
            # The ends of a band are the seller's; its middle, and what lies above the last one, are our assumption.
            found[inputs.INTERRUPTIONS] = (ends, True)
    if sells:
        ends = {"low": min(a.band_share[0] for a in sells), "base": 1.0, "high": max(a.band_share[1] for a in sells)}
        found[inputs.TOKEN_PRICE] = (ends, True)
        path = market.drift.get("tokens")
        if path is not None:
            found[inputs.TOKEN_PATH] = ({"low": math.exp(path.low), "base": 1.0, "high": math.exp(path.high)}, path.is_assumed)
    names += [name for extra in asked.workload.count for name in INPUTS[extra]]
    for name in names:
        row = market.assumptions.get((name, None))
        if row is not None:
            found[name] = (row.band, row.is_assumed)
    return found


def _shares(bands: Sequence[Band]) -> Band:
    """Lowest and highest share of the base."""
    return {"low": min(b["low"] / b["base"] for b in bands), "base": 1.0, "high": max(b["high"] / b["base"] for b in bands)}


def _swing(name: str, band: Band, is_assumed: bool, ways: Sequence[Way], kind: str) -> Swing | None:
    ends = []
    for position in (-1.0, 1.0):
        state = Scenario({name: position})
        costs = [(way.cost(state), way) for way in ways]
        ours = min(cost for cost, way in costs if way.kind == kind)
        theirs, rival = min(((cost, way) for cost, way in costs if way.kind != kind), key=lambda pair: pair[0])
        ends.append((theirs - ours, rival.title))
    if ends[0][0] == ends[1][0] and band["low"] == band["high"]:
        return None
    return Swing(name, band["low"], band["high"], ends[0][0], ends[1][0], is_assumed, ends[0][1], ends[1][1])


def _positions(count: int, names: Sequence[str], seed: int) -> dict[str, np.ndarray]:
    """Positions in the bands, by input: from a generator of its own for each name, so that one more input changes no other."""
    found = {}
    for name in names:
        generator = np.random.default_rng([seed, *name.encode()])
        found[name] = np.clip(generator.triangular(-1.0, 0.0, 1.0, count), -1.0, 1.0)
    if inputs.RENT_PATH in found and inputs.TOKEN_PATH in found:
        own = math.sqrt(1 - PATH_CORRELATION**2)
        found[inputs.TOKEN_PATH] = np.clip(PATH_CORRELATION * found[inputs.RENT_PATH] + own * found[inputs.TOKEN_PATH], -1.0, 1.0)
    return found


def _draw(ways: Sequence[Way], names: Sequence[str], count: int, seed: int = SEED) -> Draws:
    """Costs of each kind in each draw: of the way that is cheapest at base, since that is what would be chosen."""
    chosen: dict[str, Way] = {}
    for way in ways:
        chosen.setdefault(way.kind, way)
    positions = _positions(count, names, seed)
    costs = np.empty((len(chosen), count))
    for draw in range(count):
        state = Scenario({name: float(values[draw]) for name, values in positions.items()})
        for row, way in enumerate(chosen.values()):
            costs[row, draw] = way.cost(state)
    least = costs.min(axis=0)
    winner = costs.argmin(axis=0)
    kinds = list(chosen)
    return Draws(
        count,
        seed,
        {kind: float((winner == row).sum()) / count for row, kind in enumerate(kinds)},
        {kind: _quantiles(costs[row]) for row, kind in enumerate(kinds)},
        {kind: _quantiles(costs[row] - least) for row, kind in enumerate(kinds)},
    )


def _quantiles(values: np.ndarray) -> dict[str, float]:
    return {name: float(np.quantile(values, share)) for name, share in (("p10", 0.1), ("p50", 0.5), ("p90", 0.9))}


def _verdict(kept: Sequence[Way], best: Way, swings: Sequence[Swing], draws: Draws) -> Verdict:
    """Clear: a tenth cheaper, cheapest in four draws of five, no single input turns it. Lean: cheapest in three of five. Else a toss-up.

    The draws move all rates together; where one of two devices has a rate that nobody measured, its own error has to be outdone as well.
    """
    rival = min((way for way in kept if way.kind != best.kind), key=lambda way: way.base_usd)
    advantage = 1 - best.base_usd / rival.base_usd if rival.base_usd > 0 else 0.0
    share = draws.wins[best.kind]
    flips = sorted((s for s in swings if s.flips), key=lambda s: (-s.regret, s.name))
    error = _own_error(best, rival)
    within_error = best.base_usd * (1 + error) >= rival.base_usd
    held: tuple[str, ...] = ()
    if advantage >= CLEAR_ADVANTAGE and share >= CLEAR_SHARE and not flips:
        word = "lean" if within_error else "clear"
        held = (said("a rate that nobody measured, off by up to {error} percent", error=f"{error * 100:.0f}"),) if within_error else ()
    elif share >= LEAN_SHARE:
        word = "lean"
    else:
        word = "toss-up"
    return Verdict(word, advantage, share, [s.name for s in flips[:3]], held)


def _own_error(best: Way, rival: Way) -> float:
    """The larger error of two rates that differ in more than the seller; of the same device and precision it is both's alike."""
    rates = [way.measurement for way in (best, rival) if way.measurement is not None]
    if len({(m.gpu, m.precision, m.gpu_count) for m in rates}) == 1 and len(rates) == len((best, rival)):
        return 0.0
    return max((m.error_share for m in rates), default=0.0)


def ends_of(way: Way, names: Sequence[str]) -> dict[str, float]:
    """Low, base and high cost: every input of the world at one end at once; the load is what is asked and stays."""
    moved = [n for n in names if n not in (inputs.LOAD, inputs.SPARE)]
    costs = {"base": way.cost(BASE), **{end: way.cost(Scenario(dict.fromkeys(moved, at))) for end, at in (("low", -1.0), ("high", 1.0))}}
    return {end: costs[end] for end in ("low", "base", "high")}
