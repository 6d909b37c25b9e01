"""What makes a price series: its identity, its id, and which source's attributes describe it.

Belongs here: everything that derives from the key `series` (`dbt_like_models/keys.yml`). Does not belong here: running the SQL
(`engine`), how prices of a series hold (`intervals`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import polars as pl

from pipelines.catalogue.contracts import catalogue

# Which observation describes its series: that of the better source, then the latest.
ATTRIBUTES_FROM = (
    ("precedence", "ASC"),
    ("last_confirmed_at", "DESC"),
    ("first_seen_at", "DESC"),
    ("source", "ASC"),
    ("snapshot_sha256", "ASC"),
    ("usd_per_hour", "ASC"),
)
# What a published interval says of its series, in this order.
DESCRIPTION = (
    "series_id",
    "provider",
    "seller",
    "region",
    "zone",
    "country",
    "sku",
    "instance_type",
    "gpu",
    "form_factor",
    "gpu_count",
    "purchase_option",
    "payment_option",
    "commitment_months",
    "operating_system",
    "tenancy",
    "trust_tier",
)
_UNIT_SEPARATOR = "\x1f"


@cache
def series_key() -> tuple[str, ...]:
    """Columns that identify a series, as declared."""
    return catalogue().keys["series"]


def identity() -> pl.Expr:
    """The series key as one text, as in the id itself: joined in a fraction of the time that its columns take."""
    return pl.concat_str([pl.col(name).cast(pl.String).fill_null("") for name in series_key()], separator=_UNIT_SEPARATOR).alias("identity")


@cache
def series_sql() -> str:
    """SELECT of `staging.price_series` from a table `price_observation`.

    The id is the start of the SHA-256 of the key's values; a unit separator between them keeps two different lists apart.
    """
    contract = catalogue().tables["price_series"]
    key = ", ".join(series_key())
    order = ", ".join(f"{column} {direction}" for column, direction in ATTRIBUTES_FROM)
    values = ", ".join(f"coalesce({name}::VARCHAR, '')" for name in series_key())
    columns = ", ".join(name for name in contract.column_names if name != "series_id")
    return (
        f"WITH ranked AS (SELECT *, row_number() OVER (PARTITION BY {key} ORDER BY {order}) AS choice FROM price_observation) "
        f"SELECT substr(sha256(concat_ws(chr(31), {values})), 1, 16) AS series_id, {columns} FROM ranked WHERE choice = 1"
    )


def first_of(frame: pl.DataFrame, order: Sequence[tuple[str, str]], key: Sequence[str]) -> pl.DataFrame:
    """The first row per key in the given order of (column, ASC or DESC)."""
    descending = [direction == "DESC" for _, direction in order]
    return frame.sort([name for name, _ in order], descending=descending, nulls_last=True).unique(key, keep="first", maintain_order=True)
