"""What a price observation is judged against: the sellers of its device, its seller's own past, and the on-demand price of its machine.

Belongs here: finding the figures to compare with. Does not belong here: the verdict and its thresholds (rules of
`staging.price_observation`), the band of a device (`reference_gpu_price_band`). Frames in, frames out.
"""

from __future__ import annotations

import polars as pl

MEDIAN_WINDOW_DAYS = 30
COMPARED_SERIES = ["provider", "seller", "region", "zone", "sku", "payment_option", "commitment_months", "operating_system", "tenancy"]
_KIND = ["gpu", "purchase_option"]
# Hosts with one device and many processors cost many times what a small host of that device does: the seller's own price of the type is
# the nearest measure of it.
_OWN = [*_KIND, "provider", "seller", "instance_type"]
_SEEN = ["first_seen_at", "last_confirmed_at"]
_MACHINE = ["provider", "seller", "region", "instance_type", "operating_system", "tenancy", "price_unit", "currency"]


def with_median_ratios(priced: pl.LazyFrame, reference_observations: pl.LazyFrame) -> pl.LazyFrame:
    """Add what a price is to the prices of the 30 days before: of all sellers of its device, and of its own seller's machines of its type.

    `price_to_median_ratio` and `median_seller_count`: over the median of the sellers, each with one vote, the median of its own series,
    so that one with sixty regions does not outvote the others. `price_to_own_ratio` and `own_series_count`: over the median of the
    seller's own series of the machine type. Both by device and purchase option, each series with its latest price; NULL where nothing of
    the kind was seen before. `reference_observations`: observations that are compared with only; the last of each series is enough.
    """
    usable = (
        _with_reference(priced, reference_observations, [*_OWN, *COMPARED_SERIES, "usd_per_gpu_hour", "first_seen_at", "last_confirmed_at"])
        .filter((pl.col("usd_per_gpu_hour") > 0) & pl.col("gpu").is_not_null())
        .select(
            *_OWN,
            *(name for name in COMPARED_SERIES if name not in _OWN),
            usd=pl.col("usd_per_gpu_hour").cast(pl.Float64),
            first=pl.col("first_seen_at").dt.date(),
            first_seen_at="first_seen_at",
            last=pl.col("last_confirmed_at").dt.date(),
        )
        .sort("first_seen_at", "usd", "last")
    )
    # A series' latest price speaks on the days after it was first seen, until the next is seen or it was confirmed 30 days ago.
    following = pl.col("first").shift(-1).over([*_KIND, *COMPARED_SERIES], order_by=["first_seen_at", "usd", "last"])
    until = pl.min_horizontal(following, pl.col("last").dt.offset_by(f"{MEDIAN_WINDOW_DAYS}d"))
    panel = usable.select(
        *_OWN, "usd", on_date=pl.date_ranges(pl.col("first").dt.offset_by("1d"), until.fill_null(pl.col("first")))
    ).explode("on_date", empty_as_null=False)
    with_day = priced.with_columns(on_date=pl.col("first_seen_at").dt.date())
    on_days = panel.join(with_day.select(*_KIND, "on_date").unique(), on=[*_KIND, "on_date"], how="semi")
    own = _medians(on_days, [*_OWN, "on_date"])
    votes = _medians(on_days, [*_KIND, "seller", "on_date"]).rename({"median": "usd"})
    market = _medians(votes, [*_KIND, "on_date"])
    usd = pl.col("usd_per_gpu_hour").cast(pl.Float64)
    return (
        with_day.join(market.rename({"count": "median_seller_count"}), on=[*_KIND, "on_date"], how="left")
        .with_columns(price_to_median_ratio=usd / pl.col("median"))
        .drop("median")
        .join(own.rename({"count": "own_series_count"}), on=[*_OWN, "on_date"], how="left", nulls_equal=True)
        .with_columns(price_to_own_ratio=usd / pl.col("median"))
        .drop("median", "on_date")
    )


def _medians(prices: pl.LazyFrame, by: list[str]) -> pl.LazyFrame:
    return prices.group_by(by).agg(pl.col("usd").median().alias("median"), pl.len().cast(pl.Int64).alias("count"))


def _with_reference(priced: pl.LazyFrame, reference_observations: pl.LazyFrame, columns: list[str]) -> pl.LazyFrame:
    names = list(dict.fromkeys(columns))
    return pl.concat([reference_observations.select(names), priced.select(names)])


def with_on_demand_price(priced: pl.LazyFrame, reference_observations: pl.LazyFrame) -> pl.LazyFrame:
    """Add on_demand_native_amount to spot and commitments: the latest on-demand price of the same machine in the same region by then.

    In the same currency and unit. NULL where none was known within that source's own staleness limit, and for all other options.
    """
    columns = [*_MACHINE, "purchase_option", "native_amount", "precedence", "staleness_limit_days", *_SEEN]
    on_demand = (
        _with_reference(priced, reference_observations, columns)
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


def with_amount_count(priced: pl.LazyFrame) -> pl.LazyFrame:
    """Add amount_count: how many different amounts the source of a row states for its series at its instant. Unusable amounts
    do not count: what is wrong by itself speaks against no other.
    """
    statement = ["source", *COMPARED_SERIES, "purchase_option", "trust_tier", "currency", "first_seen_at"]
    amount = pl.when(pl.col("native_amount") > 0).then("native_amount")
    return priced.with_columns(amount_count=amount.drop_nulls().n_unique().over(statement).cast(pl.Int64))
