"""Where an offer may stand: its country, or the countries of which its seller does not say which.

Belongs here: from a provider and a region to countries, and from countries to the groups that a market is told by. Does not belong here:
the table of regions (`reference/region_country.csv`), what a buyer asks for (`pipelines.decision`).
"""

from __future__ import annotations

import polars as pl

from pipelines.prices.normalization import plain_name

# Members on 2026-11-23; `marts.eu_countries()` in SQL.
EU_COUNTRIES = frozenset((
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
))  # fmt: skip
EUROPE = EU_COUNTRIES | {"CH", "GB", "IS", "LI", "NO"}
# Regions that are several countries, and which ones they can be; `all` are those of every region that the provider is known to have.
_CONTINENTS = {"all": None, "eu": EU_COUNTRIES, "europe": EUROPE, "northamerica": frozenset(("CA", "US"))}
# Groups of countries that a market is told by, beside each country and the world.
GROUPS = {"EU": EU_COUNTRIES, "Europe": EUROPE, "US": frozenset(("US",))}
# Regions that lie in a group by their name alone.
_NAMED: dict[str, list[str]] = {"EU": ["eu"], "Europe": ["eu", "europe"], "US": []}


def with_countries(offers: pl.LazyFrame, reference_region_country: pl.LazyFrame) -> pl.LazyFrame:
    """Add `countries`, a sorted list of ISO codes, to rows with provider, region and country: where the offer stands, or may stand.

    One code where the country is known. Where a seller names a continent or nothing, the countries there in which its provider is known to
    have regions: the offer stands in one or more of them, and nobody says in which. NULL where not even that is known.
    """
    known = reference_region_country.select("provider", "country").unique()
    named = pl.LazyFrame(
        {"__plain": list(_CONTINENTS), "__members": [sorted(members) if members else None for members in _CONTINENTS.values()]},
        schema={"__plain": pl.String, "__members": pl.List(pl.String)},
    )
    sets = (
        known.join(named, how="cross")
        .filter(pl.col("__members").is_null() | pl.col("__members").list.contains(pl.col("country")))
        .group_by("provider", "__plain")
        .agg(pl.col("country").sort().alias("__set"))
    )
    return (
        offers.with_columns(__plain=plain_name(pl.col("region")))
        .join(sets, on=["provider", "__plain"], how="left")
        .with_columns(countries=pl.when(pl.col("country").is_not_null()).then(pl.concat_list("country")).otherwise("__set"))
        .drop("__plain", "__set")
    )


def country_groups(countries: pl.Expr, region: pl.Expr) -> pl.Expr:
    """The groups that an offer belongs to, as a list: the world, its country, each group that holds all its countries.

    `EU_possible` and the like hold the offers of the group and those that may stand in it, as one of their countries does. A region that is
    called the EU lies in it, whatever is known of the provider's regions.
    """
    one = pl.when(countries.list.len() == 1).then(countries.list.first())
    found = [pl.lit("world"), one]
    for name, members in GROUPS.items():
        outside = countries.list.set_difference(pl.lit(sorted(members), dtype=pl.List(pl.String))).list.len()
        is_named = plain_name(region).is_in(_NAMED[name])
        certain, possible = (countries.list.len() > 0) & (outside == 0), outside < countries.list.len()
        # One country is a group already.
        if len(members) > 1:
            found.append(pl.when(certain | is_named).then(pl.lit(name)))
        found.append(pl.when(certain | is_named | possible).then(pl.lit(f"{name}_possible")))
    return pl.concat_list(found).list.drop_nulls()
