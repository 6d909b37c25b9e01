"""API prices for analysts."""

import polars as pl


def token_price(token_price_observation: pl.LazyFrame) -> pl.LazyFrame:
    """One row per seller, model and start of a price."""
    return token_price_observation.select(
        "provider",
        "model_as_named",
        "model",
        "no_model_reason",
        "valid_from_on",
        "valid_to_on",
        "is_deprecated",
        pl.col(
            "usd_per_million_input_tokens",
            "usd_per_million_output_tokens",
            "usd_per_million_cached_input_tokens",
            "usd_per_million_batch_input_tokens",
            "usd_per_million_batch_output_tokens",
        ).cast(pl.Float64),
        "has_tiers",
        "price_remark",
        "known_from",
        "last_confirmed_at",
        "source",
        "source_detail",
        "source_url",
        "licence",
    )
