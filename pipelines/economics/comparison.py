"""Own against rent: at which use, and after how long, owning wins.

Capital is counted once: a payback in cash subtracts operating cash only, never amortisation. Does not belong here: the costs
themselves (`capital`, `cloud`), profiles over time (`hybrid`).
"""

from __future__ import annotations

import math
from typing import Any

import polars as pl

from pipelines.economics.guards import NOT_NEGATIVE, POSITIVE, SHARE, Number, guarded, is_expression, quotient


def break_even_utilisation(fixed_usd_per_hour: Number, variable_usd_per_hour: Number, rented_usd_per_hour: Number) -> Any:
    """Utilisation from which owning is cheaper: owning costs F + V*u an hour, renting R*u, so u* = F/(R - V).

    None (NULL in expressions) where no utilisation of at most 1 does.
    """

    def formula() -> Any:
        margin = rented_usd_per_hour - variable_usd_per_hour
        return _only_where((margin > 0) & (fixed_usd_per_hour <= margin), lambda: quotient(fixed_usd_per_hour, margin))

    return guarded(
        formula,
        fixed_usd_per_hour=(fixed_usd_per_hour, NOT_NEGATIVE),
        variable_usd_per_hour=(variable_usd_per_hour, NOT_NEGATIVE),
        rented_usd_per_hour=(rented_usd_per_hour, NOT_NEGATIVE),
    )


def break_even_hours(capex_usd: Number, rent_usd_per_hour: Number, operate_usd_per_hour: Number) -> Any:
    """Hours after which the cash saved has paid the capital: capex / (rent - operate). None where rent does not exceed operation.

    `operate_usd_per_hour` is cash only: amortisation in it would count the capital twice.
    """

    def formula() -> Any:
        saving = rent_usd_per_hour - operate_usd_per_hour
        return _only_where(saving > 0, lambda: quotient(capex_usd, saving))

    return guarded(
        formula,
        capex_usd=(capex_usd, NOT_NEGATIVE),
        rent_usd_per_hour=(rent_usd_per_hour, NOT_NEGATIVE),
        operate_usd_per_hour=(operate_usd_per_hour, NOT_NEGATIVE),
    )


def npv_payback_months(
    capex_usd: Number,
    rent_usd_per_month: Number,
    operate_usd_per_month: Number,
    annual_rate: Number,
    life_months: int = 60,
    residual_share_at_end: Number = 0.20,
) -> Any:
    """First whole month in which the discounted saving covers the capital less its discounted residual value; None within the life.

    The monthly rate i is (1 + r)^(1/12) - 1. Savings come at the end of each month, so that n months are worth
    saving * (1 - (1 + i)^-n) / i, which is solved for n; the residual comes at the end of the life.
    """
    if isinstance(life_months, bool) or not isinstance(life_months, int) or life_months < 1:
        raise ValueError(f"life_months is {life_months!r}, expected a whole number of at least 1")

    def formula() -> Any:
        log_growth = _log(1 + annual_rate) / 12
        monthly = (1 + annual_rate) ** (1 / 12) - 1
        to_cover = capex_usd * (1 - residual_share_at_end * (1 + annual_rate) ** (-life_months / 12))
        saving = rent_usd_per_month - operate_usd_per_month
        if not is_expression(annual_rate) and annual_rate == 0:
            return _only_where(saving > 0, lambda: _whole_months(quotient(to_cover, saving), life_months))
        return _only_where(
            (saving > 0) & (to_cover * monthly < saving),
            lambda: _whole_months(quotient(-1 * _log(1 - quotient(to_cover * monthly, saving)), log_growth), life_months),
        )

    return guarded(
        formula,
        capex_usd=(capex_usd, POSITIVE),
        rent_usd_per_month=(rent_usd_per_month, NOT_NEGATIVE),
        operate_usd_per_month=(operate_usd_per_month, NOT_NEGATIVE),
        annual_rate=(annual_rate, NOT_NEGATIVE),
        residual_share_at_end=(residual_share_at_end, SHARE),
    )


# A month reached but for the rounding of floats is reached.
_ROUNDING = 1e-9


def _whole_months(months: Any, life_months: int) -> Any:
    if isinstance(months, pl.Expr):
        whole = (months - _ROUNDING).ceil().clip(lower_bound=1)
        return pl.when(whole <= life_months).then(whole)
    whole = max(1, math.ceil(months - _ROUNDING))
    return whole if whole <= life_months else None


def _log(value: Any) -> Any:
    return value.log() if isinstance(value, pl.Expr) else math.log(value)


def _only_where(condition: Any, value: Any) -> Any:
    if is_expression(condition):
        return pl.when(condition).then(value())
    return value() if condition else None
