"""Prices of electricity for industry by state of the United States, from a public set of readings (CC BY 4.0): EIA's, without its key.

Where EIA itself is asked (`eia_electricity`), both say the same months; a month is one row per state, as it was read last.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from pipelines.sources.lib.dates import day_of, unless_unread
from pipelines.sources.lib.decode import parser, read_csv_text
from pipelines.sources.lib.electricity import ELECTRICITY_TABLE, electricity_prices, electricity_readings
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.fetching import one_answer
from pipelines.sources.lib.source import FetchContext, Payload, Source

SOURCE = Source(
    title="vijay-sachdeva/us-ai-infra, industrial electricity by state",
    homepage="https://github.com/vijay-sachdeva/us-ai-infra",
    licence="CC BY 4.0",
    attribution="vijay-sachdeva/us-ai-infra, CC BY 4.0; source: U.S. Energy Information Administration",
    semantics="table",
    precedence=400,
    base_url="https://raw.githubusercontent.com",
    table=ELECTRICITY_TABLE,
    certainty="recorded",
    checked_on=date(2026, 8, 22),
    rows_at_least=45,
    gives="monthly electricity prices of industry in each state of the United States, second-hand",
)
_WHAT = "readings of prices"
_COLUMNS = {"date": "read_on", "state": "state", "ind_cents_kwh": "cents", "period": "month", "source": "stated_source"}


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The whole history, some thousand rows."""
    return one_answer(context, "power_econ.csv", "/vijay-sachdeva/us-ai-infra/main/data/history/power_econ.csv")


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One row per state and month that a price is stated for, as read last. Raises ParseError."""
    rows = read_csv_text(content, _WHAT, _COLUMNS)
    cents, first = pl.col("cents").cast(pl.Decimal(18, 8), strict=False), pl.col("month") + pl.lit("-01")
    month, read_on = day_of(first), day_of(pl.col("read_on"))
    is_of_industry = pl.col("state").str.contains("^[A-Z]{2}$") & pl.col("stated_source").str.contains("IND", literal=True)
    found = (
        rows.filter(is_of_industry & pl.col("cents").is_not_null())
        .with_columns(
            area=pl.when(pl.col("state") == "US").then("state").otherwise(pl.lit("US-") + pl.col("state")),
            consumer_class=pl.lit("industrial"),
            period_from_on=month,
            period_to_on=month.dt.month_end(),
            native_per_kwh=pl.coalesce((cents / 100).cast(pl.Decimal(18, 6)).cast(pl.String), "cents"),
            currency=pl.lit("USD"),
        )
        .with_columns(unless_unread("native_per_kwh", {"month": month, "read_on": read_on}))
        .sort(read_on)
        .unique(["area", "month"], keep="last", maintain_order=True)
        .sort("area", "month")
    )
    if found.get_column("period_from_on").is_null().all():
        raise ParseError(f"{_WHAT}: none of {rows.height} rows is a price of industry in cents for a state and a month")
    return electricity_readings(found.rows(named=True))


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed electricity."""
    return electricity_prices(raw, SOURCE)
