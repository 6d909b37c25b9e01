"""What can be had: the days on which a series was sold out, a price to ask for, or no longer listed.

Belongs here: taking those days out of a table of days or periods. Does not belong here: what was said when (`pipelines.history`), what a
price is, which series are compared (`pipelines.prices.market`).
"""

from __future__ import annotations

import polars as pl

UNLISTED = "unlisted"
# No machine, a list price without one that is to be asked for, and an offer that its seller has taken off its list.
NOT_TO_BE_HAD = ("none", "on_request", UNLISTED)


def that_can_be_had(rows: pl.LazyFrame, availability: pl.LazyFrame, series: str = "series_id") -> pl.LazyFrame:
    """Rows of days (`on_date`) on which their series could be bought, as was said last by then. Rows of which nobody says stay.

    `availability`: rows of `marts.offer_availability`; `series`: the column of `rows` that has their `series_id`.
    """
    said = _of_doubtful_series(availability).rename({"series_id": series})
    doubtful = said.select(series).unique()
    judged = (
        rows.join(doubtful, on=series, how="semi")
        .sort("on_date")
        .join_asof(
            said.sort("stated_on"),
            left_on="on_date",
            right_on="stated_on",
            by=series,
            strategy="backward",
            coalesce=False,
            check_sortedness=False,
        )
        .filter(~pl.col("offer_state").is_in(NOT_TO_BE_HAD).fill_null(False))
        .drop("stated_on", "offer_state")
    )
    return pl.concat([rows.join(doubtful, on=series, how="anti"), judged])


def periods_that_can_be_had(periods: pl.LazyFrame, availability: pl.LazyFrame) -> pl.LazyFrame:
    """Periods (`from_on` up to, not including, `end_on`) without the days on which their series (`series_id`) could not be bought.

    Periods of a series that was lacking once come back day by day: they are few.
    """
    doubtful = _of_doubtful_series(availability).select("series_id").unique()
    by_day = (
        periods.join(doubtful, on="series_id", how="semi")
        .with_columns(on_date=pl.date_ranges("from_on", "end_on", closed="left"))
        .explode("on_date", empty_as_null=False)
    )
    left = (
        that_can_be_had(by_day, availability).with_columns(from_on="on_date", end_on=pl.col("on_date").dt.offset_by("1d")).drop("on_date")
    )
    return pl.concat([periods.join(doubtful, on="series_id", how="anti"), left])


def _of_doubtful_series(availability: pl.LazyFrame) -> pl.LazyFrame:
    """What was said of the series that could not be had once."""
    lacked = pl.col("offer_state").is_in(NOT_TO_BE_HAD).any().over("series_id")
    return availability.select("series_id", "stated_on", "offer_state").filter(lacked)
