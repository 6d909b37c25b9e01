"""Where two sources name different prices for one thing on the same terms.

Sources name things more or less closely: a price list per GPU says no machine, a page no region, a catalogue that others collect no form
of the device. What one says is held against all that it includes of another: a price per GPU without a place against that device's
machines in every region, a machine in a region against that machine there. Only where it lies outside all of these do the two disagree.
"""

from datetime import date

import polars as pl

from pipelines.economics.guards import quotient
from pipelines.history.series import series_key
from pipelines.history.views import HistoryViews
from pipelines.prices.normalization import plain_name

# Sources round and convert; beyond this share they speak of different prices.
LEAST_DIFFERENCE_SHARE = 0.03
# Two sources disagree only about one time: prices move between readings that lie further apart.
MOST_DAYS_APART = 7
TERMS = [
    "provider",
    "seller",
    "purchase_option",
    "payment_option",
    "commitment_months",
    "operating_system",
    "tenancy",
    "trust_tier",
]
# A device whatever its form, and what is said of a thing beside its terms.
_MODEL = ["__family", "__memory"]
_THING = ["region", "__machine", "gpu_count", "gpu"]
_SAID = ["source", *_THING, "__least", "__greatest", "seen_on"]


def price_disagreement(history: HistoryViews, reference_gpu: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """One row per thing, terms and pair of sources whose last prices differ by more than 3%; `source` says it less closely, if one does."""
    said = _said(history, reference_gpu, as_of)
    other = said.select(*TERMS, *_MODEL, *(pl.col(name).alias(f"other_{name}") for name in _SAID))
    of_one_model, nowhere = [*TERMS, *_MODEL], pl.col("region") == "all"
    pairs = pl.concat(
        [
            said.filter(nowhere).join(other, on=of_one_model, nulls_equal=True),
            said.filter(~nowhere).join(other.with_columns(region="other_region"), on=[*of_one_model, "region"], nulls_equal=True),
        ],
        how="diagonal",
    )
    days_apart = (pl.col("seen_on") - pl.col("other_seen_on")).dt.total_days().abs()
    is_same_machine = (pl.col("__machine") == pl.col("other___machine")).fill_null(False)
    is_same_count = pl.col("gpu_count").eq_missing(pl.col("other_gpu_count")) | is_same_machine
    is_same_gpu = (pl.col("gpu") == pl.col("other_gpu")) | is_same_machine
    includes = (
        (is_same_machine | pl.col("__machine").is_null())
        & (is_same_count | pl.col("gpu_count").is_null())
        & (is_same_gpu | pl.col("__is_any_form"))
    )
    is_as_close = (
        (pl.col("region") == pl.col("other_region"))
        & pl.col("__machine").eq_missing(pl.col("other___machine"))
        & is_same_count
        & is_same_gpu
    )
    compared = (
        pairs.filter((pl.col("source") != pl.col("other_source")) & includes & (days_apart <= MOST_DAYS_APART))
        .group_by(*TERMS, *_SAID, "instance_type", "other_source")
        .agg(
            pl.col("other___least").min(),
            pl.col("other___greatest").max(),
            pl.col("other_seen_on").max(),
            __is_mutual=is_as_close.any(),
        )
        # What two sources say equally closely is said once.
        .filter((pl.col("source") < pl.col("other_source")) | ~pl.col("__is_mutual"))
    )
    is_above, is_below = pl.col("__least") > pl.col("other___greatest"), pl.col("__greatest") < pl.col("other___least")
    prices = ("usd_per_gpu_hour", "other_usd_per_gpu_hour")
    return (
        compared.filter(is_above | is_below)
        .with_columns(
            usd_per_gpu_hour=pl.when(is_above).then("__least").otherwise("__greatest"),
            other_usd_per_gpu_hour=pl.when(is_above).then("other___greatest").otherwise("other___least"),
        )
        .with_columns(difference_share=1 - quotient(pl.min_horizontal(prices), pl.max_horizontal(prices)))
        .filter(pl.col("difference_share") > LEAST_DIFFERENCE_SHARE)
        .select(
            "provider",
            "seller",
            "region",
            "instance_type",
            "gpu",
            "gpu_count",
            *TERMS[2:],
            "source",
            "other_source",
            *prices,
            "difference_share",
            "seen_on",
            "other_seen_on",
        )
        .sort("provider", "seller", "region", "instance_type", "gpu", "gpu_count", *TERMS[2:], "source", "other_source")
    )


def _said(history: HistoryViews, reference_gpu: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """What each source says last of a thing on some terms: the least and the greatest of its products, of each the median of its zones."""
    key = list(series_key())
    machine = plain_name(pl.col("instance_type"))
    models = reference_gpu.select(
        "gpu", __family="family", __memory="gpu_memory_gb", __is_any_form=(pl.col("form_factor") == "unknown").fill_null(False)
    )
    thing = [*TERMS, *_MODEL, "__is_any_form", *_THING, "source"]
    return (
        history.reference_observations()
        .lazy()
        .filter(
            (pl.col("usd_per_gpu_hour") > 0)
            & (pl.col("last_confirmed_at").dt.date() <= as_of)
            # Of several zones each has its own spot price.
            & (pl.col("purchase_option") != "spot")
        )
        .join(history.series().select(*key, "gpu_count"), on=key, how="left", nulls_equal=True)
        .join(models, on="gpu")
        .with_columns(__machine=machine)
        .group_by(*thing, "sku")
        .agg(
            pl.col("usd_per_gpu_hour").cast(pl.Float64).median(),
            pl.col("instance_type").min(),
            seen_on=pl.col("last_confirmed_at").max().dt.date(),
        )
        .group_by(thing)
        .agg(
            pl.col("instance_type").min(),
            pl.col("seen_on").max(),
            __least=pl.col("usd_per_gpu_hour").min(),
            __greatest=pl.col("usd_per_gpu_hour").max(),
        )
    )
