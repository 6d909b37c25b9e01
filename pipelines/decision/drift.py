"""How far prices move within a year, from the warehouse's own history.

Belongs here: one figure per kind of price, and what stands behind it. Does not belong here: what it widens (`scenario`).
"""

from __future__ import annotations

import math
from datetime import date

import duckdb

from pipelines.decision.market import Drift
from pipelines.publication.reader import rows

# Fewer series that moved than this say nothing of their kind; the drift of all rented prices stands in, and is marked.
LEAST_SERIES = 3
# Lists move seldom and then far; without a history of a year this is what we assume, to either side.
ASSUMED = 0.25
KINDS = ("on_demand", "spot", "commitment", "serverless", "marketplace", "dedicated_month")

_YEARLY = """
WITH month AS (
    SELECT unnest(generate_series(DATE '2020-01-01', $as_of::DATE, INTERVAL 1 MONTH))::DATE AS on_day
), price AS (
    SELECT h.series_id, h.purchase_option, m.on_day, h.usd_per_gpu_hour AS usd
    FROM marts.price_history AS h
    INNER JOIN month AS m ON m.on_day >= h.valid_from AND (h.valid_to IS NULL OR m.on_day < h.valid_to)
    WHERE h.gpu IS NOT NULL AND h.usd_per_gpu_hour > 0 AND h.valid_from::DATE <= $as_of
), change AS (
    SELECT a.purchase_option, a.series_id, ln(b.usd / a.usd) AS moved
    FROM price AS a
    INNER JOIN price AS b ON a.series_id = b.series_id AND b.on_day = a.on_day + INTERVAL 12 MONTH
)
SELECT purchase_option, count(DISTINCT series_id) AS series, quantile_cont(moved, 0.1) AS low, quantile_cont(moved, 0.9) AS high
FROM change
WHERE moved <> 0
GROUP BY ROLLUP (purchase_option)
ORDER BY ALL
"""


def rent_drift(connection: duckdb.DuckDBPyConnection, as_of: date) -> dict[str, Drift]:
    """Of each way of renting: lower and upper tenth of what prices that moved at all moved by within a year."""
    found = {r["purchase_option"]: r for r in rows(connection, _YEARLY, {"as_of": as_of}) if r["series"]}
    drift = {}
    for kind in KINDS:
        own, of_all = found.get(kind), found.get(None)
        row = own if own is not None and own["series"] >= LEAST_SERIES else of_all
        if row is None or row["series"] < LEAST_SERIES:
            drift[kind] = Drift(-ASSUMED, ASSUMED, 0, is_assumed=True, source="our assumption: no history of a year")
            continue
        # A list that only ever fell may rise as the market does: of its own prices and of all, the end that lies further out.
        whole = of_all or row
        low, high = min(row["low"], whole["low"], 0.0), max(row["high"], whole["high"], 0.0)
        carried = " of all kinds, as too few of this one moved" if row is not own else ", or of all kinds where that is further"
        source = f"yearly changes of {row['series']} series that moved, lower and upper tenth{carried}"
        drift[kind] = Drift(low, high, row["series"], is_assumed=row is not own, source=source)
    return drift


def token_drift() -> dict[str, Drift]:
    """Of tokens: the source dates hardly any change, so the ends are ours: 30% less to 15% more a year."""
    return {"tokens": Drift(math.log(0.7), math.log(1.15), 0, is_assumed=True, source="our assumption: the source dates few changes")}


def server_drift() -> dict[str, Drift]:
    """Of servers: list prices of one vendor and one day have no history, so the ends are ours: a quarter a year to either side."""
    return {"server": Drift(-ASSUMED, ASSUMED, 0, is_assumed=True, source="our assumption: quotes of one day have no history")}
