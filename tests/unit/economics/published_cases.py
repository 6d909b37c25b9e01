"""Published cases, each brought to our own functions: inputs in, the published quantities out.

Belongs here: which function gives which published figure. Does not belong here: the published figures and their sources
(`published_cases.yml`), verdicts (`test_reference_cases`), the page (`validation_page`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipelines import economics as e

Case = dict[str, Any]
Figures = dict[str, Any]
HOURS_PER_YEAR = 8760
CASES = Path(__file__).with_suffix(".yml")


@dataclass(frozen=True)
class Result:
    """One figure of one case."""

    case: str
    figure: str
    published: float
    computed: float | None
    tolerance: dict[str, float]

    @property
    def is_reached(self) -> bool:
        """Whether the computed figure lies within the case's tolerance of the published one."""
        if self.computed is None:
            return False
        allowed = self.tolerance.get("abs", 0.0) + self.tolerance.get("rel", 0.0) * abs(self.published)
        return abs(self.computed - self.published) <= allowed + 1e-12


def load_cases() -> dict[str, Case]:
    """All cases by id, in the order of the file."""
    found: dict[str, Case] = yaml.safe_load(CASES.read_text(encoding="utf-8"))
    return found


def results(cases: dict[str, Case]) -> Iterator[Result]:
    """Every published figure of every case, with ours. A case or figure that no function here knows is an error."""
    for name, case in cases.items():
        if "rows" in case:
            for row in case["rows"]:
                given = row["inputs"]
                found = OF_ROWS[name](case, given)
                label = " ".join(v for v in given.values() if isinstance(v, str)) or f"B={given['B']}, {given['isl']}/{given['osl']}"
                yield from _compared(name, row["expect"], found, f"{label}: ")
        else:
            yield from _compared(name, case["expect"], OF_ONE[name](Given(case)), "")


def _compared(name: str, expected: dict[str, Any], found: Figures, label: str) -> Iterator[Result]:
    for key, (published, tolerance) in expected.items():
        yield Result(name, f"{label}{key}", published, found[key], tolerance)


class Given:
    """The inputs of a case as attributes."""

    def __init__(self, case: Case) -> None:
        self._inputs = case["inputs"]

    def __getattr__(self, name: str) -> float:
        return float(self._inputs[name])


def flat_server(capex_usd: float, operate_usd_per_hour: float, life_years: float) -> e.OnPremServer:
    """A server as the simple studies see it: no interest, no residual value, one amount an hour to run it."""
    return e.OnPremServer(server_usd=capex_usd, life_years=life_years, licences_usd_per_year=operate_usd_per_hour * HOURS_PER_YEAR)


def lp2368_1(c: Given) -> Figures:
    hours = {f"h_{k}": e.break_even_hours(c.capex, p, c.opex) for k, p in (("od", c.od), ("1y", c.r1), ("3y", c.r3), ("5y", c.r5))}
    return {**hours, **{k.replace("h_", "m_"): h / c.hpm for k, h in hours.items()}}


def lp2368_2(c: Given) -> Figures:
    owned = e.on_prem_usd_per_hour(flat_server(c.capex, c.opex, c.hours / HOURS_PER_YEAR), 1.0) * c.hours
    rented = e.effective_cloud_usd_per_hour(c.cloud, "on_demand") * c.hours
    return {"cloud_total": rented, "onprem_total": owned, "saving": rented - owned, "saving_pct": 100 * (rented - owned) / rented}


def lp2368_3(c: Given) -> Figures:
    # Owned all day for five years against rented by the hour of use: a break-even use, in hours a day.
    hour = e.on_prem_usd_per_hour(flat_server(c.capex, c.opex, c.hours / HOURS_PER_YEAR), 1.0)
    return {"onprem_total": hour * c.hours, "h_per_day": 24 * e.break_even_utilisation(hour, 0.0, c.cloud)}


def lp2368_6(c: Given) -> Figures:
    server = e.OnPremServer(
        server_usd=c.capex,
        network_share=c.net,
        residual_share=c.resid,
        discount_rate=c.wacc,
        life_years=c.n,
        maintenance_share=c.maint,
        idle_kw=c.kw,
        load_kw=c.kw,
        pue=c.pue,
        electricity_usd_per_kwh=c.kwh,
        colocation_usd_per_month=c.colo,
        staff_usd_per_year=c.staff,
    )
    hourly = e.on_prem_usd_per_hour(server, 0.5)
    return {
        "C0": server.capex_usd,
        "ann": e.annual_capital_cost(server.capex_usd, c.resid, c.wacc, c.n),
        "opex": e.operating_usd_per_hour(server, 0.5) * HOURS_PER_YEAR,
        "hourly": hourly,
        **{key: e.break_even_utilisation(hourly, 0.0, rent) for key, rent in (("u269", c.sp269), ("uaws", c.aws), ("uaz", c.az))},
    }


def arx2509(case: Case, row: Case) -> Figures:
    c = Given(case)
    # One dollar an hour over the cost per million is the rate in millions an hour.
    millions = c.H / e.usd_per_million_tokens(1.0, row["tok_s"])
    power = e.operating_usd_per_hour(e.OnPremServer(server_usd=0.0, load_kw=row["n_gpu"] * row["kw"], electricity_usd_per_kwh=c.kwh), 1.0)

    def months(api: str) -> Any:
        blend = e.blended_api_usd_per_million(getattr(c, f"{api}_in"), getattr(c, f"{api}_out"), 1, 2)
        return e.break_even_hours(row["n_gpu"] * row["price"], blend * row["Qprinted"], power * c.H)

    return {"Q": millions, **{api: months(api) for api in ("gpt5", "opus4", "sonnet4", "grok4", "gemini25")}}


def deepseek_1(c: Given) -> Figures:
    hour = e.effective_cloud_usd_per_hour(c.rent, "on_demand") * c.nodes * c.gpn
    blend = e.blended_api_usd_per_million(c.pmiss, c.pout, c.tin, c.tout, cached_input_share=c.hit / c.tin, cached_input_usd=c.phit)
    cost, income = 24 * hour, blend * (c.tin + c.tout) / 1e6
    seconds = 24 * 3600
    return {
        "cost": cost,
        "income": income,
        "margin_pct": 100 * (income - cost) / cost,
        "hit_pct": 100 * c.hit / c.tin,
        "usd_total": e.usd_per_million_tokens(hour, (c.tin + c.tout) / seconds),
        "usd_out": e.usd_per_million_tokens(hour, c.tout / seconds),
        "load": c.nodes / c.peak,
    }


def ix_glm5(_: Case, row: Case) -> Figures:
    return {"usd": e.usd_per_million_tokens(row["usd_h"], row["tok_s_gpu"])}


def ix_harmonic(c: Given) -> Figures:
    # Rates that a dollar an hour would buy at each price add up to the rate of all tokens.
    rates = [e.usd_per_million_tokens(1.0, price) for price in (c.cin, c.cout)]
    return {"total": e.usd_per_million_tokens(1.0, sum(rates))}


def ix_placeholder(c: Given) -> Figures:
    # No function of ours makes up a price; the case shows that these constants were made up.
    old = {"b300h": c.b200h, "b300n": c.b200n, "b300r": c.b200r, "gb300h": c.gb200h, "gb300n": c.gb200n, "gb300r": c.gb200r}
    return {key: 1.2 * price for key, price in old.items()}


def mlperf_1(case: Case, row: Case) -> Figures:
    c, kilowatts = Given(case), row["watts"] / 1000
    server = e.OnPremServer(server_usd=0.0, idle_kw=kilowatts, load_kw=kilowatts, pue=c.pue, electricity_usd_per_kwh=c.kwh)
    return {
        "j_per_tok": e.joules_per_token(row["watts"], row["tok_s"]),
        # At one dollar a kilowatt-hour dollars are kilowatt-hours.
        "kwh_per_M": e.usd_per_million_tokens(kilowatts, row["tok_s"]),
        "usd_per_M": e.usd_per_million_tokens(e.operating_usd_per_hour(server, 1.0), row["tok_s"]),
    }


def nvidia_1(c: Given) -> Figures:
    def yearly(licences: float) -> Any:
        server = e.OnPremServer(
            server_usd=c.price, life_years=c.years, colocation_usd_per_month=c.host / 12, licences_usd_per_year=licences
        )
        return e.on_prem_usd_per_hour(server, 1.0) * HOURS_PER_YEAR

    return {"per_server": yearly(c.sw), "per_gpu": yearly(c.sw * c.gpus)}


def llmd_1(c: Given) -> Figures:
    return {"util": e.break_even_utilisation(c.usage, 0.0, c.alloc), "be": e.break_even_utilisation(c.usage, 0.0, c.api)}


def pd_1(case: Case, row: Case) -> Figures:
    c = Given(case)
    hour = c.gpu * c.n
    return {
        "p1k": e.usd_per_million_tokens(hour, row["B"] * row["isl"] / row["ttft"]) / 1000,
        "c1k": e.usd_per_million_tokens(hour, row["B"] * row["osl"] / row["dec"]) / 1000,
        "tps": e.output_tokens_per_second(row["B"], row["osl"], row["ttft"], row["dec"] / (row["osl"] - 1)),
    }


def uptime_1(c: Given) -> Figures:
    def unit(use: float) -> Any:
        return e.effective_cloud_usd_per_hour(c.F, "commitment", utilisation_share=use)

    even = e.break_even_utilisation(c.F, 0.0, c.cloud)
    return {"c8": unit(0.08), "c40": unit(0.40), "be": even, "d10": c.cloud - unit(even + 0.1), "u10": unit(even - 0.1) - c.cloud}


def epoch_1(c: Given) -> Figures:
    # What the residual curve takes off in the first hour.
    value_lost = c.price * (1 - e.residual_share(1 / c.hpy, c.oom))
    network = value_lost * c.icf / (1 - c.icf)
    board = e.OnPremServer(server_usd=0.0, load_kw=c.tdp * c.srv, pue=c.pue, electricity_usd_per_kwh=c.kwh)
    energy = e.operating_usd_per_hour(board, c.tdpf)
    return {"hw": value_lost, "net": network, "energy": energy, "total": value_lost + network + energy}


def fin_1(c: Given) -> Figures:
    return {
        "f": e.capital_recovery_factor(c.r, c.n),
        "eq": e.annual_capital_cost(c.C0, c.S, c.r, c.n),
        "straight": e.annual_capital_cost(c.C0, c.S, 0, c.n),
    }


def spot_1(c: Given) -> Figures:
    waste, restarts = e.spot_waste_share(c.mtbi, c.rs, c.ck), e.spot_waste_share(c.mtbi, c.rs)
    return {
        # At Young's period writing costs as much as redoing: each is half of the waste that is not restarts.
        "tau": 2 * c.ck / (waste - restarts),
        "waste": waste,
        "eff": e.effective_cloud_usd_per_hour(c.spot, "spot", waste_share=waste),
        "be_waste": 1 - e.effective_cloud_usd_per_hour(c.spot, "spot") / e.effective_cloud_usd_per_hour(c.od, "on_demand"),
    }


def roof_1(c: Given) -> Figures:
    decode = {key: e.decode_roof_tokens_per_second(bw, c.p, c.b) for key, bw in (("h100", c.bw), ("h200", c.bw2), ("b200", c.bw3))}
    return {**decode, "prefill": e.prefill_roof_tokens_per_second(c.fl, c.p)}


def blend_1(c: Given) -> Figures:
    mixes = {"b31": (3, 1), "true": (c.isl, c.osl), "arx": (1, 2)}
    return {key: e.blended_api_usd_per_million(c.pin, c.pout, *mix) for key, mix in mixes.items()}


def anti_1(c: Given) -> Figures:
    capex = c.g * c.p * (1 + c.oh)
    amortisation = e.annual_capital_cost(capex, 0.0, 0.0, c.life / 12) / 12
    power = c.g * e.node_power_kw(1.0, 0.0, c.kw) * c.pue * c.k * c.h
    rent = e.effective_cloud_usd_per_hour(c.c, "on_demand") * c.g * c.h
    owned = amortisation + power + c.dc
    return {
        "capex": capex,
        "amort": amortisation,
        "power": power,
        "onprem": owned,
        "cloud": rent,
        # The source's own mistake, made again to show it: amortisation among the cash.
        "wrong": e.break_even_hours(capex, rent, owned),
        "right": e.break_even_hours(capex, rent, power + c.dc),
    }


def ccam_1(case: Case, row: Case) -> Figures:
    return {"usd": e.usd_per_million_tokens(Given(case).price, row["tps"])}


def ccam_2(c: Given) -> Figures:
    use = c.tps / c.sat
    full = e.usd_per_million_tokens(c.price, c.sat)
    found = e.usd_per_million_tokens(c.price, c.sat, use)
    return {"penalty": found / full, "usd": found}


def nim_1(_: Case, row: Case) -> Figures:
    return {"tps": e.output_tokens_per_second(row["B"], row["osl"], row["ttft_s"], row["itl_s"])}


def priced_rate(_: Case, row: Case) -> Figures:
    return {"usd": e.usd_per_million_tokens(row["price"], row["tps"], row.get("u", 1.0))}


def ksh_1(c: Given) -> Figures:
    def reserved(use: float) -> Any:
        return e.usd_per_million_tokens(c.rs * c.hpaid / c.hrun, c.tps, use)

    return {
        "u_od": e.usd_per_million_tokens(c.od, c.tps),
        "u_rs": e.usd_per_million_tokens(c.rs, c.tps),
        "u30": reserved(0.3),
        "u10": reserved(0.1),
        "be": c.rs * c.hpaid / e.blended_api_usd_per_million(c.api, c.api, 1, 1),
    }


def calc_1(_: Case, row: Case) -> Figures:
    use = row["used"] / row["res"]
    above = e.effective_cloud_usd_per_hour(row["price"], "commitment", utilisation_share=use) - row["price"]
    return {"util": 100 * use, "net": above * row["used"] * (1 - row["rec"])}


def fwd_1(c: Given) -> Figures:
    q = e.implied_yearly_factor(c.p1, c.p3, 3)
    return {"rest": e.implied_forward_usd(c.p1, 1, c.p3, 3), "check": c.p1 * (1 + q + q * q), "y2": c.p1 * q, "y3": c.p1 * q * q}


def gist_1(c: Given) -> Figures:
    query = e.blended_api_usd_per_million(c.pi, c.po, c.i, c.o) * (c.i + c.o) / 1e6 + c.rr
    return {"total": query, "be": c.h * 24 / (query - c.rr)}


OF_ONE: dict[str, Callable[[Given], Figures]] = {
    "LP2368-1": lp2368_1,
    "LP2368-2": lp2368_2,
    "LP2368-3": lp2368_3,
    "LP2368-6": lp2368_6,
    "DEEPSEEK-1": deepseek_1,
    "IX-harmonic": ix_harmonic,
    "IX-placeholder": ix_placeholder,
    "NVIDIA-1": nvidia_1,
    "LLMD-1": llmd_1,
    "UPTIME-1": uptime_1,
    "EPOCH-1": epoch_1,
    "FIN-1": fin_1,
    "SPOT-1": spot_1,
    "ROOF-1": roof_1,
    "BLEND-1": blend_1,
    "ANTI-1": anti_1,
    "CCAM-2": ccam_2,
    "KSH-1": ksh_1,
    "FWD-1": fwd_1,
    "GIST-1": gist_1,
}
OF_ROWS: dict[str, Callable[[Case, Case], Figures]] = {
    "ARX2509-T4": arx2509,
    "IX-GLM5": ix_glm5,
    "MLPERF-1": mlperf_1,
    "PD-1": pd_1,
    "CCAM-1": ccam_1,
    "NIM-1": nim_1,
    "GPUADV-1": priced_rate,
    "GMI-1": priced_rate,
    "NEEL-1": priced_rate,
    "CALC-1": calc_1,
}
