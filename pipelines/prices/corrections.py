"""Corrections: a known mistake of a source, mended by a dated row of `reference/price_correction.csv` that says what it expects.

Belongs here: applying such rows to observations before anything is computed from them or judged. Does not belong here: the corrections
themselves, rules (`pipelines.quality`). A correction never overwrites what it does not expect: once the source has mended its mistake,
or states another one, the row stays as the source says it, and `is_correction_obsolete` asks for the correction to be ended.

| in the file | the source states | becomes |
|---|---|---|
| region, expect `eu-wset-1`, corrected `eu-west-1` | `eu-wset-1` | `eu-west-1`, and `source_detail` says so |
| the same | `eu-west-1` | unchanged, obsolete |
"""

from __future__ import annotations

import polars as pl

# What a source may be wrong about. An amount is corrected as the text that the source states.
CORRECTABLE = ("region", "country_stated", "instance_type", "gpu_as_named", "purchase_option", "currency", "native_amount", "price_unit")
_KEY = ["source", "provider", "sku"]


def with_corrections(observed: pl.LazyFrame, reference_price_correction: pl.LazyFrame) -> pl.LazyFrame:
    """Observations with their corrections, and `is_correction_obsolete`: a correction is for this row, and it states another value."""
    by_offer = reference_price_correction.group_by(_KEY).agg(
        value.first().alias(f"__{name}_{column}")
        for column in CORRECTABLE
        for name, value in {
            "expect": pl.col("expect").filter(pl.col("corrected_column") == column),
            "corrected": pl.col("corrected").filter(pl.col("corrected_column") == column),
            "from": pl.col("holds_from_on").filter(pl.col("corrected_column") == column),
            "until": pl.col("holds_until_on").filter(pl.col("corrected_column") == column),
        }.items()
    )
    seen_on = pl.col("first_seen_at").dt.date()
    applies, obsolete, said = {}, [], []
    for column in CORRECTABLE:
        is_of_its_time = (seen_on >= pl.col(f"__from_{column}")) & (seen_on < pl.col(f"__until_{column}")).fill_null(True)
        is_expected = pl.col(column).cast(pl.String).eq_missing(pl.col(f"__expect_{column}"))
        applies[column] = (is_of_its_time & is_expected).fill_null(False)
        obsolete.append((is_of_its_time & ~is_expected).fill_null(False))
        was = pl.concat_str(pl.lit(f"; corrected: {column} was "), pl.col(f"__expect_{column}").fill_null("unknown"))
        said.append(pl.when(applies[column]).then(was))
    return (
        observed.join(by_offer, on=_KEY, how="left")
        .with_columns(
            *(pl.when(applies[column]).then(f"__corrected_{column}").otherwise(column).alias(column) for column in CORRECTABLE),
            pl.concat_str("source_detail", *said, ignore_nulls=True).alias("source_detail"),
            pl.any_horizontal(obsolete).alias("is_correction_obsolete"),
        )
        .drop([f"__{name}_{column}" for name in ("expect", "corrected", "from", "until") for column in CORRECTABLE])
    )
