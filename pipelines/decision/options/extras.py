"""Costs that buyers meet beside machines and tokens, counted where the workload asks for them (`count`).

Pure. Belongs here: what each adds to which kind of way, and the assumptions that it rests on. Does not belong here: their ranges (the
table of assumptions).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipelines.decision.scenario import Scenario

if TYPE_CHECKING:
    from pipelines.decision.options.way import Asked, Way

# What each rests on, to be moved with the other inputs.
INPUTS: Mapping[str, tuple[str, ...]] = {
    "lead_time": ("lead_time_months",),
    "lease": ("lease_share_per_month",),
    "financing": ("loan_share", "loan_rate_per_year"),
    "tax": ("tax_share", "write_off_years"),
    "egress": ("egress_usd_per_gb",),
    "storage": ("storage_usd_per_gb_month", "model_storage_gb"),
    "support": ("support_share",),
    "cloud_staff": ("cloud_staff_fte", "token_staff_fte"),
    "carbon": ("carbon_usd_per_tonne", "grid_kg_co2_per_kwh"),
}
BYTES_PER_TOKEN = 4.0
OWN = ("own", "hybrid")
LOAN = "loan in place of own money"


def extras_of(way: Way, scenario: Scenario, parts: Mapping[str, float]) -> dict[str, float]:
    """What is added to `parts`, USD over the years; leasing and taxes may be negative."""
    counted = way.asked.workload.count
    if not counted:
        return {}
    added: dict[str, float] = {}
    if way.kind in OWN:
        added |= _of_owning(way, scenario, parts, counted)
    else:
        added |= _of_renting(way, scenario, parts, counted)
    if "tax" in counted:
        added["tax relief"] = -way.asked.value("tax_share", scenario) * _deductible(way, scenario, parts, added)
    return {name: usd for name, usd in added.items() if usd}


def _deductible(way: Way, scenario: Scenario, parts: Mapping[str, float], added: Mapping[str, float]) -> float:
    """What is deducted from profit: what is spent, of a loan its interest, and of capital what is written off; a lease is spent."""
    spent = sum(parts.values()) + sum(added.values())
    if "lease" in way.asked.workload.count:
        return spent
    of_loan = added.get(LOAN, 0.0)
    interest = 0.0
    if LOAN in added:
        rate, share = (way.asked.value(name, scenario) for name in ("loan_rate_per_year", "loan_share"))
        interest = share * (way.capital_at(scenario, rate) - way.capital_at(scenario, 0.0))
    return spent - parts.get("capital", 0.0) - of_loan + interest + way.written_off_usd(scenario)


def _of_owning(way: Way, scenario: Scenario, parts: Mapping[str, float], counted: tuple[str, ...]) -> dict[str, float]:
    asked, added = way.asked, dict[str, float]()
    if "lead_time" in counted:
        bridge = way.bridge
        if bridge is not None:
            waited = [(year, 1 - way.ready_share(scenario, year)) for year in range(asked.years)]
            added["renting until servers arrive"] = sum(share * bridge.year_usd(scenario, year) for year, share in waited if share)
        # Those of the first day are ordered on it: their annuity runs from then on. Later ones are paid before the year that needs them.
        added["interest until servers arrive"] = interest_until_there(asked, way.bought_later_usd(scenario), scenario)
    if "lease" in counted:
        leased = asked.value("lease_share_per_month", scenario) * way.bought_usd_years(scenario) * 12
        added["lease in place of capital"] = leased - parts.get("capital", 0.0)
    elif "financing" in counted:
        rate, share = (asked.value(name, scenario) for name in ("loan_rate_per_year", "loan_share"))
        added[LOAN] = share * (way.capital_at(scenario, rate) - way.capital_at(scenario, asked.value("discount_rate", scenario)))
    if "carbon" in counted:
        price = scenario.value("electricity_usd_per_kwh", asked.market.electricity.band)
        tonnes = parts.get("energy", 0.0) / price * asked.value("grid_kg_co2_per_kwh", scenario) / 1000
        added["carbon"] = tonnes * asked.value("carbon_usd_per_tonne", scenario)
    return added


def interest_until_there(asked: Asked, capital_usd: float, scenario: Scenario) -> float:
    """Interest on capital from its order until the year for which it is ordered."""
    months = asked.value("lead_time_months", scenario)
    return capital_usd * asked.value("discount_rate", scenario) * months / 12


def _of_renting(way: Way, scenario: Scenario, parts: Mapping[str, float], counted: tuple[str, ...]) -> dict[str, float]:
    asked, added = way.asked, dict[str, float]()
    runs_machines = way.measurement is not None
    if "cloud_staff" in counted:
        posts = asked.value("cloud_staff_fte" if runs_machines else "token_staff_fte", scenario)
        added["staff"] = posts * asked.value("staff_usd_per_fte_year", scenario) * asked.years
    if "egress" in counted:
        lengths = asked.workload.tokens
        each = BYTES_PER_TOKEN * (lengths.input + lengths.output) / (lengths.output or lengths.input) / 1e9
        tokens = sum(year.tokens for year in asked.at_load(scenario))
        added["egress"] = tokens * each * asked.value("egress_usd_per_gb", scenario)
    if runs_machines and "support" in counted:
        added["support"] = asked.value("support_share", scenario) * sum(parts.values())
    if runs_machines and "storage" in counted:
        gigabytes = asked.value("model_storage_gb", scenario)
        added["storage"] = gigabytes * asked.value("storage_usd_per_gb_month", scenario) * 12 * asked.years
    return added
