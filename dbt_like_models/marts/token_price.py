"""API prices for analysts."""

import polars as pl


def token_price(token_price_observation: pl.LazyFrame) -> pl.LazyFrame:
    """One row per seller, model and start of a price."""
    return token_price_observation.select(
        "provider",
        "model_as_named",
        "model",
        "valid_from_on",
        "valid_to_on",
        "is_deprecated",
        pl.col("usd_per_million_input_tokens", "usd_per_million_output_tokens", "usd_per_million_cached_input_tokens").cast(pl.Float64),
        "has_tiers",
        "known_from",
        "last_confirmed_at",
        "source",
        "source_detail",
        "source_url",
        "licence",
    )
