"""Names of countries in lower-case English, as services write them, with their ISO codes.

Belongs here: names that stand for one country wherever they are read. Does not belong here: regions of a provider
(`pipelines/reference/region_country.csv`), what a country means to a market (`pipelines.prices.places`).
"""

from __future__ import annotations

from collections.abc import Mapping

COUNTRIES: Mapping[str, str] = {
    "argentina": "AR",
    "australia": "AU",
    "austria": "AT",
    "belgium": "BE",
    "brazil": "BR",
    "canada": "CA",
    "chile": "CL",
    "colombia": "CO",
    "czechia": "CZ",
    "denmark": "DK",
    "finland": "FI",
    "france": "FR",
    "germany": "DE",
    "iceland": "IS",
    "india": "IN",
    "ireland": "IE",
    "israel": "IL",
    "italy": "IT",
    "japan": "JP",
    "mexico": "MX",
    "netherlands": "NL",
    "norway": "NO",
    "peru": "PE",
    "poland": "PL",
    "portugal": "PT",
    "romania": "RO",
    "singapore": "SG",
    "south korea": "KR",
    "spain": "ES",
    "sweden": "SE",
    "switzerland": "CH",
    "uk": "GB",
    "united kingdom": "GB",
    "united states": "US",
    "usa": "US",
}
