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


def rent(option: dict[str, Any], first_year: list[float], growth: float, years: int, waste: float, spare: int = 0) -> float:
    offer = option["offer"]
    machine = offer["usd_per_gpu_hour"]["base"] * offer["gpu_count"] / (1 - waste)
    one = capacity(option, offer["gpu_count"])
    return sum((whole(x, one) + (spare if x > 0 else 0)) * machine for y in range(years) for x in hours_of(first_year, growth, y))


def own(option: dict[str, Any], first_year: list[float], growth: float, years: int, base: dict[str, float], electricity: float) -> float:
    server, one = option["server"], capacity(option, option["server"]["gpu_count"])
    needed, total = 0, 0.0
    spare = option["facts"]["servers_to_spare"]
    price, kilowatts = server["usd"]["base"], server["load_kw"]["base"]
    idle = kilowatts * base["idle_share_of_load"]
    for y in range(years):
        hours = hours_of(first_year, growth, y)
        servers = max(needed, *(whole(x, one) + spare for x in hours), 1)
        kept = years - y
        capital = price * (1 + base["network_share"])
        left = capital * 10 ** (-base["residual_decline_per_year"] * kept)
        r = base["discount_rate"]
        annuity = r * (1 + r) ** kept / ((1 + r) ** kept - 1) if r else 1 / kept
        total += (servers - needed) * ((capital - left) * annuity + left * r) * kept
        needed = servers
        total += servers * base["maintenance_share"] * price
        total += servers * base["colocation_usd_per_kw_month"] * kilowatts * 12
        for x in hours:
            total += (servers * idle + x / one * (kilowatts - idle)) * base["pue"] * electricity
        few = min(servers, 8)
        posts = few * base["staff_fte_per_node"]
        posts += (servers - few) * min(base["staff_fte_per_fleet_gpu"] * server["gpu_count"], base["staff_fte_per_node"])
        total += posts * base["staff_usd_per_fte_year"]
    return total


def tokens(
    option: dict[str, Any], first_year: list[float], growth: float, years: int, lengths: tuple[int, int], cached: float, batch: float
) -> float:
    asked_in, asked_out = lengths
    api = option["api"]
    held = api["cached_input_usd"] if api["cached_input_usd"] is not None else api["input_usd"]
    given = (1 - cached) * api["input_usd"] + cached * held
    each = (api["output_usd"] + asked_in / asked_out * given) * batch
    return sum(x * each / 1e6 for y in range(years) for x in hours_of(first_year, growth, y))
