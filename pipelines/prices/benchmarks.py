"""What a price observation is judged against: the median of its kind, and the on-demand price of the same machine.

Belongs here: finding the figure to compare with. Does not belong here: the verdict (rules of `staging.price_observation`). Frames in,
frames out.
"""

from __future__ import annotations

import polars as pl

MEDIAN_WINDOW_DAYS = 30
# From this many series on, a median convicts; below, it only warns.
LEAST_SERIES = 5
SERIES = ["provider", "seller", "region", "zone", "sku", "payment_option", "commitment_months", "operating_system", "tenancy"]
_KIND = ["gpu", "purchase_option"]
# Hosts with one device and many processors cost many times what a small host of that device does: their own type speaks first.
_TYPE = [*_KIND, "provider", "instance_type"]
_SEEN = ["first_seen_at", "last_confirmed_at"]
_FIGURES = ["usd_per_gpu_hour", "native_amount", "precedence", "staleness_limit_days"]
_MACHINE = ["provider", "seller", "region", "instance_type", "operating_system", "tenancy", "price_unit", "currency"]

# What of an observation later ones are compared with.
COMPARED = list(dict.fromkeys([*_TYPE, *SERIES, *_MACHINE, *_SEEN, *_FIGURES]))


def with_median_ratio(priced: pl.LazyFrame, earlier: pl.LazyFrame) -> pl.LazyFrame:
    """Add price_to_median_ratio and median_series_count: against the median over the series of its kind in the 30 days before.

    Its kind is its machine type at this provider where five series of it are known, else its device; both by purchase option. Each
    series counts once, with its latest price, so that a source with many readings does not outvote the others. NULL where nothing of
    the kind was seen before. `earlier`: observations that are compared with only; the last of each series is enough.
    """
    usable = (
        _with_earlier(priced, earlier, [*_TYPE, *SERIES, "usd_per_gpu_hour", "first_seen_at", "last_confirmed_at"])
        .filter((pl.col("usd_per_gpu_hour") > 0) & pl.col("gpu").is_not_null())
        .select(
            *_TYPE,
            *(name for name in SERIES if name not in _TYPE),
            usd=pl.col("usd_per_gpu_hour").cast(pl.Float64),
            first=pl.col("first_seen_at").dt.date(),
            first_seen_at="first_seen_at",
            last=pl.col("last_confirmed_at").dt.date(),
        )
        .sort("first_seen_at", "usd", "last")
    )
    # A series' latest price speaks on the days after it was first seen, until the next is seen or it was confirmed 30 days ago.
    following = pl.col("first").shift(-1).over([*_KIND, *SERIES], order_by=["first_seen_at", "usd", "last"])
    until = pl.min_horizontal(following, pl.col("last").dt.offset_by(f"{MEDIAN_WINDOW_DAYS}d"))
    panel = usable.select(
        *_TYPE, "usd", on_date=pl.date_ranges(pl.col("first").dt.offset_by("1d"), until.fill_null(pl.col("first")))
    ).explode("on_date", empty_as_null=False)
    with_day = priced.with_columns(on_date=pl.col("first_seen_at").dt.date())
    for name, kind in (("__of_type", _TYPE), ("__of_kind", _KIND)):
        judged = with_day.select(*kind, "on_date").unique()
        medians = (
            panel.join(judged, on=[*kind, "on_date"], how="semi")
            .group_by(*kind, "on_date")
            .agg(pl.col("usd").median().alias(f"{name}_median"), pl.len().cast(pl.Int64).alias(f"{name}_count"))
        )
        with_day = with_day.join(medians, on=[*kind, "on_date"], how="left")
    by_type = pl.col("__of_type_count") >= LEAST_SERIES
    median = pl.when(by_type).then("__of_type_median").otherwise("__of_kind_median")
    return with_day.with_columns(
        price_to_median_ratio=pl.col("usd_per_gpu_hour").cast(pl.Float64) / median,
        median_series_count=pl.when(by_type).then("__of_type_count").otherwise("__of_kind_count"),
    ).drop("on_date", "__of_type_median", "__of_type_count", "__of_kind_median", "__of_kind_count")


def _with_earlier(priced: pl.LazyFrame, earlier: pl.LazyFrame, columns: list[str]) -> pl.LazyFrame:
    names = list(dict.fromkeys(columns))
    return pl.concat([earlier.select(names), priced.select(names)])


def with_on_demand_price(priced: pl.LazyFrame, earlier: pl.LazyFrame) -> pl.LazyFrame:
    """Add on_demand_native_amount to spot and commitments: the latest on-demand price of the same machine in the same region by then.

    In the same currency and unit. NULL where none was known within that source's own staleness limit, and for all other options.
    """
    on_demand = (
        _with_earlier(priced, earlier, [*_MACHINE, "purchase_option", "native_amount", "precedence", "staleness_limit_days", *_SEEN])
        .filter((pl.col("purchase_option") == "on_demand") & pl.col("instance_type").is_not_null())
        .select(
            *_MACHINE,
            pl.col("first_seen_at").alias("__at"),
            pl.col("native_amount").alias("__amount"),
            (pl.col("last_confirmed_at") + pl.duration(days=pl.col("staleness_limit_days"))).alias("__until"),
            "precedence",
        )
        # The last of several at one instant is taken: that of the better source.
        .sort("__at", "precedence", "__amount", descending=[False, True, False])
    )
    compared = pl.col("purchase_option").is_in(["spot", "commitment"]) & (pl.col("first_seen_at") <= pl.col("__until"))
    return (
        priced.sort("first_seen_at")
        .join_asof(
            on_demand.drop("precedence"),
            left_on="first_seen_at",
            right_on="__at",
            by=_MACHINE,
            strategy="backward",
            coalesce=False,
            check_sortedness=False,
        )
        .with_columns(on_demand_native_amount=pl.when(compared).then("__amount"))
    )
