"""API prices from the day on which each holds."""

from datetime import date, datetime, time, timedelta

import polars as pl

PRICES = [
    "usd_per_million_input_tokens",
    "usd_per_million_output_tokens",
    "usd_per_million_cached_input_tokens",
    "usd_per_million_batch_input_tokens",
    "usd_per_million_batch_output_tokens",
]
LEAST_SELLERS = 3
# Remarks that take a price back: it is another seller's, not this one's.
IMPORTED = "(?i)imported from"
TAKEN_BACK = "the source says that the price was taken over from another seller's list"
# The same seller behind a hub's name counts once.
HUB = "^huggingface_"


def token_price_observation(all_token_price: pl.LazyFrame, reference_token_model: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """One row per seller, model and start of a price, as known on `as_of`.

    The next start ends a price, and so does the day on which the seller ended the offer, where the table of models knows it.
    A price whose start the source does not say has none here either: it holds at least from known_from
    on, unless a later start has ended it. Of several entries that start together the last is in force.
    """
    end_of_day = datetime.combine(as_of + timedelta(days=1), time())
    key = ["source", "provider", "model_as_named"]
    started = (
        all_token_price.filter(pl.col("known_from") < end_of_day)
        .with_columns(
            valid_from_on=pl.col("starts_on"),
            **{name: pl.col(name).cast(pl.Decimal(18, 8), strict=False).replace(0, None) for name in PRICES},
        )
        .filter(pl.col(PRICES[0]).is_not_null() | pl.col(PRICES[1]).is_not_null())
        .sort(*key, "valid_from_on", "entry_number", nulls_last=False)
        .unique([*key, "valid_from_on"], keep="last", maintain_order=True)
        .with_columns(valid_to_on=pl.col("valid_from_on").shift(-1).over(key))
        .join(
            reference_token_model.select("provider", "model_as_named", "model", "ended_on"), on=["provider", "model_as_named"], how="left"
        )
        .with_columns(valid_to_on=pl.min_horizontal("valid_to_on", "ended_on"))
        .with_columns(
            no_model_reason=pl.when(pl.col("model").is_not_null() & pl.col("price_remark").str.contains(IMPORTED)).then(pl.lit(TAKEN_BACK))
        )
        .with_columns(model=pl.when(pl.col("no_model_reason").is_null()).then("model"))
    )
    output = pl.col("usd_per_million_output_tokens").cast(pl.Float64)
    given = pl.col("usd_per_million_input_tokens").cast(pl.Float64)
    in_force = (pl.col("valid_to_on").is_null() | (pl.col("valid_to_on") > as_of)) & pl.col("model").is_not_null()
    sellers = (
        started.filter(in_force)
        .with_columns(__seller=pl.col("provider").str.replace(HUB, ""))
        .group_by("model", "source", "__seller")
        .agg(output.median().alias("__output"), given.median().alias("__input"))
        .group_by("model")
        .agg(pl.col("__output", "__input").median(), pl.len().alias("__sellers"))
        .filter(pl.col("__sellers") >= LEAST_SELLERS)
    )
    return (
        started.join(sellers, on="model", how="left")
        .with_columns(price_to_sellers_ratio=output / pl.col("__output"), input_price_to_sellers_ratio=given / pl.col("__input"))
        .select(
            *key,
            "model",
            "no_model_reason",
            "valid_from_on",
            "valid_to_on",
            "is_deprecated",
            *PRICES,
            "has_tiers",
            "price_remark",
            "price_to_sellers_ratio",
            "input_price_to_sellers_ratio",
            "known_from",
            "last_confirmed_at",
            "staleness_limit_days",
            "source_detail",
            "source_url",
            "licence",
            "snapshot_sha256",
        )
    )
