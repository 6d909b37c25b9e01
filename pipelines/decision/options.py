"""Every way to serve a workload, with what it costs over the years, and why some are not there.

Pure. Belongs here: what the constraints allow, costs of owning, renting, committing and buying tokens, the cheapest of each kind. Does
not belong here: the formulas (`pipelines.economics`), what the answer hangs on (`plan`). All amounts are USD without tax.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from pipelines.costing.assumptions import server_of
from pipelines.decision.lookups import EU_COUNTRIES
from pipelines.decision.market import BANDS, ApiOffer, Band, Market, Measurement, Offer, Server
from pipelines.decision.workload import Constraints, Workload
from pipelines.economics import (
    OnPremServer,
    blended_api_usd_per_million,
    effective_cloud_usd_per_hour,
    hybrid_plan,
    on_prem_usd_per_hour,
    spot_waste_share,
    usd_per_million_tokens,
)

MILLION = 1e6


# Hourly load over each number of years that is shown.
Demand = Mapping[int, np.ndarray]


@dataclass(frozen=True)
class Option:
    """One way to serve the workload. `cost_usd` by years and band; None where it cannot be had for so short a time."""

    kind: str
    title: str
    cost_usd: dict[int, Band | None]
    usd_per_million_output_tokens: float
    measurement: Measurement | None = None
    offer: Offer | None = None
    api: ApiOffer | None = None
    server: Server | None = None
    servers_owned: int = 0
    owned_share: float = 0.0
    capital_usd: float = 0.0
    nodes_committed: int = 0


def _allows_place(names: tuple[str, ...], country: str | None) -> bool:
    return not names or (country is not None and (country in names or ("EU" in names and country in EU_COUNTRIES)))


def refusal(offer: Offer, constraints: Constraints, market: Market) -> str | None:
    """Why an offer is not allowed, or None."""
    if constraints.data_may_not_leave:
        return "data may not leave"
    if offer.option == "spot" and not constraints.spot_allowed:
        return "spot is not allowed"
    if not _allows_place(constraints.countries, offer.country):
        return f"its machines are in {offer.country or 'a country that is not known'}"
    if not _allows_place(constraints.provider_jurisdictions, market.headquarters.get(offer.provider)):
        return f"its seller's seat is in {market.headquarters.get(offer.provider) or 'a country that is not known'}"
    if constraints.trust_tiers and offer.trust_tier not in constraints.trust_tiers:
        return f"its trust tier is {offer.trust_tier}"
    missing = [c for c in constraints.certifications if (offer.provider, offer.region, c) not in market.certified]
    return f"it is not known to be certified {missing[0]}" if missing else None


def _api_refusal(api: ApiOffer, constraints: Constraints, market: Market) -> str | None:
    if constraints.data_may_not_leave:
        return "data may not leave"
    if not constraints.api_allowed:
        return "APIs are not allowed"
    if constraints.countries:
        return "where a seller by the token computes is not known"
    if constraints.certifications or constraints.trust_tiers:
        return "certification and trust tier of sellers by the token are not known"
    if not _allows_place(constraints.provider_jurisdictions, market.headquarters.get(api.provider)):
        return f"its seller's seat is in {market.headquarters.get(api.provider) or 'a country that is not known'}"
    return None


def load_of(load: np.ndarray, growth: float, years: int) -> np.ndarray:
    """Hourly load of several years, each greater by the growth."""
    return np.concatenate([load * (1 + growth) ** year for year in range(years)])


def owned_server(server: Server, market: Market, band: str, years: int) -> OnPremServer:
    """A server kept for `years` and then worth what the residual curve says, each assumption at one end of its band."""

    def at(name: str) -> float:
        return float(market.assumptions[name, None].band[band])

    return server_of(
        at,
        server_usd=server.usd[band],
        life_years=float(years),
        load_kw=server.load_kw[band],
        electricity_usd_per_kwh=market.electricity.band[band],
    )


def rented_usd_per_million(offer: Offer, rate_per_gpu: float, market: Market, band: str) -> float:
    """USD per million output tokens on an offer that is paid by the hour of use."""
    packing = market.assumptions["packing_share", None].band[band]
    waste = 0.0
    if offer.option == "spot":
        between = market.assumptions["spot_mean_time_between_interruptions_s", None].band[band]
        waste = spot_waste_share(between, market.assumptions["spot_restart_s", None].band[band])
    hour = effective_cloud_usd_per_hour(offer.usd_per_gpu_hour[band], offer.option, packing_share=packing, waste_share=waste)
    return float(usd_per_million_tokens(hour, rate_per_gpu))


def _owned_cost(
    server: Server,
    servers: int,
    capacity: float,
    rent_per_million: float,
    load: np.ndarray,
    market: Market,
    band: str,
    years: int,
) -> float:
    """USD of `servers` owned for `years`, what they cannot serve rented. `load` is of these years."""
    owned = owned_server(server, market, band, years)
    fixed = on_prem_usd_per_hour(owned, 0.0)
    variable = on_prem_usd_per_hour(owned, 1.0) - fixed
    served = np.minimum(load, servers * capacity)
    return float(load.size * servers * fixed + variable * served.sum() / capacity + rent_per_million * (load - served).sum() / MILLION)


def _per_million(cost: float, load: np.ndarray) -> float:
    return cost / (float(load.sum()) / MILLION)


def ways_to_serve(workload: Workload, load: np.ndarray, market: Market, constraints: Constraints) -> tuple[list[Option], dict[str, str]]:
    """The cheapest of each kind, cheapest first, and why a kind is not there."""
    demand = {years: load_of(load, workload.load.growth_per_year, years) for years in years_shown(workload)}
    excluded: dict[str, str] = {}
    measured = [m for m in market.measurements if _has_memory(m, constraints, market)]
    if not measured:
        excluded["all"] = f"no measured device has {constraints.least_gpu_memory_gb:g} GB"
    rented = _rented(workload, demand, market, constraints, measured, excluded)
    by_the_hour = min((o for o in rented if o.kind in ("on_demand", "spot")), key=base_cost_over(workload), default=None)
    found = [
        *rented,
        *_committed(workload, demand, market, constraints, measured, by_the_hour, excluded),
        *_owned(workload, demand, market, constraints, measured, by_the_hour, excluded),
        *_apis(workload, demand, market, constraints, excluded),
    ]
    cheapest: dict[str, Option] = {}
    for option in sorted(found, key=base_cost_over(workload)):
        cheapest.setdefault(option.kind, option)
    return list(cheapest.values()), {kind: why for kind, why in excluded.items() if kind not in cheapest}


def base_cost_over(workload: Workload) -> Callable[[Option], float]:
    """Sorts options by their base cost over the horizon."""

    def base_cost(option: Option) -> float:
        band = option.cost_usd[workload.horizon_years]
        return math.inf if band is None else band["base"]

    return base_cost


def _has_memory(measured: Measurement, constraints: Constraints, market: Market) -> bool:
    least = constraints.least_gpu_memory_gb
    return least is None or market.gpu_memory_gb.get(measured.gpu, 0.0) >= least


def years_shown(workload: Workload) -> tuple[int, ...]:
    """Years over which costs are given."""
    return tuple(sorted({1, 3, 5, workload.horizon_years}))


def _rented(
    workload: Workload, demand: Demand, market: Market, constraints: Constraints, measured: list[Measurement], excluded: dict[str, str]
) -> list[Option]:
    options = []
    for kind in ("on_demand", "spot"):
        refused = "no offer of a measured device is known"
        for m in measured:
            for offer in market.offers:
                if offer.option != kind or offer.gpu != m.gpu or offer.gpu_count < m.gpu_count:
                    continue
                why = refusal(offer, constraints, market)
                if why is not None:
                    refused = why
                    continue
                cost: dict[int, Band | None] = {}
                for years in years_shown(workload):
                    tokens = float(demand[years].sum())
                    cost[years] = {band: rented_usd_per_million(offer, m.rate_per_gpu, market, band) * tokens / MILLION for band in BANDS}
                unit = rented_usd_per_million(offer, m.rate_per_gpu, market, "base")
                title = f"rent {kind.replace('_', ' ')} at {offer.provider} {offer.region}"
                options.append(Option(kind, title, cost, unit, measurement=m, offer=offer))
        excluded[kind] = refused
    return options


def _committed(
    workload: Workload,
    demand: Demand,
    market: Market,
    constraints: Constraints,
    measured: list[Measurement],
    by_the_hour: Option | None,
    excluded: dict[str, str],
) -> list[Option]:
    options = []
    for m in measured:
        for offer in market.offers:
            if offer.option != "commitment" or offer.gpu != m.gpu or offer.gpu_count < m.gpu_count or not offer.commitment_months:
                continue
            kind = f"commitment_{offer.commitment_months}_months"
            why = refusal(offer, constraints, market)
            if why is not None:
                excluded.setdefault(kind, why)
                continue
            option = _with_commitment(kind, m, offer, workload, demand, market, by_the_hour)
            if option is not None:
                options.append(option)
    return options


def _with_commitment(
    kind: str, m: Measurement, offer: Offer, workload: Workload, demand: Demand, market: Market, by_the_hour: Option | None
) -> Option | None:
    capacity = m.rate_per_gpu * offer.gpu_count * 3600
    whole = demand[workload.horizon_years]
    node = offer.usd_per_gpu_hour["base"] * offer.gpu_count
    peak = by_the_hour.usd_per_million_output_tokens * capacity / MILLION if by_the_hour else None
    # Without anything to rent for the peaks the commitment covers them too.
    nodes = hybrid_plan(whole, capacity, node, 0.0, peak).servers if peak is not None else math.ceil(float(whole.max()) / capacity)
    if nodes == 0:
        return None
    cost: dict[int, Band | None] = {}
    for years in years_shown(workload):
        if years * 12 < (offer.commitment_months or 0):
            cost[years] = None
            continue
        hours = demand[years]
        over = float(np.maximum(hours - nodes * capacity, 0).sum()) / MILLION
        cost[years] = {
            band: nodes * offer.usd_per_gpu_hour[band] * offer.gpu_count * hours.size + over * _unit(by_the_hour, market, band)
            for band in BANDS
        }
    total = cost[workload.horizon_years]
    if total is None:
        return None
    title = f"commit to {nodes} of {offer.gpu_count:g}x {m.gpu} for {offer.commitment_months} months at {offer.provider} {offer.region}"
    title += ", rent the peaks" if by_the_hour else ""
    return Option(kind, title, cost, _per_million(total["base"], whole), measurement=m, offer=offer, nodes_committed=nodes)


def _unit(by_the_hour: Option | None, market: Market, band: str) -> float:
    if by_the_hour is None or by_the_hour.offer is None or by_the_hour.measurement is None:
        return 0.0
    return rented_usd_per_million(by_the_hour.offer, by_the_hour.measurement.rate_per_gpu, market, band)


def _owned(
    workload: Workload,
    demand: Demand,
    market: Market,
    constraints: Constraints,
    measured: list[Measurement],
    by_the_hour: Option | None,
    excluded: dict[str, str],
) -> list[Option]:
    excluded["own"] = "no server of a measured device has a list price of the last 365 days and a power figure"
    excluded["hybrid"] = (
        "there is nothing to rent for the peaks"
        if by_the_hour is None
        else "at these prices no split is cheaper than renting all, or than owning all"
    )
    limit = math.inf
    if constraints.capital_budget is not None:
        limit = constraints.capital_budget * (market.usd_per_eur if workload.currency == "EUR" else 1.0)
    options = []
    for m in measured:
        for server in market.servers:
            if server.gpu != m.gpu:
                continue
            each = owned_server(server, market, "base", workload.horizon_years).capex_usd
            for_peak, least_cost = _server_counts(m, server, workload, demand, market, by_the_hour)
            if for_peak * each <= limit:
                options.append(_own_option("own", for_peak, m, server, workload, demand, market, by_the_hour))
            else:
                excluded["own"] = f"the capital of {for_peak} of {server.hardware}, {for_peak * each:,.0f} USD, is above the budget"
            affordable = int(min(least_cost, limit // each))
            if 0 < affordable < for_peak:
                options.append(_own_option("hybrid", affordable, m, server, workload, demand, market, by_the_hour))
    return options


def server_capacity(m: Measurement, server: Server) -> float:
    """Output tokens per hour of a server within the limits: as many copies of the measured system as fit."""
    return m.rate_per_gpu * m.gpu_count * (server.gpu_count // m.gpu_count) * 3600


def servers_for_peak(load: np.ndarray, capacity: float) -> int:
    """Least number of servers that serves every hour."""
    return max(1, math.ceil(float(load.max()) / capacity - 1e-9))


def _server_counts(
    m: Measurement, server: Server, workload: Workload, demand: Demand, market: Market, by_the_hour: Option | None
) -> tuple[int, int]:
    """Servers that serve the peak, and servers that make owning and renting together cheapest (0 with nothing to rent)."""
    whole = demand[workload.horizon_years]
    capacity = server_capacity(m, server)
    for_peak = servers_for_peak(whole, capacity)
    if by_the_hour is None:
        return for_peak, 0
    owned = owned_server(server, market, "base", workload.horizon_years)
    fixed = on_prem_usd_per_hour(owned, 0.0)
    rent = by_the_hour.usd_per_million_output_tokens * capacity / MILLION
    return for_peak, hybrid_plan(whole, capacity, fixed, on_prem_usd_per_hour(owned, 1.0) - fixed, rent).servers


def _own_option(
    kind: str,
    servers: int,
    m: Measurement,
    server: Server,
    workload: Workload,
    demand: Demand,
    market: Market,
    by_the_hour: Option | None,
) -> Option:
    capacity = server_capacity(m, server)
    cost: dict[int, Band | None] = {}
    for years in years_shown(workload):
        hours = demand[years]
        cost[years] = {
            band: _owned_cost(server, servers, capacity, _unit(by_the_hour, market, band), hours, market, band, years) for band in BANDS
        }
    whole = demand[workload.horizon_years]
    total = cost[workload.horizon_years]
    assert total is not None
    title = f"own {servers} of {server.hardware}" + (", rent the peaks" if kind == "hybrid" else "")
    return Option(
        kind,
        title,
        cost,
        _per_million(total["base"], whole),
        measurement=m,
        server=server,
        offer=by_the_hour.offer if kind == "hybrid" and by_the_hour else None,
        servers_owned=servers,
        owned_share=float(np.minimum(whole, servers * capacity).sum() / whole.sum()),
        capital_usd=servers * owned_server(server, market, "base", workload.horizon_years).capex_usd,
    )


def _apis(workload: Workload, demand: Demand, market: Market, constraints: Constraints, excluded: dict[str, str]) -> list[Option]:
    excluded["api"] = f"no seller by the token of {workload.model} is known"
    options = []
    lengths = workload.tokens
    for api in market.api_offers:
        why = _api_refusal(api, constraints, market)
        if why is not None:
            excluded["api"] = why
            continue
        blend = blended_api_usd_per_million(api.input_usd, api.output_usd, lengths.input, lengths.output)
        unit = blend * (lengths.input + lengths.output) / lengths.output
        cost: dict[int, Band | None] = {}
        for years in years_shown(workload):
            total = unit * float(demand[years].sum()) / MILLION
            cost[years] = dict.fromkeys(BANDS, total)
        options.append(Option("api", f"buy tokens at {api.provider}", cost, unit, api=api))
    return options
