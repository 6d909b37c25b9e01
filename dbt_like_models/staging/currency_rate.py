"""Reference rates by the best source."""

import polars as pl


def currency_rate(currency_rate_reading: pl.LazyFrame) -> pl.LazyFrame:
    """One row per currency and day: units for one euro, and US dollars for one unit.

    The best source speaks; of what it stated at several times, the last that its rules let through.
    """
    money = pl.Decimal(18, 8)
    best = currency_rate_reading.sort("precedence", "source", pl.col("last_stated_at"), descending=[False, False, True]).unique(
        ["currency", "on_date"], keep="first", maintain_order=True
    )
    euro = best.filter(pl.col("currency") == "USD").with_columns(currency=pl.lit("EUR"), units_per_eur=pl.lit(1).cast(money))
    dollar = best.filter(pl.col("currency") == "USD").select("on_date", __usd_per_eur="units_per_eur")
    positive = pl.when(pl.col("units_per_eur") > 0).then("units_per_eur")
    return (
        pl.concat([best, euro])
        .join(dollar, on="on_date")
        .with_columns(usd_per_unit=(pl.col("__usd_per_eur") / positive).cast(money, strict=False))
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
