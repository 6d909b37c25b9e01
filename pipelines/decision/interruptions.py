"""How often spot machines are taken back, as their sellers say it.

Belongs here: reading it from the published version as bands. Does not belong here: the assumption where a seller says nothing
(`marts.cost_assumption`), what an interruption costs (`options.rented`).
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from pipelines.decision.market import BANDS, Band
from pipelines.economics.cloud import SECONDS_PER_MONTH
from pipelines.publication.reader import rows

Machine = tuple[str, str, str]


def read_interruptions(connection: duckdb.DuckDBPyConnection, assumed_between_s: Band | None) -> Mapping[Machine, Band]:
    """Interruptions of a machine a month by (provider, region, instance type).

    A seller's last band has no upper end: its base and its dear end are those of the assumption, seconds between two interruptions.
    """
    if assumed_between_s is None:
        return {}
    try:
        found = rows(connection, "SELECT * FROM marts.spot_interruption")
    except duckdb.CatalogException:  # a version that was published before there was this table
        return {}
    return {(r["provider"], r["region"], r["instance_type"]): _band(r, assumed_between_s) for r in found}


def _band(row: Mapping[str, float | None], assumed_between_s: Band) -> Band:
    stated = {band: row[f"{band}_interruptions_per_month"] for band in BANDS}
    return {band: SECONDS_PER_MONTH / assumed_between_s[band] if rate is None else rate for band, rate in stated.items()}
