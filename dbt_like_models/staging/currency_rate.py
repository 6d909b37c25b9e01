"""Reference rates by the best source."""

from datetime import date

import polars as pl

FIRST_DAY = date(2020, 1, 1)


def currency_rate(all_fx: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """One row per currency and day up to `as_of`: units for one euro, and US dollars for one unit."""
    money = pl.Decimal(18, 8)
    printed = (
        all_fx.filter(pl.col("on_date").is_between(FIRST_DAY, as_of) & (pl.col("known_from").dt.date() <= as_of))
        .sort("precedence", "source", "snapshot_sha256")
        .unique(["currency", "on_date"], keep="first", maintain_order=True)
        .with_columns(pl.col("units_per_eur").cast(money, strict=False))
    )
    euro = printed.filter(pl.col("currency") == "USD").with_columns(currency=pl.lit("EUR"), units_per_eur=pl.lit(1).cast(money))
    dollar = printed.filter(pl.col("currency") == "USD").select("on_date", __usd_per_eur="units_per_eur")
    return (
        pl.concat([printed, euro])
        .join(dollar, on="on_date")
        .with_columns(usd_per_unit=(pl.col("__usd_per_eur") / pl.col("units_per_eur")).cast(money))
        .select(
            "currency",
            "on_date",
            "units_per_eur",
            "usd_per_unit",
            "known_from",
            "source",
            "source_detail",
            "source_url",
            "licence",
            "snapshot_sha256",
        )
    )
