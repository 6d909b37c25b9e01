"""Observations in two steps: what a row is by itself, and what its price is compared with.

Belongs here: the order of the steps and the columns that come of them. Does not belong here: the steps (`normalization`, `corrections`,
`benchmarks`), the verdict (rules of `staging.price_observation`). The first step needs no other row, so that it may be taken anywhere.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import polars as pl

from pipelines.prices.benchmarks import with_amount_count, with_median_ratios, with_on_demand_price
from pipelines.prices.corrections import with_corrections
from pipelines.prices.normalization import in_usd, with_country, with_device


def priced_observations(
    all_observation: pl.LazyFrame,
    reference_gpu: pl.LazyFrame,
    reference_gpu_alias_rule: pl.LazyFrame,
    reference_price_correction: pl.LazyFrame,
    reference_instance_gpu: pl.LazyFrame,
    reference_region_country: pl.LazyFrame,
    currency_rate: pl.LazyFrame,
    as_of: date,
) -> pl.LazyFrame:
    """Observations known on `as_of`, with device, place and US dollars; confirmations of later days are cut to its end."""
    end_of_day = datetime.combine(as_of + timedelta(days=1), time())
    known = all_observation.filter(pl.col("known_from") < end_of_day).with_columns(
        last_confirmed_at=pl.min_horizontal("last_confirmed_at", pl.lit(end_of_day - timedelta(microseconds=1)))
    )
    placed = with_country(with_corrections(known, reference_price_correction), reference_region_country)
    return in_usd(with_device(placed, reference_gpu, reference_gpu_alias_rule, reference_instance_gpu), currency_rate)


def compared_observations(
    priced: pl.LazyFrame, reference_gpu_price_band: pl.LazyFrame, reference_observations: pl.LazyFrame
) -> pl.LazyFrame:
    """Rows of `staging.price_observation`: priced ones with what each is compared with.

    `reference_observations`: rows of the same form that are known already and only compared with.
    """
    band = reference_gpu_price_band.select("gpu", pl.col("least_usd_per_gpu_hour", "greatest_usd_per_gpu_hour").cast(pl.Decimal(18, 8)))
    compared = with_amount_count(with_on_demand_price(with_median_ratios(priced, reference_observations), reference_observations))
    return compared.join(band, on="gpu", how="left").select(
        "source",
        "provider",
        "seller",
        "region",
        "zone",
        "country",
        "sku",
        "instance_type",
        "gpu_as_named",
        "gpu",
        "form_factor",
        "gpu_count",
        "is_gpu_conflict",
        "is_correction_obsolete",
        "purchase_option",
        "purchase_option_as_named",
        "payment_option",
        "commitment_months",
        "commitment_days",
        "operating_system",
        "tenancy",
        "trust_tier",
        "currency",
        "native_amount",
        "price_unit",
        "usd_per_hour",
        "usd_per_gpu_hour",
        "price_to_median_ratio",
        "median_seller_count",
        "price_to_own_ratio",
        "own_series_count",
        "least_usd_per_gpu_hour",
        "greatest_usd_per_gpu_hour",
        "on_demand_native_amount",
        "amount_count",
        "first_seen_at",
        "last_confirmed_at",
        "known_from",
        "semantics",
        "precedence",
        "staleness_limit_days",
        "source_detail",
        "source_url",
        "licence",
        "snapshot_sha256",
    )
