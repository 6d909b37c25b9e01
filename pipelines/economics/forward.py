"""What commitments say of rents to come: the market's own path of prices.

Floats only. Does not belong here: what the path does to a cost (`pipelines.decision`).
"""

from __future__ import annotations

from pipelines.economics.guards import AT_LEAST_ONE, POSITIVE, guarded


def implied_forward_usd(short_usd: float, short_years: float, long_usd: float, long_years: float) -> float:
    """Price an hour of the years between two terms that the price of the longer term implies: (n*p_n - m*p_m) / (n - m).

    Negative where the long term costs less in all than the short one. Raises ValueError unless the terms differ.
    """
    if not long_years > short_years:
        raise ValueError(f"long_years is {long_years!r}, expected more than short_years, {short_years!r}")
    found: float = guarded(
        lambda: (long_usd * long_years - short_usd * short_years) / (long_years - short_years),
        short_usd=(short_usd, POSITIVE),
        short_years=(short_years, POSITIVE),
        long_usd=(long_usd, POSITIVE),
        long_years=(long_years, POSITIVE),
    )
    return found


def implied_yearly_factor(one_year_usd: float, long_usd: float, years: int) -> float:
    """The factor q by which a year's rent follows on the last one's, such that p1*(1 + q + ... + q^(n-1)) = n*pn. Case FWD-1."""

    def solve() -> float:
        low, high = 0.0, 10.0
        target = years * long_usd / one_year_usd
        for _ in range(100):
            middle = (low + high) / 2
            if sum(middle**year for year in range(years)) < target:
                low = middle
            else:
                high = middle
        return (low + high) / 2

    if years < 2:
        raise ValueError(f"years is {years!r}, expected at least 2")
    found: float = guarded(solve, one_year_usd=(one_year_usd, POSITIVE), long_usd=(long_usd, POSITIVE), years=(years, AT_LEAST_ONE))
    return found
