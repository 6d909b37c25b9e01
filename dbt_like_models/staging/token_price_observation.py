"""API prices from the day on which each holds."""

from datetime import date, datetime, time, timedelta

import polars as pl

from pipelines.prices.normalization import FX_LIMIT

PRICES = [
    "usd_per_million_input_tokens",
    "usd_per_million_output_tokens",
    "usd_per_million_cached_input_tokens",
    "usd_per_million_batch_input_tokens",
    "usd_per_million_batch_output_tokens",
]
LEAST_SELLERS = 3
# Remarks that take a price back: it is another seller's, not this one's.
IMPORTED = r"(?i)imported from|copied from|taken over from|verify against|seen on \w+ before"
# Remarks that say that the seller has ended the offer, where its own mark does not.
ENDED = r"(?i)no longer (listed|offered|available|sold)|\(shut ?down\)|stopped publishing|last known rates|for historical usage"
TAKEN_BACK = "the source says that the price was taken over from another seller's list"
# The same seller behind a hub's name counts once.
HUB = "^huggingface_"


def token_price_observation(
    all_token_price: pl.LazyFrame, reference_token_model: pl.LazyFrame, currency_rate: pl.LazyFrame, as_of: date
) -> pl.LazyFrame:
    """One row per seller, model and start of a price, as known on `as_of`.

    The next start ends a price, and so does the day on which the seller ended the offer, where the table of models knows it.
    A price whose start the source does not say has none here either: it holds at least from known_from
    on, unless a later start has ended it. Of several entries that start together the last is in force. Where a better source speaks of the
    same offer, the others hold up to the day from which it does.
    """
    end_of_day = datetime.combine(as_of + timedelta(days=1), time())
    key = ["source", "provider", "model_as_named"]
    started = (
        all_token_price.filter(pl.col("known_from") < end_of_day)
        .pipe(from_each_rate_on, currency_rate, as_of)
        .pipe(in_dollars, currency_rate)
        .with_columns(valid_from_on=pl.col("starts_on"))
        .with_columns(is_deprecated=pl.col("is_deprecated") | pl.col("price_remark").str.contains(ENDED).fill_null(False))
        .filter(pl.col(PRICES[0]).is_not_null() | pl.col(PRICES[1]).is_not_null())
        .sort(*key, "valid_from_on", "entry_number", nulls_last=False)
        .unique([*key, "valid_from_on"], keep="last", maintain_order=True)
        .with_columns(valid_to_on=pl.col("valid_from_on").shift(-1).over(key))
        .pipe(up_to_the_better_source)
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


def from_each_rate_on(priced: pl.LazyFrame, currency_rate: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Prices in other currencies start anew on each day with a rate, as long as they were confirmed: in dollars each is another price."""
    rates = currency_rate.filter((pl.col("currency") != "USD") & (pl.col("on_date") <= as_of)).select("currency", "on_date")
    later = (
        priced.filter(pl.col("starts_on").is_not_null())
        .join(rates, on="currency")
        .filter((pl.col("on_date") > pl.col("known_from").dt.date()) & (pl.col("on_date") <= pl.col("last_confirmed_at").dt.date()))
        .with_columns(starts_on="on_date", known_from=pl.col("on_date").cast(pl.Datetime("us")))
        .drop("on_date")
    )
    return pl.concat([priced, later])


def in_dollars(priced: pl.LazyFrame, currency_rate: pl.LazyFrame) -> pl.LazyFrame:
    """Prices in US dollars: as stated, or turned at the rate of the day from which each is known; zero is unknown."""
    rates = currency_rate.select("currency", "on_date", "usd_per_unit").sort("on_date")
    money = pl.Decimal(18, 8)

    def dollars(name: str) -> pl.Expr:
        stated, native = (pl.col(column).cast(money, strict=False) for column in (name, name.replace("usd_", "native_", 1)))
        return pl.coalesce(stated, (native * pl.col("usd_per_unit").cast(money)).cast(money, strict=False)).replace(0, None)

    return (
        priced.with_columns(__on=pl.col("known_from").dt.date())
        .sort("__on")
        .join_asof(
            rates, left_on="__on", right_on="on_date", by="currency", strategy="backward", tolerance=FX_LIMIT, check_sortedness=False
        )
        .with_columns(**{name: dollars(name) for name in PRICES})
    )


def up_to_the_better_source(started: pl.LazyFrame) -> pl.LazyFrame:
    """Each price ends where a source of better precedence begins to speak of the offer; what would start later is left out."""
    offer = ["provider", "model_as_named"]
    begins = started.group_by(*offer, "precedence").agg(__begins=pl.coalesce("valid_from_on", pl.col("known_from").dt.date()).min())
    better = (
        begins.join(begins, on=offer, suffix="_of_better")
        .filter(pl.col("precedence_of_better") < pl.col("precedence"))
        .group_by(*offer, "precedence")
        .agg(__taken_over_on=pl.col("__begins_of_better").min())
    )
    return (
        started.join(better, on=[*offer, "precedence"], how="left")
        .filter(
            pl.col("__taken_over_on").is_null() | pl.col("valid_from_on").is_null() | (pl.col("valid_from_on") < pl.col("__taken_over_on"))
        )
        .with_columns(valid_to_on=pl.min_horizontal("valid_to_on", "__taken_over_on"))
    )
