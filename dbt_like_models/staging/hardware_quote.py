"""Hardware quotes of all sources, each for the whole of what was quoted."""

from datetime import date

import polars as pl

MONEY = pl.Decimal(18, 8)


def hardware_quote(
    epoch_hardware: pl.LazyFrame,
    reference_hardware_quote_basis: pl.LazyFrame,
    reference_server_quote: pl.LazyFrame,
    as_of: date,
) -> pl.LazyFrame:
    """One row per quote known on `as_of`. A price per accelerator is multiplied by the accelerators of the quote."""
    basis = reference_hardware_quote_basis.select("quote_number", "gpu", "hardware_kind", "gpu_count", "is_estimated", "confidence", "note")
    whole = (pl.col("usd_per_gpu_in_quote").cast(MONEY) * pl.col("gpu_count").cast(MONEY)).cast(MONEY)
    epoch = epoch_hardware.join(basis, on="quote_number").select(
        pl.lit("epoch_hardware").alias("source"),
        "quote_number",
        "hardware_as_named",
        hardware_id().alias("hardware"),
        "hardware_kind",
        "gpu",
        "gpu_count",
        "price_on",
        whole.alias("low_usd"),
        whole.alias("base_usd"),
        whole.alias("high_usd"),
        pl.lit(False).alias("is_band_assumed"),
        "is_estimated",
        "confidence",
        "vendor",
        pl.col("price_on").cast(pl.Datetime("us")).alias("known_from"),
        "source_detail",
        "source_url",
        "licence",
        "note",
        "snapshot_sha256",
    )
    curated = reference_server_quote.with_row_index("quote_number", offset=1).select(
        pl.lit("reference_server_quote").alias("source"),
        pl.col("quote_number").cast(pl.Int64),
        pl.col("hardware").alias("hardware_as_named"),
        "hardware",
        pl.lit("server").alias("hardware_kind"),
        "gpu",
        "gpu_count",
        "price_on",
        pl.col("low_usd", "base_usd", "high_usd").cast(MONEY),
        "is_band_assumed",
        pl.lit(False).alias("is_estimated"),
        pl.lit("high").alias("confidence"),
        "vendor",
        pl.col("price_on").cast(pl.Datetime("us")).alias("known_from"),
        "source_detail",
        "source_url",
        "licence",
        pl.lit(None, dtype=pl.String).alias("note"),
        "snapshot_sha256",
    )
    return pl.concat([epoch, curated]).filter(pl.col("price_on") <= as_of)


def hardware_id() -> pl.Expr:
    """The accelerator for a card, with its number for a board or a server; NULL where device or kind is not clear."""
    several = pl.concat_str(pl.col("gpu_count").cast(pl.Int64).cast(pl.String), pl.lit("x-"), "gpu")
    return pl.when(pl.col("hardware_kind") == "card").then("gpu").when(pl.col("hardware_kind").is_not_null()).then(several)
