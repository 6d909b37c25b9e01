"""The country of an offer: as its source states it where that is one, else by the table of regions, else unknown."""

from __future__ import annotations

import polars as pl
import pytest

from pipelines.prices.normalization import with_country
from pipelines.sources.lib.offers import offers

REGIONS = pl.LazyFrame({"provider": ["p"], "region": ["north-1"], "country": ["FI"]})


@pytest.mark.parametrize(
    ("stated", "region", "country"),
    [
        ("FR", "north-1", "FR"),
        ("fr", "anywhere", "FR"),
        ("UK", "anywhere", "GB"),
        (None, "North_1", "FI"),
        (None, "anywhere", None),
        # Two letters that are no country say nothing: the region may.
        ("XX", "anywhere", None),
        ("ZZ", "north-1", "FI"),
        ("EU", "anywhere", None),
        ("France", "anywhere", None),
        ("", "anywhere", None),
        (7, "anywhere", None),
    ],
)
def test_a_country_is_never_claimed_that_is_none(stated: object, region: str, country: str | None) -> None:
    stated_offers = offers([{"provider": "p", "sku": "s", "region": region, "country_stated": stated}]).lazy()
    assert with_country(stated_offers, REGIONS).collect().get_column("country").to_list() == [country]
