"""Published cases, reached through our own functions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines import economics as e

Case = dict[str, Any]


def value(case: Case, name: str) -> float:
    return float(case["inputs"][name]["value"])


def within(computed: float, expected: dict[str, Any]) -> bool:
    tolerance = expected["tol"]
    return abs(computed - expected["value"]) <= tolerance.get("abs", 0) + tolerance.get("rel", 0) * abs(expected["value"]) + 1e-12


def lp2368_1(c: Case) -> dict[str, Any]:
    hours = {
        f"h_{k}": e.break_even_hours(value(c, "capex"), value(c, p), value(c, "opex"))
        for k, p in (("od", "od"), ("1y", "r1"), ("3y", "r3"), ("5y", "r5"))
    }
    return {**hours, **{k.replace("h_", "m_"): h / value(c, "hpm") for k, h in hours.items()}}


def lp2368_6(c: Case) -> dict[str, Any]:
    server = e.OnPremServer(
        server_usd=value(c, "capex"),
        network_share=value(c, "net"),
        residual_share=value(c, "resid"),
        discount_rate=value(c, "wacc"),
        life_years=value(c, "n"),
        maintenance_share=value(c, "maint"),
        idle_kw=value(c, "kw"),
        load_kw=value(c, "kw"),
        pue=value(c, "pue"),
        electricity_usd_per_kwh=value(c, "kwh"),
        colocation_usd_per_month=value(c, "colo"),
        staff_usd_per_year=value(c, "staff"),
    )
    hourly = e.on_prem_usd_per_hour(server, 0.5)
    use = {
        name: e.break_even_utilisation(hourly, 0.0, value(c, price)) for name, price in (("u269", "sp269"), ("uaws", "aws"), ("uaz", "az"))
    }
    return {"hourly": hourly, **use}


def fin_1(c: Case) -> dict[str, Any]:
    return {
        "f": e.capital_recovery_factor(value(c, "r"), value(c, "n")),
        "eq": e.annual_capital_cost(value(c, "C0"), value(c, "S"), value(c, "r"), value(c, "n")),
        "straight": e.annual_capital_cost(value(c, "C0"), value(c, "S"), 0, value(c, "n")),
    }


def spot_1(c: Case) -> dict[str, Any]:
    waste = e.spot_waste_share(value(c, "mtbi"), value(c, "rs"), value(c, "ck"))
    return {"waste": waste, "eff": e.effective_cloud_usd_per_hour(value(c, "spot"), "spot", waste_share=waste)}


def roof_1(c: Case) -> dict[str, Any]:
    decode = {
        g: e.decode_roof_tokens_per_second(value(c, bw), value(c, "p"), value(c, "b"))
        for g, bw in (("h100", "bw"), ("h200", "bw2"), ("b200", "bw3"))
    }
    return {**decode, "prefill": e.prefill_roof_tokens_per_second(value(c, "fl"), value(c, "p"))}


def blend_1(c: Case) -> dict[str, Any]:
    def blend(tokens_in: float, tokens_out: float) -> Any:
        return e.blended_api_usd_per_million(value(c, "pin"), value(c, "pout"), tokens_in, tokens_out)

    return {"b31": blend(3, 1), "true": blend(value(c, "isl"), value(c, "osl")), "arx": blend(1, 2)}


def anti_1(c: Case) -> dict[str, Any]:
    hours = value(c, "h")
    capex = value(c, "g") * value(c, "p") * (1 + value(c, "oh"))
    power = value(c, "g") * e.node_power_kw(1.0, 0.0, value(c, "kw")) * value(c, "pue") * value(c, "k") * hours
    rent = value(c, "g") * value(c, "c")
    # 35.6 months of 400 hours each; never the 137 of the source, which subtracts the amortisation as well.
    return {"capex": capex, "power": power, "right": e.break_even_hours(capex, rent, (power + value(c, "dc")) / hours) / hours}


def uptime_1(c: Case) -> dict[str, Any]:
    return {"be": e.break_even_utilisation(value(c, "F"), 0.0, value(c, "cloud"))}


def lp2368_3(c: Case) -> dict[str, Any]:
    # Owned all day for five years against rented by the hour of use: the same question as a break-even use, in hours a day.
    fixed = value(c, "capex") / value(c, "hours") + value(c, "opex")
    return {"onprem_total": fixed * value(c, "hours"), "h_per_day": 24 * e.break_even_utilisation(fixed, 0.0, value(c, "cloud"))}


OF_ONE: dict[str, Callable[[Case], dict[str, Any]]] = {
    "LP2368-1": lp2368_1,
    "LP2368-3": lp2368_3,
    "LP2368-6": lp2368_6,
    "FIN-1": fin_1,
    "SPOT-1": spot_1,
    "ROOF-1": roof_1,
    "BLEND-1": blend_1,
    "ANTI-1": anti_1,
    "UPTIME-1": uptime_1,
}


def cases(shared: Path) -> dict[str, Case]:
    document = yaml.safe_load((shared / "economics" / "reference_cases.yaml").read_text())
    return {case["id"]: case for case in document["cases"]}


@pytest.mark.parametrize("name", OF_ONE)
def test_published_value(shared: Path, name: str) -> None:
    case = cases(shared)[name]
    computed = OF_ONE[name](case)
    assert computed
    for key, found in computed.items():
        assert within(found, case["expected"][key]), f"{name} {key}: computed {found}, published {case['expected'][key]}"


def test_glm5_per_gpu(shared: Path) -> None:
    for row in cases(shared)["IX-GLM5"]["rows"]:
        assert within(e.usd_per_million_tokens(row["usd_h"], row["tok_s_gpu"]), row["expect"]["usd"]), row


def test_45_cells_of_arxiv_2509_18101(shared: Path) -> None:
    case = cases(shared)["ARX2509-T4"]
    for row in case["rows"]:
        operate = row["n_gpu"] * row["kw"] * value(case, "H") * value(case, "kwh")
        for api in ("gpt5", "opus4", "sonnet4", "grok4", "gemini25"):
            blend = e.blended_api_usd_per_million(value(case, f"{api}_in"), value(case, f"{api}_out"), 1, 2)
            months = e.break_even_hours(row["n_gpu"] * row["price"], blend * row["Qprinted"], operate)
            assert within(months, row["expect"][api]), (row["model"], api, months)


def test_measured_energy(shared: Path) -> None:
    for row in cases(shared)["MLPERF-1"]["rows"]:
        assert within(e.joules_per_token(row["watts"], row["tok_s"]), row["expect"]["j_per_tok"])


def test_rate_of_a_run(shared: Path) -> None:
    for row in cases(shared)["PD-1"]["rows"]:
        rate = e.output_tokens_per_second(row["B"], row["osl"], row["ttft"], row["dec"] / (row["osl"] - 1))
        assert within(rate, row["expect"]["tps"])
