"""Observations of all price sources, with device, place and US dollars.

Belongs here: what every source's rows need alike. Does not belong here: what a price is compared with (`pipelines.prices.benchmarks`),
how long it holds (`pipelines.history`).
"""

from datetime import date, datetime, time, timedelta

import polars as pl

from pipelines.prices.benchmarks import with_median_ratio, with_on_demand_price
from pipelines.prices.gpu_resolver import resolve

FX_LIMIT = timedelta(days=7)


def observe(
    all_observation: pl.LazyFrame,
    reference_gpu: pl.LazyFrame,
    reference_gpu_alias_rule: pl.LazyFrame,
    reference_instance_gpu: pl.LazyFrame,
    reference_region_country: pl.LazyFrame,
    currency_rate: pl.LazyFrame,
    as_of: date,
    earlier: pl.LazyFrame,
) -> pl.LazyFrame:
    """One row of `staging.price_observation` per observation known on `as_of`; confirmations of later days are cut to its end.

    `earlier`: rows of the same form that are known already and are only compared with, where `all_observation` holds what is new.
    """
    end_of_day = datetime.combine(as_of + timedelta(days=1), time())
    known = all_observation.filter(pl.col("known_from") < end_of_day).with_columns(
        last_confirmed_at=pl.min_horizontal("last_confirmed_at", pl.lit(end_of_day - timedelta(microseconds=1)))
    )
    placed = known.join(reference_region_country.select("provider", "region", "country"), on=["provider", "region"], how="left")
    priced = in_usd(with_device(placed, reference_gpu, reference_gpu_alias_rule, reference_instance_gpu), currency_rate).cache()
    return with_on_demand_price(with_median_ratio(priced, earlier), earlier).select(
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
        "purchase_option",
        "purchase_option_as_named",
        "payment_option",
        "commitment_months",
        "operating_system",
        "tenancy",
        "trust_tier",
        "currency",
        "native_amount",
        "price_unit",
        "usd_per_hour",
        "usd_per_gpu_hour",
        "price_to_median_ratio",
        "median_series_count",
        "on_demand_native_amount",
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


def with_device(
    observed: pl.LazyFrame, reference_gpu: pl.LazyFrame, rules: pl.LazyFrame, reference_instance_gpu: pl.LazyFrame
) -> pl.LazyFrame:
    """Add gpu, form_factor, gpu_count, is_gpu_conflict: the table of machine types wins over what the source says of itself."""
    names = ["gpu_as_named", "gpu_memory_gib_stated"]
    by_name = resolve(observed.filter(pl.col("gpu_as_named").is_not_null()), rules, reference_gpu)
    by_type = reference_instance_gpu.select(
        "provider", "instance_type", pl.col("gpu").alias("__type_gpu"), pl.col("gpu_count").alias("__type_count")
    )
    return (
        observed.join(by_type, on=["provider", "instance_type"], how="left")
        .join(by_name, on=names, how="left", nulls_equal=True)
        .with_columns(
            is_gpu_conflict=(pl.col("is_gpu_conflict") & pl.col("__type_gpu").is_null()).fill_null(False),
            gpu=pl.coalesce("__type_gpu", "gpu"),
            # A stated 0 stands for unknown, or for less than a whole device.
            gpu_count=pl.coalesce("__type_count", pl.col("gpu_count_stated").replace(0, None)),
        )
        .drop("__type_gpu", "__type_count")
        .join(reference_gpu.select("gpu", "form_factor"), on="gpu", how="left")
    )


def in_usd(observed: pl.LazyFrame, currency_rate: pl.LazyFrame) -> pl.LazyFrame:
    """Add usd_per_hour and usd_per_gpu_hour, exact to 8 decimals; NULL without a rate within 7 days or without a count of devices.

    What does not fit the type of money becomes NULL: a rule finds it, and one bad row does not stop the others.
    """
    money = pl.Decimal(18, 8)
    rates = currency_rate.select("currency", "on_date", pl.col("usd_per_unit").cast(pl.Decimal(18, 8))).sort("on_date")
    amount = pl.col("native_amount").cast(money, strict=False)
    rate = pl.when(pl.col("currency") == "USD").then(pl.lit(1).cast(money)).otherwise("usd_per_unit")
    count = pl.col("gpu_count").cast(money, strict=False)
    divisor = pl.when(count > 0).then(count)
    per_unit = pl.col("__usd")
    is_machine = pl.col("price_unit") == "instance_hour"
    return (
        observed.with_columns(native_amount=amount, __on=pl.col("first_seen_at").cast(pl.Date))
        .sort("__on")
        .join_asof(
            rates,
            left_on="__on",
            right_on="on_date",
            by="currency",
            strategy="backward",
            tolerance=FX_LIMIT,
            check_sortedness=False,
        )
        .with_columns(__usd=(pl.col("native_amount") * rate).cast(money, strict=False))
        .with_columns(
            usd_per_hour=pl.when(is_machine).then(per_unit).otherwise((per_unit * count).cast(money, strict=False)),
            usd_per_gpu_hour=pl.when(is_machine).then((per_unit / divisor).cast(money, strict=False)).otherwise(per_unit),
        )
    )
