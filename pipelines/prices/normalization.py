"""Device, place and US dollars of an observation, whichever source it is of.

Belongs here: what every source's rows need alike. Does not belong here: what a price is compared with (`pipelines.prices.benchmarks`),
how long it holds (`pipelines.history`), which columns come of it (`dbt_like_models/staging/price_observation.py`).
"""

from datetime import timedelta

import polars as pl

from pipelines.prices.gpu_resolver import is_less_than_whole, memory_of_product, resolve, with_form_of_product
from pipelines.prices.iso_countries import COUNTRIES

FX_LIMIT = timedelta(days=7)
HOURS_PER_MONTH = 730
# Hours that one unit of time pays for, as a fraction of whole numbers: money stays exact.
_HOURS = {"second": (1, 3600), "minute": (1, 60), "hour": (1, 1), "day": (24, 1), "week": (168, 1), "month": (HOURS_PER_MONTH, 1)}


def plain_name(name: pl.Expr) -> pl.Expr:
    """A name of a machine, product or region as it is looked up: case, blanks, underscores and hyphens make no difference."""
    return name.str.to_lowercase().str.replace_all(r"[\s_-]+", "")


def with_country(observed: pl.LazyFrame, reference_region_country: pl.LazyFrame) -> pl.LazyFrame:
    """Add country: the source's own, else by the table of regions; NULL where neither knows it."""
    own = pl.when(pl.col("country_stated").is_in(sorted(COUNTRIES))).then("country_stated")
    places = reference_region_country.select("provider", "country", __region=plain_name(pl.col("region"))).unique(["provider", "__region"])
    return (
        observed.with_columns(__region=plain_name(pl.col("region")))
        .join(places, on=["provider", "__region"], how="left")
        .with_columns(country=pl.coalesce(own, "country"))
        .drop("__region")
    )


def with_device(
    observed: pl.LazyFrame, reference_gpu: pl.LazyFrame, rules: pl.LazyFrame, reference_instance_gpu: pl.LazyFrame
) -> pl.LazyFrame:
    """Add gpu, form_factor, gpu_count, is_gpu_conflict: the table of machine types wins over what the source says of itself."""
    names = ["__name", "__memory_gib"]
    # What the product's own name says of the device counts where the device's name does not say it.
    product = pl.coalesce("instance_type", "sku")
    named = observed.with_columns(
        __name=with_form_of_product(pl.col("gpu_as_named"), product),
        __memory_gib=pl.coalesce("gpu_memory_gib_stated", memory_of_product(pl.col("gpu_as_named"), product)),
        __type=plain_name(product),
    )
    by_name = resolve(
        named.filter(pl.col("gpu_as_named").is_not_null()).select(gpu_as_named="__name", gpu_memory_gib_stated="__memory_gib"),
        rules,
        reference_gpu,
    ).rename({"gpu_as_named": "__name", "gpu_memory_gib_stated": "__memory_gib"})
    by_type = reference_instance_gpu.select(
        "provider",
        pl.col("gpu").alias("__type_gpu"),
        pl.col("gpu_count").alias("__type_count"),
        __type=plain_name(pl.col("instance_type")),
    )
    return (
        named.join(by_type, on=["provider", "__type"], how="left")
        .join(by_name, on=names, how="left", nulls_equal=True)
        .with_columns(
            is_gpu_conflict=(pl.col("is_gpu_conflict") & pl.col("__type_gpu").is_null()).fill_null(False),
            gpu=pl.coalesce("__type_gpu", pl.when(~is_less_than_whole(product).fill_null(False)).then("gpu")),
            # A stated 0 stands for unknown, or for less than a whole device.
            gpu_count=pl.coalesce("__type_count", pl.col("gpu_count_stated").replace(0, None)),
        )
        .drop("__type_gpu", "__type_count", "__type", *names)
        .join(reference_gpu.select("gpu", "form_factor"), on="gpu", how="left")
    )


def in_usd(observed: pl.LazyFrame, currency_rate: pl.LazyFrame) -> pl.LazyFrame:
    """Add usd_per_hour and usd_per_gpu_hour, exact to 8 decimals; NULL without a rate within 7 days or without a count of devices.

    What does not fit the type of money becomes NULL: a rule finds it, and one bad row does not stop the others.
    """
    money = pl.Decimal(18, 8)
    rates = currency_rate.select("currency", "on_date", pl.col("usd_per_unit").cast(pl.Decimal(18, 8))).sort("on_date")
    amount = pl.col("native_amount").cast(money, strict=False)
    rate = pl.when(pl.col("currency") == "USD").then(pl.lit(1).cast(money)).otherwise("usd_per_unit")
    count = pl.col("gpu_count").cast(money, strict=False)
    divisor = pl.when(count > 0).then(count)
    per_unit = pl.col("__usd")
    is_machine = pl.col("price_unit").str.starts_with("instance_")
    return (
        observed.with_columns(native_amount=amount, __on=pl.col("first_seen_at").cast(pl.Date))
        .sort("__on")
        .join_asof(
            rates,
            left_on="__on",
            right_on="on_date",
            by="currency",
            strategy="backward",
            tolerance=FX_LIMIT,
            check_sortedness=False,
        )
        .with_columns(__usd=per_hour((pl.col("native_amount") * rate).cast(money, strict=False), money))
        .with_columns(
            usd_per_hour=pl.when(is_machine).then(per_unit).otherwise((per_unit * count).cast(money, strict=False)),
            usd_per_gpu_hour=pl.when(is_machine).then((per_unit / divisor).cast(money, strict=False)).otherwise(per_unit),
        )
    )


def at_each_rate(priced: pl.DataFrame, currency_rate: pl.LazyFrame) -> pl.DataFrame:
    """Observations in other currencies that were confirmed for longer than a day: one row for each day with a rate, at that rate.

    A change that holds for a year in euro is another price in dollars each day; a reading is made anew each day already. What was
    confirmed on 1 to 3 March at 1.40 EUR, rates 1.10, 1.12, 1.11, becomes

    | first_seen_at | last_confirmed_at | usd_per_hour |
    |---|---|---|
    | 03-01 | 03-01 23:59:59.999999 | 1.54 |
    | 03-02 | 03-02 23:59:59.999999 | 1.568 |
    | 03-03 | 03-03 | 1.554 |

    Each row is known when the observation is, and not before its day. After the last confirmation the last rate holds.
    """
    first_day, last_day = pl.col("first_seen_at").dt.date(), pl.col("last_confirmed_at").dt.date()
    is_held = (pl.col("currency") != "USD") & (pl.col("semantics") == "change") & (last_day > first_day)
    held = priced.filter(is_held).with_row_index("__held").lazy()
    days = currency_rate.select("currency", __from=pl.col("on_date").cast(pl.Datetime("us")))
    later = (
        held.join(days, on="currency")
        .filter((pl.col("__from") > pl.col("first_seen_at")) & (pl.col("__from") <= pl.col("last_confirmed_at")))
        .with_columns(first_seen_at="__from", known_from=pl.max_horizontal("known_from", "__from"))
        .drop("__from")
    )
    following = pl.col("first_seen_at").shift(-1).over("__held", order_by="first_seen_at")
    each = pl.concat([held, later]).with_columns(
        last_confirmed_at=pl.min_horizontal("last_confirmed_at", following - pl.duration(microseconds=1))
    )
    return pl.concat([priced.filter(~is_held), in_usd(each, currency_rate).select(priced.columns).collect(engine="in-memory")])


def per_hour(amount: pl.Expr, money: pl.DataType) -> pl.Expr:
    """An amount for a unit of time as an amount for an hour, exact to the last digit of `money`; NULL for a term without a length."""
    unit = pl.col("price_unit").str.extract(r"_(\w+)$", 1)
    numerator = unit.replace_strict({name: hours for name, (hours, _) in _HOURS.items()}, default=None, return_dtype=pl.Int64)
    denominator = unit.replace_strict({name: parts for name, (_, parts) in _HOURS.items()}, default=1, return_dtype=pl.Int64)
    # The price of a term of less than a month is stated for its days or weeks: a term of no months has no length here.
    term = pl.when(unit == "term").then(pl.col("commitment_months").replace(0, None) * HOURS_PER_MONTH)
    return (amount * denominator.cast(money) / pl.coalesce(numerator, term).cast(money)).cast(money, strict=False)
