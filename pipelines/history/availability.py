"""Whether each series could be had, as was said batch by batch: the stock that sources state, and what their answers no longer list.

Belongs here: the statements after a batch, from what it observed and which answers of it are whole. Does not belong here: which prices
they end or silence (`pipelines.prices.availability`), reading answers (`ingestion`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from pipelines.history.series import series_key
from pipelines.prices.availability import UNLISTED
from pipelines.quality.source_rules import LEAST_SHARE_OF_LAST

AVAILABILITY = "availability_statement"
# An answer that lists so much less than the one before withdraws nothing, unless it is about so few; what it still does not list when its
# limit has passed is withdrawn then.
_FEW_SERIES = 10


@dataclass(frozen=True)
class WholeAnswer:
    """What a source lists when nothing of its answer is missing: the series key of each offer, those put aside too."""

    source: str
    answered_at: datetime
    listed: pl.DataFrame


def statements_after(
    known: pl.DataFrame, observed: pl.DataFrame, answers: Sequence[WholeAnswer], reference: pl.DataFrame, as_of: date
) -> pl.DataFrame:
    """The statements after a batch: a row per series and day from which something else was said of it.

    `known`: those before; `observed`: rows of the feed; `reference`: the last observation of each series by each source, with the batch.
    Of a series that its best source no longer lists, no other source is asked until that one lists it or is silent for its limit. What
    takes nothing back: an answer that lost a large part of its list, one without any offer of the seller, one of another source.
    """
    key = list(series_key())
    columns = [*key, "stated_on", "offer_state"]
    speaking = _by_limit(reference, as_of)
    unlisted = _last(known, key).filter(pl.col("offer_state") == UNLISTED).select(key)
    back = _listed_again(unlisted, observed, speaking, key)
    silent = unlisted.join(back, on=key, how="anti", nulls_equal=True)
    gone = pl.concat([_no_longer_listed(answer, speaking, silent, as_of, key) for answer in answers] or [known.select(columns).clear()])
    nobody_else = pl.concat([silent, gone.select(key)])
    stated = _stated(observed, as_of, key).join(nobody_else, on=key, how="anti", nulls_equal=True)
    again = back.join(stated, on=key, how="anti", nulls_equal=True).with_columns(
        stated_on=pl.lit(as_of), offer_state=pl.lit(None, dtype=pl.String)
    )
    new = pl.concat([part.select(columns) for part in (stated, gone, again)])
    before = known.select(columns).join(new, on=[*key, "stated_on"], how="anti", nulls_equal=True)
    ordered = pl.concat([before, new]).sort(*key, "stated_on", nulls_last=True)
    is_first = pl.struct(key).ne_missing(pl.struct(key).shift(1))
    return ordered.filter(is_first | pl.col("offer_state").ne_missing(pl.col("offer_state").shift(1)))


def _by_limit(reference: pl.DataFrame, as_of: date) -> pl.DataFrame:
    last_day = pl.col("last_confirmed_at").dt.date() + pl.duration(days=pl.col("staleness_limit_days"))
    return reference.with_columns(is_within_limit=last_day >= as_of)


def _last(statements: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    return statements.sort("stated_on").unique(key, keep="last")


def _stated(observed: pl.DataFrame, as_of: date, key: Sequence[str]) -> pl.DataFrame:
    """The stock that sources state, day by day: what was confirmed last, then the better source's word."""
    return (
        observed.filter(pl.col("stock").is_not_null())
        .sort("last_confirmed_at", "precedence", "stock", descending=[True, False, False])
        .with_columns(stated_on=pl.min_horizontal(pl.col("last_confirmed_at").dt.date(), pl.lit(as_of)), offer_state=pl.col("stock"))
        .unique([*key, "stated_on"], keep="first")
    )


def _no_longer_listed(answer: WholeAnswer, speaking: pl.DataFrame, silent: pl.DataFrame, as_of: date, key: Sequence[str]) -> pl.DataFrame:
    own = speaking.filter(pl.col("source") == answer.source).sort("last_confirmed_at").unique(key, keep="last")
    own = own.join(silent, on=key, how="anti", nulls_equal=True)
    # A list that has nothing of a seller at all does not say that he sells nothing: it may be one of others' prices, or no longer ask.
    missing = own.join(answer.listed, on=key, how="anti", nulls_equal=True).join(answer.listed, on="seller", how="semi", nulls_equal=True)
    recent, listed = missing.filter("is_within_limit").height, own.filter("is_within_limit").height
    if recent > max(_FEW_SERIES, (1 - LEAST_SHARE_OF_LAST) * listed):
        missing = missing.filter(~pl.col("is_within_limit"))
    return (
        missing.join(_best(speaking, missing, key), on=[*key, "source"], how="semi", nulls_equal=True)
        .select(key)
        .with_columns(stated_on=pl.lit(min(answer.answered_at.date(), as_of)), offer_state=pl.lit(UNLISTED))
    )


def _listed_again(unlisted: pl.DataFrame, observed: pl.DataFrame, speaking: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    heard = observed.join(unlisted, on=key, how="semi", nulls_equal=True)
    best = _best(speaking, unlisted, key)
    return best.join(heard, on=[*key, "source"], how="semi", nulls_equal=True).select(key)


def _best(speaking: pl.DataFrame, series: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """The source of some series that counts, as in the price history: the best within its limit, else the one that was heard last."""
    rank = pl.when("is_within_limit").then("precedence")
    return (
        speaking.join(series, on=key, how="semi", nulls_equal=True)
        .with_columns(__rank=rank)
        .sort("__rank", "last_confirmed_at", "source", descending=[False, True, False], nulls_last=True)
        .unique(key, keep="first", maintain_order=True)
        .select(*key, "source")
    )


def of_series(statements: pl.LazyFrame, price_series: pl.LazyFrame) -> pl.LazyFrame:
    """Statements by the id of their series: rows of `marts.offer_availability`."""
    key = list(series_key())
    ids = price_series.select("series_id", *key)
    return statements.join(ids, on=key, nulls_equal=True).select("series_id", "stated_on", "offer_state")
