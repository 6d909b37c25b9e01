"""Own against rent, day by day: comparators of like shape, their spread, and what an owned server makes of each.

Belongs here: choosing comparators among the offers that speak for their sellers, and joining them with servers and workloads. Does not
belong here: which offers speak (`pipelines.prices.market`), the formulas (`pipelines.economics`).
"""

from datetime import date

import polars as pl
import polars.selectors as cs

from pipelines.costing.assumptions import BANDS, assumption_set_id, in_one_row
from pipelines.costing.days import Days, MonthParts, spans
from pipelines.costing.fx import eur_per_usd_by_day
from pipelines.costing.throughput_selection import CONFIGURATION, is_shown, measured_choice
from pipelines.economics import (
    break_even_hours,
    break_even_utilisation,
    effective_cloud_usd_per_hour,
    npv_payback_months,
    usd_per_million_tokens,
)
from pipelines.prices.availability import that_can_be_had
from pipelines.prices.market import LONGEST_AGE_DAYS, PROFESSIONAL, offers_that_speak, quartile_places, third_party_series

WINDOWS_DAYS = (7, 30, 90)
HOURS_PER_MONTH = 730.0
NODE_GPUS = 8
# A server's day becomes a row for each window, comparator and measured model.
ROWS_AT_ONCE = 2_500
LIFE_MONTHS = 60
OFFER = ["series", "device", "seller", "is_third_party"]
WINDOW = [
    "on_date",
    "window_days",
    "mean_usd_per_gpu_hour",
    "min_usd_per_gpu_hour",
    "max_usd_per_gpu_hour",
    "last_usd_per_gpu_hour",
    "last_observed_on",
    "covered_share",
]
COMPARATORS = ["cheapest", "market_p25", "market_median", "market_p75", "median", "dearest"]
# For owning, a dear rent is the favourable case.
RENT_BAND = {"low": "high", "base": "base", "high": "low"}


def break_even(
    throughput: pl.LazyFrame,
    reference_workload: pl.LazyFrame,
    owned_server_cost: pl.LazyFrame,
    gpu_price_rolling: pl.LazyFrame,
    price_series: pl.LazyFrame,
    price_history: pl.LazyFrame,
    offer_availability: pl.LazyFrame,
    reference_cost_assumption: pl.LazyFrame,
    fx_rate: pl.LazyFrame,
    as_of: date,
) -> MonthParts:
    """One row per day, window, model, precision, workload, server and comparator; some days at a time."""
    third_party = third_party_series(price_history).with_columns(is_third_party=True)
    is_compared = (pl.col("purchase_option") == "on_demand") & pl.col("trust_tier").is_in(PROFESSIONAL)
    # Days are many and names are long: rows of days have the numbers of their series, device and seller.
    series = (
        price_series.filter(is_compared & (pl.col("gpu_count").fill_null(NODE_GPUS) == NODE_GPUS))
        .join(third_party, on="series_id", how="left")
        .select(
            "gpu",
            "seller",
            pl.col("gpu_count").is_null().alias("is_per_gpu_price"),
            pl.col("is_third_party").fill_null(False),
            price_series_id="series_id",
            comparator_seller="seller",
            comparator_provider="provider",
            comparator_region="region",
            comparator_country="country",
        )
        .sort("price_series_id")
        .with_row_index("series")
        .with_columns(pl.col("seller").rank("dense"), device=pl.col("gpu").rank("dense"))
        .collect()
        .lazy()
    )
    # One stage after the other: a single plan would compute shared stages side by side, and hold all of them.
    windows_of = gpu_price_rolling.join(series, left_on="series_id", right_on="price_series_id").select(*OFFER, *WINDOW)
    said = offer_availability.join(series, left_on="series_id", right_on="price_series_id").select(
        "stated_on", "offer_state", series_id="series"
    )
    priced, availability = windows_of.collect().lazy(), said.collect().lazy()
    gaps = gaps_after(priced, as_of).collect().lazy()
    choice = measured_choice(throughput, reference_workload).sort(CONFIGURATION).collect()
    # Servers of devices that nobody measured would be years of days without a row.
    servers = owned_server_cost.filter(pl.col("gpu_count") == NODE_GPUS).join(choice.lazy(), on="gpu", how="semi").collect().lazy()
    packing, set_id = in_one_row(reference_cost_assumption, ("packing_share",)), assumption_set_id(reference_cost_assumption)
    assumed = packing.join(set_id, how="cross").collect()
    euros = eur_per_usd_by_day(fx_rate, as_of).collect().lazy()
    described = series.drop("device", "seller", "is_third_party")
    # A series that comes anew changes the numbers of all, but not of those that are offered on other days.
    for days in spans(servers, as_of, ROWS_AT_ONCE):
        offers = that_can_be_had(offers_on(days, priced, gaps), availability, "series").collect().lazy()
        arguments = {
            "owned": days.of(servers).collect(),
            "offers": numbered_by_themselves(offers).sort("series", "window_days", "on_date").collect(),
            "described": numbered_by_themselves(described.join(offers, on="series", how="semi").sort("series")).collect(),
            "choice": choice,
            "assumed": assumed,
            "euros": days.of(euros).collect(),
            # On other days the default workload alone is shown.
            "refreshed_on": as_of if days.last == as_of else None,
        }
        yield days.month, of_some_days, arguments


def numbered_by_themselves(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Rows with the places of their numbers among those that stand there, in the place of the numbers."""
    return rows.with_columns(cs.by_name("series", "device", "seller", require_all=False).rank("dense"))


def of_some_days(
    owned: pl.LazyFrame,
    offers: pl.LazyFrame,
    described: pl.LazyFrame,
    choice: pl.LazyFrame,
    assumed: pl.LazyFrame,
    euros: pl.LazyFrame,
    refreshed_on: date | None,
) -> pl.LazyFrame:
    """The rows of some days: their servers, the offers of those days and what the series of these are, and what is the same for all."""
    windows = pl.LazyFrame({"window_days": WINDOWS_DAYS}, schema={"window_days": pl.Int64})
    servers = (
        owned.rename({"hardware": "server", "price_as_of_on": "server_price_as_of_on", "reason_no_figure": "__no_server"})
        .drop("price_age_days")
        .join(choice, on="gpu")
        .filter(is_shown(refreshed_on))
        .join(windows, how="cross")
        .join(pl.LazyFrame({"comparator": COMPARATORS}), how="cross")
    )
    comparators = of_like_shape(offers).join(described, on="series").collect().lazy()
    rows = servers.join(comparators, on=["on_date", "window_days", "gpu", "comparator"], how="left")
    return answered(rows.join(assumed, how="cross").join(euros, on="on_date", how="left"))


def answered(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Servers beside their comparators, assumptions and rates, with the answers, as the contract has the columns but for its products."""
    return with_answers(rows).select(
        "on_date",
        "window_days",
        "model",
        "precision",
        "workload",
        "server",
        "comparator",
        "gpu",
        *(f"{band}_break_even_utilisation_share" for band in BANDS),
        *(f"{band}_payback_hours" for band in BANDS),
        "base_payback_months",
        "base_npv_payback_months",
        "reason_no_figure",
        "utilisation_share",
        pl.col("base_fixed_usd_per_hour").alias("owned_fixed_usd_per_hour"),
        pl.col("base_variable_usd_per_hour").alias("owned_variable_usd_per_hour"),
        pl.col("base_capex_usd").alias("capex_usd"),
        pl.col("__rent_base").alias("rented_usd_per_hour"),
        pl.col("comparator_count").fill_null(0),
        pl.col("seller_count").fill_null(0),
        "comparator_seller",
        "comparator_provider",
        "comparator_region",
        "comparator_country",
        "price_series_id",
        "price_basis",
        "price_as_of_on",
        "price_age_days",
        "is_per_gpu_price",
        "is_third_party",
        "covered_share",
        "server_price_as_of_on",
        "throughput_id",
        "owned_usd_per_million_output_tokens",
        "fx_on_date",
        "eur_per_usd",
        "is_power_estimated",
        "is_price_estimated",
        "assumption_set_id",
    )


def offers_on(days: Days, priced: pl.LazyFrame, gaps: pl.LazyFrame) -> pl.LazyFrame:
    """Every offer of some days, with its window where that holds a price, else with its last known one of at most a year, marked so."""
    return pl.concat([in_windows(days.of(priced)), last_known(gaps, days)])


def of_like_shape(offers: pl.LazyFrame) -> pl.LazyFrame:
    """Per day, window and device the offer that each comparator is, a real one, with the numbers of offers and of sellers.

    Every seller stands beside the others. The cheapest, the median and the dearest are of all offers that speak, the quartiles of the
    sellers' cheapest ones.
    """
    group = ["on_date", "window_days", "device"]
    ranked = (
        offers_that_speak(offers, group)
        .collect()
        .lazy()
        .sort(*group, "__base", "series")
        .with_columns(
            __place=pl.int_range(pl.len(), dtype=pl.Int64).over(group),
            comparator_count=pl.len().cast(pl.Int64).over(group),
            seller_count=pl.col("seller").n_unique().cast(pl.Int64).over(group),
        )
    )
    # In order of price: a seller's first offer is its cheapest.
    sellers = ranked.unique([*group, "seller"], keep="first", maintain_order=True).with_columns(
        __seller_place=pl.int_range(pl.len(), dtype=pl.Int64).over(group)
    )
    count = pl.col("comparator_count")
    of_offers = {"cheapest": pl.lit(0), "median": (count - 1) // 2, "dearest": count - 1}
    chosen = [ranked.filter(pl.col("__place") == place).with_columns(comparator=pl.lit(name)) for name, place in of_offers.items()]
    chosen += [
        sellers.filter(pl.col("__seller_place") == place).drop("__seller_place").with_columns(comparator=pl.lit(name))
        for name, place in quartile_places(pl.col("seller_count")).items()
    ]
    return pl.concat(chosen).with_columns(price_age_days=(pl.col("on_date") - pl.col("price_as_of_on")).dt.total_days())


def in_windows(priced: pl.LazyFrame) -> pl.LazyFrame:
    """The offers whose window holds a price."""
    return priced.select(
        "on_date",
        "window_days",
        *OFFER,
        pl.lit("window").alias("price_basis"),
        pl.lit(True).alias("is_current"),
        pl.col("last_observed_on").alias("seen_on"),
        pl.col("last_observed_on").alias("price_as_of_on"),
        "covered_share",
        pl.col("min_usd_per_gpu_hour").alias("__low"),
        pl.col("mean_usd_per_gpu_hour").alias("__base"),
        pl.col("max_usd_per_gpu_hour").alias("__high"),
    )


def gaps_after(priced: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Rows after which a window of their series holds no price for days: from `__from` on, up to `__end`, for a year after it was seen."""
    following = pl.col("on_date").shift(-1).over("series", "window_days", order_by="on_date")
    end = pl.min_horizontal(
        following,
        pl.col("last_observed_on").dt.offset_by(f"{LONGEST_AGE_DAYS + 1}d"),
        pl.lit(as_of).dt.offset_by("1d"),
    )
    found = priced.with_columns(__from=pl.col("on_date").dt.offset_by("1d"), __end=end)
    return found.filter(pl.col("__from") < pl.col("__end"))


def last_known(gaps: pl.LazyFrame, days: Days) -> pl.LazyFrame:
    """The last known price of each series on those of the days that lie in one of its gaps."""
    first, end = pl.max_horizontal("__from", pl.lit(days.first)), pl.min_horizontal("__end", pl.lit(days.last).dt.offset_by("1d"))
    return (
        gaps.filter(first < end)
        .with_columns(on_date=pl.date_ranges(first, end, closed="left"))
        .explode("on_date", empty_as_null=False)
        .select(
            "on_date",
            "window_days",
            *OFFER,
            pl.lit("last_known").alias("price_basis"),
            pl.lit(False).alias("is_current"),
            pl.col("last_observed_on").alias("seen_on"),
            pl.col("last_observed_on").alias("price_as_of_on"),
            pl.lit(None, dtype=pl.Float64).alias("covered_share"),
            *(pl.col("last_usd_per_gpu_hour").alias(name) for name in ("__low", "__base", "__high")),
        )
    )


def with_answers(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Add break-even use, payback and owned cost per token, and the reason where there is none."""
    use = pl.col("utilisation_share")
    rents = {
        f"__rent_{band}": effective_cloud_usd_per_hour(
            pl.col(f"__{band}") * NODE_GPUS, "on_demand", packing_share=pl.col(f"packing_share__{band}")
        )
        for band in BANDS
    }
    figures: dict[str, pl.Expr] = {}
    for band in BANDS:
        fixed, variable = pl.col(f"{band}_fixed_usd_per_hour"), pl.col(f"{band}_variable_usd_per_hour")
        rent = pl.col(f"__rent_{RENT_BAND[band]}")
        operate = pl.col(f"{band}_idle_operating_usd_per_hour") + use * variable
        figures[f"{band}_break_even_utilisation_share"] = break_even_utilisation(fixed, variable, rent)
        figures[f"{band}_payback_hours"] = break_even_hours(pl.col(f"{band}_capex_usd"), rent * use, operate)
        if band == "base":
            figures["base_npv_payback_months"] = npv_payback_months(
                pl.col("base_capex_usd"),
                rent * use * HOURS_PER_MONTH,
                operate * HOURS_PER_MONTH,
                pl.col("discount_rate"),
                LIFE_MONTHS,
                pl.col("residual_share"),
            ).cast(pl.Int64)
            figures["owned_usd_per_million_output_tokens"] = usd_per_million_tokens(
                (fixed + use * variable) / NODE_GPUS, pl.col("output_tokens_per_second_per_gpu"), use
            )
    with_figures = rows.with_columns(**rents).with_columns(**figures)
    no_figure = pl.col("base_break_even_utilisation_share").is_null()
    return with_figures.with_columns(
        base_payback_months=pl.col("base_payback_hours") / HOURS_PER_MONTH,
        reason_no_figure=pl.when(no_figure & pl.col("__no_server").is_not_null())
        .then("__no_server")
        .when(no_figure & pl.col("__base").is_null())
        .then(pl.lit("no machine of this shape is on sale on demand, as far as is known"))
        .when(no_figure)
        .then(pl.lit("renting stays cheaper at any use of at most 1")),
    )
