"""Where two sources name different prices for one machine on the same terms."""

from datetime import date

import polars as pl

from pipelines.economics.guards import quotient
from pipelines.history.views import HistoryViews

# Sources round and convert; beyond this share they speak of different prices.
LEAST_DIFFERENCE_SHARE = 0.03
# Two sources disagree only about one time: prices move between readings that lie further apart.
MOST_DAYS_APART = 7
MACHINE = [
    "provider",
    "region",
    "instance_type",
    "gpu",
    "purchase_option",
    "payment_option",
    "commitment_months",
    "operating_system",
    "tenancy",
]


def price_disagreement(history: HistoryViews, as_of: date) -> pl.LazyFrame:
    """One row per machine, terms and pair of sources whose last prices differ by more than 3%; the median of a source's zones speaks."""
    said = (
        history.reference_observations()
        .lazy()
        .filter(
            (pl.col("usd_per_gpu_hour") > 0)
            & pl.col("instance_type").is_not_null()
            & (pl.col("last_confirmed_at").dt.date() <= as_of)
            # Of several zones each has its own spot price.
            & (pl.col("purchase_option") != "spot")
        )
        .group_by(*MACHINE, "source")
        .agg(
            usd_per_gpu_hour=pl.col("usd_per_gpu_hour").cast(pl.Float64).median(),
            seen_on=pl.col("last_confirmed_at").max().dt.date(),
        )
    )
    prices = ("usd_per_gpu_hour", "other_usd_per_gpu_hour")
    share = 1 - quotient(pl.min_horizontal(prices), pl.max_horizontal(prices))
    days_apart = (pl.col("seen_on") - pl.col("other_seen_on")).dt.total_days().abs()
    other = said.rename({name: f"other_{name}" for name in ("source", "usd_per_gpu_hour", "seen_on")})
    return (
        said.join(other, on=MACHINE, how="inner", nulls_equal=True)
        .filter(pl.col("source") < pl.col("other_source"))
        .with_columns(difference_share=share)
        .filter((pl.col("difference_share") > LEAST_DIFFERENCE_SHARE) & (days_apart <= MOST_DAYS_APART))
        .select(
            *MACHINE, "source", "other_source", "usd_per_gpu_hour", "other_usd_per_gpu_hour", "difference_share", "seen_on", "other_seen_on"
        )
        .sort(*MACHINE, "source", "other_source")
    )
