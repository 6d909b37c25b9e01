"""Observations that are new to the history, with device, place and US dollars; the work is in `pipelines.prices.normalization`."""

from datetime import date

import polars as pl

from pipelines.prices.normalization import normalize_observations


def price_observation(
    all_observation: pl.LazyFrame,
    reference_gpu: pl.LazyFrame,
    reference_gpu_alias_rule: pl.LazyFrame,
    reference_gpu_price_band: pl.LazyFrame,
    reference_instance_gpu: pl.LazyFrame,
    reference_region_country: pl.LazyFrame,
    currency_rate: pl.LazyFrame,
    as_of: date,
    reference_observations: pl.LazyFrame,
) -> pl.LazyFrame:
    """One row per observation known on `as_of`; later confirmations are cut to its end. `reference_observations` are only compared with."""
    return normalize_observations(
        all_observation,
        reference_gpu,
        reference_gpu_alias_rule,
        reference_gpu_price_band,
        reference_instance_gpu,
        reference_region_country,
        currency_rate,
        as_of,
        reference_observations,
    )
