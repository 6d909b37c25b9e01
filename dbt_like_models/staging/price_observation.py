"""Observations of all price sources, with device, place and US dollars, and what each is compared with."""

from datetime import date

import polars as pl

from pipelines.prices.observations import compared_observations, priced_observations


def price_observation(
    all_observation: pl.LazyFrame,
    reference_gpu: pl.LazyFrame,
    reference_gpu_alias_rule: pl.LazyFrame,
    reference_gpu_price_band: pl.LazyFrame,
    reference_price_correction: pl.LazyFrame,
    reference_instance_gpu: pl.LazyFrame,
    reference_region_country: pl.LazyFrame,
    currency_rate: pl.LazyFrame,
    as_of: date,
    reference_observations: pl.LazyFrame,
) -> pl.LazyFrame:
    """One row of `staging.price_observation` per observation known on `as_of`; confirmations of later days are cut to its end.

    `reference_observations`: rows of the same form that are known already and only compared with.
    """
    priced = priced_observations(
        all_observation,
        reference_gpu,
        reference_gpu_alias_rule,
        reference_price_correction,
        reference_instance_gpu,
        reference_region_country,
        currency_rate,
        as_of,
    )
    return compared_observations(priced.cache(), reference_gpu_price_band, reference_observations)
