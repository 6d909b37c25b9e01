"""A public set of daily readings of sellers' pages (CC BY 4.0): Lambda and RunPod, a second word beside their own.

Its rows of Nebius are prices of machines that may be taken away, called on demand: they are not read.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from pipelines.sources.lib.dates import day_of
from pipelines.sources.lib.decode import parser, read_csv_text
from pipelines.sources.lib.errors import ParseError, SourceError
from pipelines.sources.lib.fetching import one_answer
from pipelines.sources.lib.offers import OFFER_TABLE, offers
from pipelines.sources.lib.source import FetchContext, Payload, Source

SOURCE = Source(
    title="vijay-sachdeva/us-ai-infra, daily readings",
    homepage="https://github.com/vijay-sachdeva/us-ai-infra",
    licence="CC BY 4.0",
    attribution="vijay-sachdeva/us-ai-infra, CC BY 4.0",
    semantics="reading",
    precedence=420,
    base_url="https://raw.githubusercontent.com",
    table=OFFER_TABLE,
    certainty="recorded",
    checked_on=date(2026, 8, 22),
    rows_at_least=4,
    gives="on-demand prices per GPU of Lambda and RunPod, second-hand",
)
_WHAT = "daily readings"
_COLUMNS = {"date": "read_on", "provider": "provider", "sku": "sku", "usd_per_gpu_hr": "native_amount"}
_SELLERS = ("lambda", "runpod")
# A reading that its collector did not renew is none of today; the sellers' own sources have the days before.
_OLDEST_DAYS = 7


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The whole history, a few hundred rows. Raises SourceError where it has not been continued: old readings are none of today."""
    found = one_answer(context, "gpu_prices.csv", "/vijay-sachdeva/us-ai-infra/main/data/history/gpu_prices.csv")
    newest = _readings(found[0].content).get_column("day").max()
    if isinstance(newest, date) and (context.as_of - newest).days > _OLDEST_DAYS:
        raise SourceError(f"{_WHAT}: the newest is of {newest}, {(context.as_of - newest).days} days old")
    return found


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per seller and device: the newest day of the file, and of each what was read within a week of it; what has no day that
    can be read is given as well, for the rules to put aside. Raises ParseError.
    """
    readings, day = _readings(content), pl.col("day")
    fresh = readings.filter(day.is_null() | ((day.max() - day).dt.total_days() <= _OLDEST_DAYS))
    latest = fresh.sort("day").unique(["provider", "sku", pl.when(day.is_null()).then("read_on")], keep="last", maintain_order=True)
    return offers(
        # Of RunPod it is the cheapest of the community's hosts that is read.
        latest.sort("provider", "sku")
        .select(
            "provider",
            "sku",
            "native_amount",
            "read_on",
            gpu_as_named="sku",
            trust_tier=pl.when(pl.col("provider") == "runpod").then(pl.lit("community")),
        )
        .rows(named=True),
        currency="USD",
        price_unit="gpu_hour",
    )


def _readings(content: bytes) -> pl.DataFrame:
    rows = read_csv_text(content, _WHAT, _COLUMNS).filter(pl.col("provider").is_in(_SELLERS))
    readings = rows.with_columns(day=day_of(pl.col("read_on")))
    if readings.get_column("day").is_null().all():
        raise ParseError(f"{_WHAT}: no dated row of {' or '.join(_SELLERS)} among {rows.height}")
    return readings
