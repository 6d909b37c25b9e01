"""What a million tokens cost, by model, workload and way to get them.

Belongs here: joining prices, throughput and assumptions, option by option, into one table. Does not belong here: the formulas
(`pipelines.economics`), the choice of a throughput row (`pipelines.costing.throughput_selection`), the choice of a rented
series (`rented_price`).
"""

from datetime import date

import polars as pl

from pipelines.costing.assumptions import BANDS, assumption_set_id, in_one_row
from pipelines.costing.days import Days, MonthParts, first_day, spans
from pipelines.costing.fx import eur_per_usd_by_day
from pipelines.costing.throughput_selection import CONFIGURATION, LARGEST_SERVER_GPUS, is_shown, measured_choice, only_on_larger_systems
from pipelines.economics import (
    blended_api_usd_per_million,
    effective_cloud_usd_per_hour,
    restart_waste_share,
    spot_waste_share,
    usd_per_million_tokens,
)
from pipelines.economics.guards import quotient
from pipelines.prices.market import LONGEST_AGE_DAYS

WINDOWS_DAYS = (7, 30, 90)
SERVER_GPUS = 8
KEY = ["on_date", "window_days", "model", "precision", "workload", "gpu", "option", "country", "provider"]
ASSUMED = ("packing_share", "spot_mean_time_between_interruptions_s", "spot_restart_s")
MARKET = ("market_p25", "market_median", "market_p75")
MARKET_PER_OUTPUT = [f"{name}_usd_per_million_output_tokens" for name in MARKET]
OF_RENTED = ["seller_count", "is_per_gpu_price", "interruptions_read_on", *MARKET_PER_OUTPUT]
PER_OUTPUT = [f"{band}_usd_per_million_output_tokens" for band in BANDS]
PRICE = [
    "reason_no_figure",
    "price_series_id",
    "price_basis",
    "price_as_of_on",
    "price_age_days",
    "covered_share",
    "is_thin",
    "price_source",
    "gpu_count",
    "base_usd_per_gpu_hour",
    *OF_RENTED,
]
CHOSEN = [
    "input_tokens",
    "output_tokens",
    "utilisation_share",
    "throughput_id",
    "throughput_measured_on",
    "output_tokens_per_second_per_gpu",
    "ttft_s",
    "time_per_output_token_s",
]
COLUMN_ORDER = [
    *KEY,
    *(f"{band}_usd_per_million_{kind}_tokens" for kind in ("output", "input", "total") for band in BANDS),
    *PRICE,
    *CHOSEN,
    "fx_on_date",
    "eur_per_usd",
    "assumption_set_id",
]


def cost_per_token(
    rented_price: pl.LazyFrame,
    owned_server_cost: pl.LazyFrame,
    token_price: pl.LazyFrame,
    throughput: pl.LazyFrame,
    price_history: pl.LazyFrame,
    price_series: pl.LazyFrame,
    spot_interruption: pl.LazyFrame,
    fx_rate: pl.LazyFrame,
    reference_workload: pl.LazyFrame,
    reference_cost_assumption: pl.LazyFrame,
    as_of: date,
) -> MonthParts:
    """One row per day, window, model, precision, workload, device, option, country and provider; some days at a time."""
    choice = measured_choice(throughput, reference_workload).sort(CONFIGURATION).collect()
    # What each span reads again is held. Servers of devices that nobody measured would be years of days without a row.
    servers = owned_server_cost.filter(pl.col("gpu_count") == SERVER_GPUS).join(choice.lazy(), on="gpu", how="semi").collect().lazy()
    sold = sold_tokens(token_price, choice.lazy(), as_of).collect().lazy()
    # All sources of a series in one text: which of them spoke at which time stands in price_history.
    rented_series = rented_price.select(series_id="price_series_id").unique()
    spoken = price_history.join(rented_series, on="series_id", how="semi").group_by(price_series_id="series_id")
    sources = spoken.agg(price_source=pl.col("source").unique().sort().str.join(", "))
    interruptions = interruptions_of_series(price_series, spot_interruption)
    of_series = sources.join(interruptions, on="price_series_id", how="left").collect().lazy()
    euros = eur_per_usd_by_day(fx_rate, as_of).collect().lazy()
    for_all = {
        "choice": choice,
        "workload": reference_workload.select("workload", "input_tokens", "output_tokens", "utilisation_share", "is_default").collect(),
        "assumption": in_one_row(reference_cost_assumption, ASSUMED).collect(),
        "assumed": assumption_set_id(reference_cost_assumption).collect(),
    }
    not_measured = unmeasured(throughput, choice.lazy(), reference_workload, as_of).sort(KEY).collect()
    first_rented = first_day(rented_price) or as_of
    for days in spans(pl.concat([rented_price.select("on_date"), servers.select("on_date")]), as_of):
        rented = days.of(rented_price).collect()
        arguments = {
            "rented": rented,
            "of_series": of_series.join(rented.lazy(), on="price_series_id", how="semi").sort("price_series_id").collect(),
            "owned": days.of(servers).collect(),
            "sold": sold_on(days.since(first_rented), sold).collect(),
            "euros": days.of(euros).collect(),
            # On other days the default workload alone is shown.
            "refreshed_on": as_of if days.last == as_of else None,
            "not_measured": not_measured if days.last == as_of else not_measured.clear(),
            **for_all,
        }
        yield days.month, of_some_days, arguments


def of_some_days(
    rented: pl.LazyFrame,
    of_series: pl.LazyFrame,
    owned: pl.LazyFrame,
    sold: pl.LazyFrame,
    not_measured: pl.LazyFrame,
    euros: pl.LazyFrame,
    choice: pl.LazyFrame,
    workload: pl.LazyFrame,
    assumption: pl.LazyFrame,
    assumed: pl.LazyFrame,
    refreshed_on: date | None,
) -> pl.LazyFrame:
    """The rows of some days: what was rented, owned and sold on them, and what is the same for all."""
    parts = [
        rented_cost(rented.join(of_series, on="price_series_id", how="left"), choice, assumption, refreshed_on),
        owned_cost(owned, choice, refreshed_on),
        api_cost(sold, workload, refreshed_on),
        not_measured,
    ]
    priced = pl.concat(part.select([*KEY, *PER_OUTPUT, *PRICE, *CHOSEN]) for part in parts)
    rests_on_assumptions = (pl.col("option") != "api") & pl.col("base_usd_per_million_output_tokens").is_not_null()
    return (
        over_all_tokens(priced)
        .join(euros, on="on_date", how="left")
        .join(assumed, how="cross")
        .with_columns(assumption_set_id=pl.when(rests_on_assumptions).then("assumption_set_id"))
        .select(COLUMN_ORDER)
    )


def interruptions_of_series(price_series: pl.LazyFrame, spot_interruption: pl.LazyFrame) -> pl.LazyFrame:
    """How often each spot series is interrupted where its seller says so, as `interruptions_per_month__<band>`."""
    rates = {f"interruptions_per_month__{band}": pl.col(f"{band}_interruptions_per_month") for band in BANDS}
    return (
        price_series.filter(pl.col("purchase_option") == "spot")
        .join(spot_interruption, on=["provider", "region", "instance_type"])
        .select(price_series_id="series_id", interruptions_read_on="read_on", **rates)
    )


def rented_cost(rented: pl.LazyFrame, choice: pl.LazyFrame, assumption: pl.LazyFrame, refreshed_on: date | None) -> pl.LazyFrame:
    """Rented options: the price of an hour of use by the way it is bought, over the tokens of that hour."""
    rows = rented.join(choice, on=["gpu", "min_gpu_count"]).filter(is_shown(refreshed_on)).join(assumption, how="cross")
    return rows.with_columns(
        **{name: rented_usd_per_million(pl.col(f"{band}_usd_per_gpu_hour"), band) for name, band in zip(PER_OUTPUT, BANDS, strict=True)},
        **{
            name: rented_usd_per_million(pl.col(f"{quartile}_usd_per_gpu_hour"), "base")
            for name, quartile in zip(MARKET_PER_OUTPUT, MARKET, strict=True)
        },
        reason_no_figure=pl.lit(None, dtype=pl.String),
    )


def rented_usd_per_million(price: pl.Expr, band: str) -> pl.Expr:
    """USD per million output tokens at a price per GPU-hour, with every assumption at one end of its band."""
    packing = pl.col(f"packing_share__{band}")
    restart_s, stated = pl.col(f"spot_restart_s__{band}"), pl.col(f"interruptions_per_month__{band}")
    # Where the seller's band has no upper end the assumption stands at its base and its dear end.
    waste = pl.coalesce(
        restart_waste_share(stated, restart_s), spot_waste_share(pl.col(f"spot_mean_time_between_interruptions_s__{band}"), restart_s)
    )
    on_demand = effective_cloud_usd_per_hour(price, "on_demand", packing_share=packing)
    spot = effective_cloud_usd_per_hour(price, "spot", packing_share=packing, waste_share=waste)
    committed = effective_cloud_usd_per_hour(price, "commitment", utilisation_share=pl.col("utilisation_share"))
    hour_of_use = pl.when(pl.col("option") == "on_demand").then(on_demand).when(pl.col("option") == "spot").then(spot)
    figure: pl.Expr = usd_per_million_tokens(hour_of_use.otherwise(committed), pl.col("output_tokens_per_second_per_gpu"))
    return figure


def owned_cost(owned: pl.LazyFrame, choice: pl.LazyFrame, refreshed_on: date | None) -> pl.LazyFrame:
    """Owned servers: the all-in hour at the workload's use, over the tokens that it serves. The same for every window."""
    windows = pl.LazyFrame({"window_days": WINDOWS_DAYS}, schema={"window_days": pl.Int64})
    use = pl.col("utilisation_share")
    rows = owned.join(choice, on="gpu").filter(is_shown(refreshed_on)).join(windows, how="cross")
    figures = {}
    for name, band in zip(PER_OUTPUT, BANDS, strict=True):
        hour = pl.col(f"{band}_fixed_usd_per_hour") + use * pl.col(f"{band}_variable_usd_per_hour")
        figures[name] = usd_per_million_tokens(quotient(hour, pl.col("gpu_count")), pl.col("output_tokens_per_second_per_gpu"), use)
    return rows.with_columns(
        **figures,
        option=pl.lit("owned"),
        country=pl.col("electricity_area"),
        provider=pl.lit(None, dtype=pl.String),
        price_series_id=pl.lit(None, dtype=pl.String),
        price_basis=pl.when(pl.col("price_age_days") > LONGEST_AGE_DAYS).then(pl.lit("last_known")).otherwise(pl.lit("quote")),
        covered_share=pl.lit(None, dtype=pl.Float64),
        is_thin=pl.lit(None, dtype=pl.Boolean),
        base_usd_per_gpu_hour=quotient(pl.col("base_fixed_usd_per_hour") + use * pl.col("base_variable_usd_per_hour"), pl.col("gpu_count")),
        **not_rented(),
    )


def sold_tokens(token_price: pl.LazyFrame, choice: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Prices of managed APIs for models that are measured, with the days on which each holds: from `__from`, not `__to` any more."""
    return (
        token_price.filter(pl.col("model").is_not_null() & ~pl.col("is_deprecated"))
        .join(choice.select("model").unique(), on="model", how="semi")
        .with_columns(__from=pl.coalesce("valid_from_on", pl.col("known_from").dt.date()))
        .with_columns(
            __to=pl.min_horizontal(
                pl.coalesce("valid_to_on", pl.lit(as_of).dt.offset_by("1d")),
                # The rule of age is that of servers and machines.
                pl.col("last_confirmed_at").dt.date().dt.offset_by(f"{LONGEST_AGE_DAYS + 1}d"),
            )
        )
        .filter(pl.col("__from") < pl.col("__to"))
    )


def sold_on(days: Days, sold: pl.LazyFrame) -> pl.LazyFrame:
    """Those that hold on some days, day by day."""
    first, last = pl.max_horizontal("__from", pl.lit(days.first)), pl.min_horizontal(pl.col("__to").dt.offset_by("-1d"), pl.lit(days.last))
    confirmed_on = pl.min_horizontal(pl.max_horizontal(pl.col("last_confirmed_at").dt.date(), "__from"), "on_date")
    prices = ["usd_per_million_input_tokens", "usd_per_million_output_tokens"]
    found = ["on_date", "model", "provider", "model_as_named", *prices, "source", "price_as_of_on"]
    return (
        sold.with_columns(on_date=pl.date_ranges(first, last))
        .explode("on_date", empty_as_null=False)
        .filter(pl.col("on_date").is_not_null())
        .with_columns(price_as_of_on=confirmed_on)
        .select(found)
        .sort(found)
    )


def api_cost(sold: pl.LazyFrame, workload: pl.LazyFrame, refreshed_on: date | None) -> pl.LazyFrame:
    """Managed APIs: the seller's prices in the workload's own mix. Device and precision are the seller's affair and not known."""
    blend = blended_api_usd_per_million(
        pl.col("usd_per_million_input_tokens"),
        pl.col("usd_per_million_output_tokens"),
        pl.col("input_tokens"),
        pl.col("output_tokens"),
    )
    per_output = quotient(blend * (pl.col("input_tokens") + pl.col("output_tokens")), pl.col("output_tokens"))
    windows = pl.LazyFrame({"window_days": WINDOWS_DAYS}, schema={"window_days": pl.Int64})
    return (
        sold.join(workload, how="cross")
        .filter(is_shown(refreshed_on))
        .with_columns(__cost=per_output)
        .filter(pl.col("__cost").is_not_null())
        # A seller may offer a model under several names: the cheapest of them stands for it.
        .sort("__cost", "model_as_named")
        .unique(["on_date", "workload", "model", "provider"], keep="first", maintain_order=True)
        .join(windows, how="cross")
        .with_columns(
            **dict.fromkeys(PER_OUTPUT, pl.col("__cost")),
            precision=pl.lit(None, dtype=pl.String),
            gpu=pl.lit(None, dtype=pl.String),
            option=pl.lit("api"),
            country=pl.lit(None, dtype=pl.String),
            reason_no_figure=pl.lit(None, dtype=pl.String),
            price_series_id=pl.lit(None, dtype=pl.String),
            price_basis=pl.lit("list"),
            price_age_days=(pl.col("on_date") - pl.col("price_as_of_on")).dt.total_days(),
            covered_share=pl.lit(None, dtype=pl.Float64),
            is_thin=pl.lit(None, dtype=pl.Boolean),
            price_source=pl.col("source"),
            gpu_count=pl.lit(None, dtype=pl.Float64),
            base_usd_per_gpu_hour=pl.lit(None, dtype=pl.Float64),
            **not_rented(),
            **unchosen(),
        )
    )


def unmeasured(throughput: pl.LazyFrame, choice: pl.LazyFrame, reference_workload: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Measured models on devices without a row within the workload's limits: once each, on the day of the refresh, without a figure."""
    wanted = (
        throughput.select("model", "precision", "gpu")
        .unique()
        .join(reference_workload.select("workload", "input_tokens", "output_tokens", "utilisation_share"), how="cross")
        .join(choice, on=CONFIGURATION, how="anti")
        .join(only_on_larger_systems(throughput, reference_workload).with_columns(__is_larger=True), on=CONFIGURATION, how="left")
    )
    larger = f"measured within the workload's limits only on systems of more than {LARGEST_SERVER_GPUS} devices, which have no price here"
    none = "no measurement of this model, precision and device meets the workload's lengths and limits"
    return wanted.with_columns(
        **dict.fromkeys(PER_OUTPUT, pl.lit(None, dtype=pl.Float64)),
        on_date=pl.lit(as_of),
        window_days=pl.lit(WINDOWS_DAYS[1], dtype=pl.Int64),
        option=pl.lit("owned"),
        country=pl.lit(None, dtype=pl.String),
        provider=pl.lit(None, dtype=pl.String),
        reason_no_figure=pl.when(pl.col("__is_larger")).then(pl.lit(larger)).otherwise(pl.lit(none)),
        price_series_id=pl.lit(None, dtype=pl.String),
        price_basis=pl.lit(None, dtype=pl.String),
        price_as_of_on=pl.lit(None, dtype=pl.Date),
        price_age_days=pl.lit(None, dtype=pl.Int64),
        covered_share=pl.lit(None, dtype=pl.Float64),
        is_thin=pl.lit(None, dtype=pl.Boolean),
        price_source=pl.lit(None, dtype=pl.String),
        gpu_count=pl.lit(None, dtype=pl.Float64),
        base_usd_per_gpu_hour=pl.lit(None, dtype=pl.Float64),
        **not_rented(),
        **unchosen(),
    )


def not_rented() -> dict[str, pl.Expr]:
    """The columns of a market where nothing is rented."""
    kinds = {"seller_count": pl.Int64, "is_per_gpu_price": pl.Boolean, "interruptions_read_on": pl.Date}
    return {name: pl.lit(None, dtype=kinds.get(name, pl.Float64)) for name in OF_RENTED}


def unchosen() -> dict[str, pl.Expr]:
    """The columns of a throughput row where none stands behind the figure."""
    kinds = {
        "throughput_id": pl.String,
        "throughput_measured_on": pl.Date,
        "output_tokens_per_second_per_gpu": pl.Float64,
        "ttft_s": pl.Float64,
        "time_per_output_token_s": pl.Float64,
    }
    return {name: pl.lit(None, dtype=kind) for name, kind in kinds.items()}


def over_all_tokens(priced: pl.LazyFrame) -> pl.LazyFrame:
    """The same cost read over input tokens alone and over all tokens, beside the output tokens."""
    ratio = quotient(pl.col("output_tokens"), pl.col("input_tokens"))
    figures = {}
    for band in BANDS:
        per_output = pl.col(f"{band}_usd_per_million_output_tokens")
        figures[f"{band}_usd_per_million_input_tokens"] = per_output * ratio
        figures[f"{band}_usd_per_million_total_tokens"] = quotient(per_output * ratio, 1 + ratio)
    return priced.with_columns(**figures)
