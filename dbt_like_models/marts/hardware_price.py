"""Hardware prices by day."""

import polars as pl


def hardware_price(hardware_quote: pl.LazyFrame) -> pl.LazyFrame:
    """One row per hardware, kind and day; base is the lower middle of the day's quotes, so that it is one that was made."""
    usable = hardware_quote.filter(pl.col("hardware").is_not_null() & (pl.col("confidence") != "low")).sort(
        "hardware", "hardware_kind", "price_on", "base_usd", "source", "quote_number"
    )
    middle = (pl.len() - 1) // 2
    return (
        usable.group_by("hardware", "hardware_kind", "price_on", maintain_order=True)
        .agg(
            pl.col("gpu", "gpu_count").first(),
            pl.col("low_usd").min(),
            pl.col("base_usd").get(middle),
            pl.col("high_usd").max(),
            pl.len().cast(pl.Int64).alias("quote_count"),
            pl.col("is_band_assumed", "is_estimated").any(),
            pl.col("vendor", "known_from", "source", "source_detail", "source_url", "licence").get(middle),
        )
        .select(
            "hardware",
            "hardware_kind",
            "gpu",
            "gpu_count",
            "price_on",
            pl.col("low_usd", "base_usd", "high_usd").cast(pl.Float64),
            "quote_count",
            "is_band_assumed",
            "is_estimated",
            "vendor",
            "known_from",
            "source",
            "source_detail",
            "source_url",
            "licence",
        )
    )
