"""The one name under which a company that sells compute stands in every table.

Belongs here: how sources write such names, and what renamed companies were called. Does not belong here: facts of a company
(`pipelines/reference/provider_fact.csv`).
"""

from __future__ import annotations

import polars as pl

# Old and long names of companies, without what a name is written with (`as_company`).
_OTHER_NAMES = {
    "akamai": "linode",
    "amazon": "aws",
    "cudocompute": "cudo",
    "datacrunch": "verda",
    "datacrunchio": "verda",
    "google": "gcp",
    "googlecloud": "gcp",
    "lambdacloud": "lambda",
    "lambdalabs": "lambda",
    "latitudesh": "latitude",
    "nexgencloud": "hyperstack",
    "oracle": "oci",
    "ovhcloud": "ovh",
    "thundercompute": "thunder",
    "togetherai": "together",
    "vastai": "vast",
}


def as_company(name: str) -> pl.Expr:
    """The company that the column names: lower case, without spaces and marks ("Voltage Park", "voltage_park"), by its name of today."""
    plain = pl.col(name).str.to_lowercase().str.replace_all(r"[\s._-]", "")
    return plain.replace(_OTHER_NAMES).alias(name)
