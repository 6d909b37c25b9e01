"""What a workload's constraints refuse, and why.

Pure. Belongs here: offers, sellers and sites against constraints. Does not belong here: prices, counting (`depth`).
"""

from __future__ import annotations

from pipelines.decision.lookups import PROFESSIONAL
from pipelines.decision.market import ApiOffer, Market, Offer
from pipelines.decision.words import Said, said
from pipelines.decision.workload import Constraints, Site
from pipelines.prices.places import EU_COUNTRIES

# Sellers that lists of tokens name otherwise than lists of machines do.
SAME_SELLER = {"ovhcloud": "ovh"}


def refusal(offer: Offer, constraints: Constraints, market: Market) -> Said | None:
    """Why a rented machine is not allowed, or None."""
    if constraints.data_may_not_leave:
        return said("data may not leave")
    if offer.option == "spot" and not constraints.spot_allowed:
        return said("spot is not allowed")
    if not allows_place(constraints.countries, offer.country):
        return _abroad("its machines are in {country}", "its machines are in a country that is not known", offer.country)
    seat = market.headquarters.get(offer.provider)
    if not allows_place(constraints.provider_jurisdictions, seat):
        return _abroad("its seller's seat is in {country}", "its seller's seat is in a country that is not known", seat)
    if offer.trust_tier not in (constraints.trust_tiers or PROFESSIONAL):
        can_be_admitted = "its trust tier is {tier} (constraints.trust_tiers can admit it)"
        return said("its trust tier is {tier}" if constraints.trust_tiers else can_be_admitted, tier=offer.trust_tier)
    missing = [c for c in constraints.certifications if (offer.provider, offer.region, c) not in market.certified]
    return said("it is not known to be certified {name}", name=missing[0]) if missing else None


def api_refusal(api: ApiOffer, constraints: Constraints, market: Market) -> Said | None:
    """Why a seller of tokens is not allowed, or None."""
    if constraints.data_may_not_leave:
        return said("data may not leave")
    if not constraints.api_allowed:
        return said("APIs are not allowed")
    if not allows_place(constraints.countries, api.country):
        return _abroad("it computes in {country}", "where a seller by the token computes is not known", api.country)
    if constraints.certifications or (constraints.trust_tiers and not constraints.admits_more_tiers):
        return said("certification and trust tier of sellers by the token are not known")
    seat = market.headquarters.get(SAME_SELLER.get(api.provider, api.provider))
    if not allows_place(constraints.provider_jurisdictions, seat):
        return _abroad("its seller's seat is in {country}", "its seller's seat is in a country that is not known", seat)
    return None


def site_refusal(site: Site, constraints: Constraints) -> Said | None:
    """Why servers of one's own are not allowed at the stated site, or None."""
    if site.country is not None and not allows_place(constraints.countries, site.country):
        return said("the site is in {country}", country=site.country)
    if site.operator_country is not None and not allows_place(constraints.provider_jurisdictions, site.operator_country):
        return said("the site's operator has its seat in {country}", country=site.operator_country)
    missing = [c for c in constraints.certifications if c not in site.certifications]
    return said("the site is not stated to be certified {name} (site.certifications)", name=missing[0]) if missing else None


def site_conditions(site: Site, constraints: Constraints) -> list[Said]:
    """What has to be true of a site that the workload does not describe, for owning to meet the constraints."""
    found = []
    if constraints.countries and site.country is None:
        found.append(said("the site stands in {countries} (site.country)", countries=_either(constraints.countries)))
    if constraints.provider_jurisdictions and site.operator_country is None:
        seats = _either(constraints.provider_jurisdictions)
        found.append(said("whoever runs it has its seat in {countries} (site.operator_country)", countries=seats))
    return found


def _abroad(known: str, unknown: str, country: str | None) -> Said:
    return said(unknown) if country is None else said(known, country=country)


def _either(names: tuple[str, ...]) -> str:
    """One of several, as words."""
    first, *others = names
    text: str = first
    for other in others:
        text = said("{one} or {other}", one=text, other=other)
    return text


def allows_place(names: tuple[str, ...], country: str | None) -> bool:
    """Whether a country is among the named ones; `EU` names its members. No name allows all."""
    return not names or (country is not None and (country in names or ("EU" in names and country in EU_COUNTRIES)))
