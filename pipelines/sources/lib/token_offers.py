"""Token prices as services state them today, and the rows of feed `token_price` that their readings make.

Belongs here: the columns of raw table `token_offer`, readings of many days as prices with a start. Does not belong here: what any
source's fields mean, money in other currencies (`staging.token_price_observation`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.sources.lib.dates import day_of, instant
from pipelines.sources.lib.decode import as_text, number_of
from pipelines.sources.lib.source import Source

API_PRICE_TABLE = "token_offer"
AMOUNTS = ("input", "output", "cached_input", "batch_input", "batch_output")
_COLUMNS = {name: f"native_per_million_{name}_tokens" for name in AMOUNTS}
TOKEN_SCHEMA: Mapping[str, type[pl.DataType]] = {
    "provider": pl.String,
    "model_as_named": pl.String,
    "is_deprecated": pl.Boolean,
    "currency": pl.String,
    **dict.fromkeys(_COLUMNS.values(), pl.String),
    "price_remark": pl.String,
}
_PAGES_OF_ONE_ANSWER = timedelta(hours=1)
_LEAST_LISTED_SHARE = 0.7
# What a buyer could serve himself. The lists are long, and each day adds to them.
_OPEN_WEIGHTS = re.compile(
    r"(?i)llama|qwen|qwq|mistral|mixtral|magistral|devstral|codestral|deepseek|gpt-oss|kimi|glm|minimax|gemma|phi-|nemotron|olmo|command-r|hermes"
)


def is_open_weight(name: str | None) -> bool:
    """True for names of families whose weights are published."""
    return name is not None and _OPEN_WEIGHTS.search(name) is not None


def per_million(amount: Any, times: str = "1000000") -> str | None:
    """An amount per token as one per million tokens, or scaled by another factor; None for what is no amount or below zero."""
    found = number_of(as_text(amount))
    return None if found is None or found < 0 else format((found * Decimal(times)).normalize(), "f")


def until(stated: Any) -> str | None:
    """The remark that an offer ends on a day, stated as a date or in seconds since 1970; what else is stated is the text behind `until`,
    by which the rules put the offer aside. None where nothing is stated, or that it ends (true, false) and not when.
    """
    text = as_text(stated)
    if not text or isinstance(stated, bool):
        return None
    ends_at = datetime.fromtimestamp(int(text), UTC) if re.fullmatch(r"[0-9]{9,10}", text) else instant(text)
    return f"until '{text}'" if ends_at is None else f"until {ends_at:%Y-%m-%d}"


def token_offers(rows: Iterable[Mapping[str, Any]], **everywhere: Any) -> pl.DataFrame:
    """Rows of raw table `token_offer`: what a source states of each, amounts by the names of AMOUNTS; `everywhere` holds for all."""
    stated = [{**everywhere, **row} for row in rows]
    table = {column: [as_text(row.get(name)) for row in stated] for name, column in _COLUMNS.items()}
    texts = {name: [as_text(row.get(name)) for row in stated] for name in ("provider", "model_as_named", "currency", "price_remark")}
    return pl.DataFrame(
        {**texts, **table, "is_deprecated": [bool(row.get("is_deprecated")) for row in stated]}, schema_overrides=TOKEN_SCHEMA
    ).select(list(TOKEN_SCHEMA))


def with_ends(raw: pl.LazyFrame, key: list[str]) -> pl.LazyFrame:
    """Readings with one more, deprecated, of each offer that the next answer of the source does not list.

    The pages of one answer are minutes apart. An answer that lost a part of its list ends nothing.
    """
    answers = (
        raw.group_by("fetched_at")
        .len("listed")
        .sort("fetched_at")
        .with_columns(__starts=(pl.col("fetched_at").diff() > _PAGES_OF_ONE_ANSWER).fill_null(True))
        .with_columns(answer=pl.col("__starts").cum_sum())
        .with_columns(pl.col("listed").sum().over("answer"))
    )
    whole = (
        answers.group_by("answer")
        .agg(pl.col("fetched_at", "listed").first())
        .sort("answer")
        .filter((pl.col("listed") >= _LEAST_LISTED_SHARE * pl.col("listed").shift(1)).fill_null(True))
    )
    last_of_each = (
        raw.join(answers.select("fetched_at", "answer"), on="fetched_at")
        .sort("fetched_at")
        .unique([*key, "answer"], keep="last", maintain_order=True)
        .with_columns(__next=pl.col("answer").shift(-1).over(key))
    )
    following = whole.select("answer", __ended_at="fetched_at", __number="answer")
    ended = (
        last_of_each.with_columns(__after=pl.col("answer") + 1)
        .join_asof(following, left_on="__after", right_on="answer", strategy="forward", check_sortedness=False)
        .filter(pl.col("__number").is_not_null() & (pl.col("__next").is_null() | (pl.col("__next") > pl.col("__number"))))
        .with_columns(
            fetched_at="__ended_at",
            is_deprecated=pl.lit(True),
            price_remark=pl.format("not in the list of {}", pl.col("__ended_at").dt.date()),
        )
    )
    columns = raw.collect_schema().names()
    return pl.concat([raw, ended.select(columns)])


def token_prices(raw: pl.LazyFrame, source: Source) -> pl.LazyFrame:
    """Rows of feed `token_price`: one per price of a model, from the day on which it was first seen to that on which it was last.

    What its source says to have ended by the day on which it was read (a remark `until` a day) is deprecated, and so is what is in its
    list no more, from the first answer without it.
    """
    key, amounts = ["provider", "model_as_named"], list(_COLUMNS.values())
    stated = pl.struct("currency", "is_deprecated", *amounts)
    ended_on = day_of(pl.col("price_remark").str.extract(r"until (\d{4}-\d{2}-\d{2})$", 1))
    runs = (
        with_ends(raw, key)
        .with_columns(is_deprecated=pl.col("is_deprecated") | (ended_on < pl.col("fetched_at").dt.date()).fill_null(False))
        .sort(*key, "fetched_at")
        .with_columns(entry_number=(stated.rle_id().over(key) + 1).cast(pl.Int64))
    )
    last = ("price_remark", "snapshot_sha256")
    found = runs.group_by(*key, "entry_number", maintain_order=True).agg(
        pl.col("currency", "is_deprecated", *amounts).first(),
        pl.col(*last).last(),
        pl.col("fetched_at").first().alias("known_from"),
        pl.col("fetched_at").last().alias("last_confirmed_at"),
    )
    nothing, is_usd = pl.lit(None, dtype=pl.String), pl.col("currency") == "USD"
    dollars = {
        name: pl.when(is_usd).then(column).otherwise(nothing).alias(f"usd_per_million_{name}_tokens") for name, column in _COLUMNS.items()
    }
    return found.select(
        *key,
        "entry_number",
        pl.col("known_from").dt.date().alias("starts_on"),
        "is_deprecated",
        *(dollars[name] for name in ("input", "output", "cached_input")),
        pl.lit(False).alias("has_tiers"),
        "price_remark",
        *(dollars[name] for name in ("batch_input", "batch_output")),
        "currency",
        *amounts,
        "known_from",
        "last_confirmed_at",
        pl.lit(source.title).alias("source_detail"),
        pl.lit(source.homepage).alias("source_url"),
        pl.lit(source.licence).alias("licence"),
        "snapshot_sha256",
    )
