"""A decision's base costs worked out again, hour by hour and without any of its code: plain loops over the hours and the years.

Belongs here: what `decide --json` states of its inputs, and the sums. Does not belong here: any import from the package.
"""

from __future__ import annotations

import math
from typing import Any


def whole(load: float, capacity: float) -> int:
    return 0 if load <= 0 else max(1, math.ceil(load / capacity - 1e-9))


def hours_of(first_year: list[float], growth: float, year: int) -> list[float]:
    return [x * (1 + growth) ** year for x in first_year]


def capacity(option: dict[str, Any], gpus: float) -> float:
    measured = option["measurement"]
    copies = gpus // measured["gpu_count"]
    return float(measured["rate_per_gpu"] * measured["gpu_count"] * copies * 3600)


def at_work(load: float, option: dict[str, Any], gpus: float, *, gathers: bool) -> float:
    """Machines at work for a load in machines: with few requests at a time a copy works whenever there is one."""
    measured = option["measurement"]
    if not measured["sweep"] or gathers:
        return load
    copies = gpus // measured["gpu_count"]
    full = math.floor(load * copies + 1e-9)
    rest = max(0.0, load * copies - full)
    share_below, at_below = 0.0, 0.0
    at_a_time = measured["sweep"][-1][1]
    for share, at in measured["sweep"]:
        if rest <= share:
            at_a_time = at_below + (at - at_below) * (rest - share_below) / (share - share_below)
            break
        share_below, at_below = share, at
    return float((full + max(rest, 1 - math.exp(-at_a_time))) / copies)


def machine_usd(offer: dict[str, Any], waste: float) -> float:
    return float(offer["usd_per_gpu_hour"]["base"] * offer["gpu_count"] / (1 - (waste if offer["option"] == "spot" else 0.0)))


def rent(
    option: dict[str, Any],
    first_year: list[float],
    growth: float,
    years: int,
    waste: float,
    spare: int = 0,
    *,
    cold_start_s: float | None = None,
    gathers: bool = False,
) -> float:
    offer = option["offer"]
    machine, one = machine_usd(offer, waste), capacity(option, offer["gpu_count"])
    total = 0.0
    for y in range(years):
        for x in hours_of(first_year, growth, y):
            if x <= 0:
                continue
            if cold_start_s is None:
                billed = float(whole(x, one))
            else:
                billed = float(math.floor(x / one + 1e-9))
                rest = x / one - billed
                if rest > 1e-9:
                    copies = offer["gpu_count"] // option["measurement"]["gpu_count"]
                    first = min(rest, 1 / copies)
                    on = (
                        rest
                        if gathers or not option["measurement"]["sweep"]
                        else at_work(first, option, offer["gpu_count"], gathers=False) * copies
                    )
                    billed += min(1.0, on + cold_start_s / 3600)
            total += (billed + spare) * machine
    return total


def ready_share(lead_months: float, year: int) -> float:
    """Share of a year in which servers ordered on the first day are there."""
    return min(1.0, max(0.0, year + 1 - lead_months / 12))


def peaks(
    option: dict[str, Any],
    base_capacity: float,
    units: list[int],
    first_year: list[float],
    growth: float,
    waste: float,
    lead_months: float = 0.0,
) -> float:
    """What is rented beside so many owned or committed machines in each year."""
    beside = option["facts"]["peaks"]
    if beside is None:
        return 0.0
    machine, one = machine_usd(beside["offer"], waste), capacity(beside, beside["offer"]["gpu_count"])
    total = 0.0
    for y, n in enumerate(units):
        for x in hours_of(first_year, growth, y):
            needed = math.ceil(max(0.0, x - n * base_capacity) / one - 1e-9) if n else whole(x, one)
            total += needed * machine * ready_share(lead_months, y)
    return total


def commit(option: dict[str, Any], first_year: list[float], growth: float, waste: float, spare: int = 0) -> float:
    units, offer = option["facts"]["nodes_by_year"], option["offer"]
    paid = sum((n + (spare if n else 0)) * 8760 * machine_usd(offer, 0.0) for n in units)
    return paid + peaks(option, capacity(option, offer["gpu_count"]), units, first_year, growth, waste)


def own(
    option: dict[str, Any],
    first_year: list[float],
    growth: float,
    years: int,
    base: dict[str, float],
    electricity: float,
    *,
    gathers: bool = False,
    waste: float = 0.0,
    lead_months: float = 0.0,
    bridge: dict[str, Any] | None = None,
) -> float:
    """Owning all, or the base with the peaks rented: then the numbers of servers are those of the plan.

    With `lead_months` the `bridge` is rented until the first servers are there; what they need to run is paid from then on. Later ones are
    paid as long before the year that needs them.
    """
    server, one = option["server"], capacity(option, option["server"]["gpu_count"])
    hybrid = option["kind"] == "hybrid"
    needed, serving, total = 0.0, 0, 0.0
    spare = option["facts"]["servers_to_spare"]  # in systems, as servers_by_year
    price, kilowatts = server["usd"]["base"], server["load_kw"]["base"]
    idle = kilowatts * base["idle_share_of_load"]
    network = base["network_share"] if server["nodes"] == 1 else base["network_share_high"]
    for y in range(years):
        hours = hours_of(first_year, growth, y)
        serving = option["facts"]["servers_by_year"][y] if hybrid else max(serving, 1, *(whole(x, one) for x in hours))
        servers = serving + (spare if serving else 0)
        kept = years - y
        capital = price * (1 + network)
        left = capital * 10 ** (-base["residual_decline_per_year"] * kept)
        r = base["discount_rate"]
        annuity = r * (1 + r) ** kept / ((1 + r) ** kept - 1) if r else 1 / kept
        total += (servers - needed) * ((capital - left) * annuity + left * r) * kept
        if y:
            total += (servers - needed) * capital * r * lead_months / 12
        needed = servers
        ready = ready_share(lead_months, y)
        if bridge is not None:
            total += rent(bridge, hours, 0.0, 1, waste) * (1 - ready)
        total += servers * base["maintenance_share"] * price * ready
        total += servers * base["colocation_usd_per_kw_month"] * kilowatts * 12 * ready
        for x in hours:
            working = at_work(min(x / one, serving), option, server["gpu_count"], gathers=gathers)
            total += (servers * idle + working * (kilowatts - idle)) * base["pue"] * electricity * ready
        machines = servers * server["nodes"]
        few = min(machines, 8)
        posts = few * base["staff_fte_per_node"]
        posts += (machines - few) * min(base["staff_fte_per_fleet_gpu"] * server["gpu_count"] / server["nodes"], base["staff_fte_per_node"])
        total += posts * base["staff_usd_per_fte_year"] * ready
    rented = peaks(option, one, option["facts"]["servers_by_year"], first_year, growth, waste, lead_months) if hybrid else 0.0
    return total + rented


def tokens(
    option: dict[str, Any], first_year: list[float], growth: float, years: int, lengths: tuple[int, int], cached: float, batch: float
) -> float:
    asked_in, asked_out = lengths
    api = option["api"]
    held = api["cached_input_usd"] if api["cached_input_usd"] is not None else api["input_usd"]
    given = (1 - cached) * api["input_usd"] + cached * held
    each = (api["output_usd"] + asked_in / asked_out * given) * batch
    return sum(x * each / 1e6 for y in range(years) for x in hours_of(first_year, growth, y))
