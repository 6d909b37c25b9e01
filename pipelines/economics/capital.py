"""Cost of an owned server: capital, power and running it.

Every amount is in USD without tax. Does not belong here: rented
capacity (`cloud`), tokens (`serving`), comparing the two (`comparison`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import polars as pl

from pipelines.economics.guards import AT_LEAST_ONE, NOT_NEGATIVE, POSITIVE, SHARE, Number, guarded, is_expression, quotient

HOURS_PER_YEAR = 8760.0
MONTHS_PER_YEAR = 12.0


def capital_recovery_factor(rate: Number, years: Number) -> Any:
    """Share of a capital that is paid each year to recover it with interest: r(1+r)^n / ((1+r)^n - 1), and 1/n at rate 0.

    `rate` per year (0.08 is 8%), `years` above 0. Result per year.
    """
    if not is_expression(rate) and rate == 0:
        return guarded(lambda: 1 / years, years=(years, POSITIVE))

    def annuity() -> Any:
        # Both sides divided by the growth, which overflows before its inverse matters.
        return quotient(rate, 1 - (1 + rate) ** (-1 * years))

    if not is_expression(rate):
        return guarded(annuity, rate=(rate, NOT_NEGATIVE), years=(years, POSITIVE))
    return guarded(lambda: pl.when(rate == 0).then(1 / years).otherwise(annuity()), rate=(rate, NOT_NEGATIVE), years=(years, POSITIVE))


def annual_capital_cost(capex_usd: Number, residual_share: Number, rate: Number, years: Number) -> Any:
    """Equivalent annual cost of a capital with a residual value: (C - S)*CRF(r, n) + S*r with S = residual_share*C. USD per year."""

    def formula() -> Any:
        residual = capex_usd * residual_share
        return (capex_usd - residual) * capital_recovery_factor(rate, years) + residual * rate

    return guarded(
        formula,
        capex_usd=(capex_usd, NOT_NEGATIVE),
        residual_share=(residual_share, SHARE),
        rate=(rate, NOT_NEGATIVE),
        years=(years, POSITIVE),
    )


def annual_write_off(capex_usd: float, residual_share: float, rate: float, years: float, write_off_years: float) -> float:
    """Equivalent annual sum that tax lets a capital deduct: written off evenly over `write_off_years`, and what a sale brings above what
    is left in the books taxed in the end. USD per year; over n years at rate 0 it comes to C - S, whatever the write-off.
    """

    def formula() -> float:
        recovery = capital_recovery_factor(rate, years)
        written = min(years, write_off_years)
        # Present value of 1 a year over the years of the write-off, spread over the years of use.
        spread = recovery / capital_recovery_factor(rate, written)
        gain = capex_usd * residual_share - capex_usd * (1 - written / write_off_years)
        return float(capex_usd / write_off_years * spread - gain * (recovery - rate))

    value: float = guarded(
        formula,
        capex_usd=(capex_usd, NOT_NEGATIVE),
        residual_share=(residual_share, SHARE),
        rate=(rate, NOT_NEGATIVE),
        years=(years, POSITIVE),
        write_off_years=(write_off_years, POSITIVE),
    )
    return value


def residual_share(age_years: Number, decline_per_year: Number = 0.14) -> Any:
    """Share of its price that hardware keeps after `age_years`: 10^(-decline*t); the decline is in orders of magnitude per year."""
    base = pl.lit(10.0) if is_expression(age_years, decline_per_year) else 10.0
    return guarded(
        lambda: base ** (-1 * decline_per_year * age_years),
        age_years=(age_years, NOT_NEGATIVE),
        decline_per_year=(decline_per_year, NOT_NEGATIVE),
    )


def node_power_kw(utilisation_share: Number, idle_kw: Number, load_kw: Number) -> Any:
    """Power drawn at a utilisation: idle + u*(load - idle). kW."""
    return guarded(
        lambda: idle_kw + utilisation_share * (load_kw - idle_kw),
        utilisation_share=(utilisation_share, SHARE),
        idle_kw=(idle_kw, NOT_NEGATIVE),
        load_kw=(load_kw, NOT_NEGATIVE),
    )


@dataclass(frozen=True)
class OnPremServer:
    """What one owned server is and costs; fields may be floats or polars expressions.

    `network_share`, `residual_share` and `maintenance_share` are shares of, in turn, the server's price, the whole capital and the
    server's price per year. `colocation_usd_per_month` is for the server's space and connected power, `pue` multiplies its energy.
    """

    server_usd: Any
    network_share: Any = 0.0
    storage_usd: Any = 0.0
    residual_share: Any = 0.0
    discount_rate: Any = 0.0
    life_years: Any = 5.0
    maintenance_share: Any = 0.0
    idle_kw: Any = 0.0
    load_kw: Any = 0.0
    pue: Any = 1.0
    electricity_usd_per_kwh: Any = 0.0
    colocation_usd_per_month: Any = 0.0
    staff_usd_per_year: Any = 0.0
    licences_usd_per_year: Any = 0.0

    @property
    def capex_usd(self) -> Any:
        """Capital at the start: server, network, storage."""
        return self.server_usd * (1 + self.network_share) + self.storage_usd

    def checked(self) -> dict[str, tuple[Any, Any]]:
        """Each field with the domain that it must lie in, for `guarded`."""
        domains = {"residual_share": SHARE, "life_years": POSITIVE, "pue": AT_LEAST_ONE}
        return {f.name: (getattr(self, f.name), domains.get(f.name, NOT_NEGATIVE)) for f in fields(self)}


def operating_usd_per_hour(server: OnPremServer, utilisation_share: Number) -> Any:
    """Cash cost of one hour: maintenance, energy, space, staff, licences; no capital. USD per server-hour."""

    def formula() -> Any:
        kilowatts = node_power_kw(utilisation_share, server.idle_kw, server.load_kw)
        per_year = (
            server.maintenance_share * server.server_usd
            + kilowatts * server.pue * server.electricity_usd_per_kwh * HOURS_PER_YEAR
            + server.colocation_usd_per_month * MONTHS_PER_YEAR
            + server.staff_usd_per_year
            + server.licences_usd_per_year
        )
        return per_year / HOURS_PER_YEAR

    return guarded(formula, **server.checked(), utilisation_share=(utilisation_share, SHARE))


def on_prem_usd_per_hour(server: OnPremServer, utilisation_share: Number) -> Any:
    """All-in cost of one hour of an owned server, whether used or not: capital and operation. Only energy varies with use.

    USD per server-hour. Case LP2368-6 gives 18.71.
    """

    def formula() -> Any:
        capital = annual_capital_cost(server.capex_usd, server.residual_share, server.discount_rate, server.life_years)
        return capital / HOURS_PER_YEAR + operating_usd_per_hour(server, utilisation_share)

    return guarded(formula, **server.checked(), utilisation_share=(utilisation_share, SHARE))
