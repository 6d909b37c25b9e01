"""What a workload's constraints refuse, and why.

Pure. Belongs here: offers, sellers and sites against constraints. Does not belong here: prices, counting (`depth`).
"""

from __future__ import annotations

from pipelines.decision.lookups import EU_COUNTRIES, PROFESSIONAL
from pipelines.decision.market import ApiOffer, Market, Offer
from pipelines.decision.workload import Constraints, Site

# Sellers that lists of tokens name otherwise than lists of machines do.
SAME_SELLER = {"ovhcloud": "ovh"}


def refusal(offer: Offer, constraints: Constraints, market: Market) -> str | None:
    """Why a rented machine is not allowed, or None."""
    if constraints.data_may_not_leave:
        return "data may not leave"
    if offer.option == "spot" and not constraints.spot_allowed:
        return "spot is not allowed"
    if not allows_place(constraints.countries, offer.country):
        return f"its machines are in {offer.country or 'a country that is not known'}"
    seat = market.headquarters.get(offer.provider)
    if not allows_place(constraints.provider_jurisdictions, seat):
        return f"its seller's seat is in {seat or 'a country that is not known'}"
    if offer.trust_tier not in (constraints.trust_tiers or PROFESSIONAL):
        return f"its trust tier is {offer.trust_tier}" + ("" if constraints.trust_tiers else " (constraints.trust_tiers can admit it)")
    missing = [c for c in constraints.certifications if (offer.provider, offer.region, c) not in market.certified]
    return f"it is not known to be certified {missing[0]}" if missing else None


def api_refusal(api: ApiOffer, constraints: Constraints, market: Market) -> str | None:
    """Why a seller of tokens is not allowed, or None."""
    if constraints.data_may_not_leave:
        return "data may not leave"
    if not constraints.api_allowed:
        return "APIs are not allowed"
    if not allows_place(constraints.countries, api.country):
        return f"it computes in {api.country}" if api.country else "where a seller by the token computes is not known"
    if constraints.certifications or (constraints.trust_tiers and not constraints.admits_more_tiers):
        return "certification and trust tier of sellers by the token are not known"
    seat = market.headquarters.get(SAME_SELLER.get(api.provider, api.provider))
    if not allows_place(constraints.provider_jurisdictions, seat):
        return f"its seller's seat is in {seat or 'a country that is not known'}"
    return None


def site_refusal(site: Site, constraints: Constraints) -> str | None:
    """Why servers of one's own are not allowed at the stated site, or None."""
    if site.country is not None and not allows_place(constraints.countries, site.country):
        return f"the site is in {site.country}"
    if site.operator_country is not None and not allows_place(constraints.provider_jurisdictions, site.operator_country):
        return f"the site's operator has its seat in {site.operator_country}"
    missing = [c for c in constraints.certifications if c not in site.certifications]
    return f"the site is not stated to be certified {missing[0]} (site.certifications)" if missing else None


def site_conditions(site: Site, constraints: Constraints) -> list[str]:
    """What has to be true of a site that the workload does not describe, for owning to meet the constraints."""
    said = []
    if constraints.countries and site.country is None:
        said.append(f"the site stands in {' or '.join(constraints.countries)} (site.country)")
    if constraints.provider_jurisdictions and site.operator_country is None:
        said.append(f"whoever runs it has its seat in {' or '.join(constraints.provider_jurisdictions)} (site.operator_country)")
    return said


def allows_place(names: tuple[str, ...], country: str | None) -> bool:
    """Whether a country is among the named ones; `EU` names its members. No name allows all."""
    return not names or (country is not None and (country in names or ("EU" in names and country in EU_COUNTRIES)))
