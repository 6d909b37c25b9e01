"""Azure Retail Prices: on-demand, spot, reservations and savings plans of GPU machines in all commercial regions, without a key."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib import resources

import polars as pl

from pipelines.platform.clock import utc_now
from pipelines.sources.lib.errors import OfflineError, ParseError, SourceError
from pipelines.sources.lib.http import HttpStatusError, same_host
from pipelines.sources.lib.source import FetchContext, Payload, Source

SOURCE = Source(
    title="Azure Retail Prices",
    homepage="https://learn.microsoft.com/en-us/rest/api/cost-management/retail-prices/azure-retail-prices",
    licence="public price list, reuse of figures with attribution",
    attribution="Microsoft Azure Retail Prices",
    semantics="reading",
    precedence=100,
    base_url="https://prices.azure.com",
)

_PATH = "/api/retail/prices"
_API_VERSION = "2023-01-01-preview"
_FAMILIES = ("_NC", "_ND", "_NV", "_NG")
# Regions of other clouds and of tests have prices that nobody can buy at.
_OTHER_CLOUDS = ("usgov", "usdod", "china")
_TEST_REGIONS = ("stg", "euap")
_REGIONS_AT_ONCE = 8
_MAX_PAGES = 50
_HOURS = {"1 Year": 8760, "3 Years": 26_280}
_MONTHS = {"1 Year": 12, "3 Years": 36}

_TEXTS = {
    "armRegionName": "region",
    "armSkuName": "arm_sku_name",
    "skuId": "sku_id",
    "skuName": "sku_name",
    "meterId": "meter_id",
    "meterName": "meter_name",
    "productName": "product_name",
    "type": "price_type",
    "currencyCode": "currency",
    "unitOfMeasure": "unit_of_measure",
    "retailPrice": "native_amount",
    "tierMinimumUnits": "tier_minimum_units",
    "effectiveStartDate": "effective_start",
}
_SCHEMA = {
    **dict.fromkeys(_TEXTS.values(), pl.String),
    "is_primary_meter_region": pl.Boolean,
    "reservation_term": pl.String,
    "savings_plan_1_year_amount": pl.String,
    "savings_plan_3_years_amount": pl.String,
}


def fetch(context: FetchContext) -> Iterable[Payload]:
    """One region at a time (the order of a long walk is not stable), at most eight side by side; a payload is one page.

    A region that cannot be read is a problem of its own and the others go on.
    """
    regions = _regions()
    with ThreadPoolExecutor(max_workers=_REGIONS_AT_ONCE, thread_name_prefix="azure") as pool:
        for region, found in zip(regions, pool.map(lambda r: _region_or_error(context, r), regions), strict=True):
            if isinstance(found, OfflineError):
                raise found
            if isinstance(found, SourceError):
                context.problem(f"region {region}: {found}")
            else:
                yield from found


def _regions() -> list[str]:
    text = resources.files("pipelines").joinpath("reference/region_country.csv").read_text(encoding="utf-8")
    regions = [row["region"] for row in csv.DictReader(io.StringIO(text)) if row["provider"] == "azure"]
    return sorted(r for r in regions if not r.startswith(_OTHER_CLOUDS) and not r.endswith(_TEST_REGIONS))


def _region_or_error(context: FetchContext, region: str) -> list[Payload] | SourceError:
    try:
        return [page for kind in ("Consumption", "Reservation") for page in _pages(context, region, kind)]
    except SourceError as error:
        return error


def _pages(context: FetchContext, region: str, kind: str) -> Iterable[Payload]:
    plain = f"serviceName eq 'Virtual Machines' and armRegionName eq '{region}' and priceType eq '{kind}'"
    families = " or ".join(f"contains(armSkuName,'{family}')" for family in _FAMILIES)
    of_gpus = f"{plain} and ({families})"
    url = context.base_url + _PATH
    fixed = [("api-version", _API_VERSION), ("currencyCode", "'USD'")]
    try:
        answer = context.http.get(url, [*fixed, ("$filter", of_gpus)])
    except HttpStatusError as error:
        if error.status != 400:
            raise
        # The service has refused the longer filter before; the plain one gives more pages of the same.
        answer = context.http.get(url, [*fixed, ("$filter", plain)])
    for number in range(1, _MAX_PAGES + 1):
        yield Payload(f"{region}/{kind}/{number:04}", answer.url, answer.content, utc_now(), answer.status, answer.etag)
        link = _next_page(answer.content)
        if link is None:
            return
        answer = context.http.get(same_host(link, context.base_url))
    raise SourceError(f"{region}, {kind}: more than {_MAX_PAGES} pages")


def _next_page(content: bytes) -> str | None:
    page = _page(content)
    link = page.get("NextPageLink")
    if link is not None and not isinstance(link, str):
        raise ParseError(f"NextPageLink is {link!r}, expected an address or null")
    return link or None


def _page(content: bytes) -> dict[str, object]:
    try:
        page = json.loads(content, parse_float=str, parse_int=str)
    except ValueError as error:
        raise ParseError(f"page of prices: not readable as JSON: {error}") from error
    if not isinstance(page, dict) or not isinstance(page.get("Items"), list):
        raise ParseError("page of prices: expected an object with a list Items")
    return page


def parse(content: bytes) -> pl.DataFrame:
    """One row per item of a page, amounts as printed. Raises ParseError naming the item and the field."""
    items = _page(content)["Items"]
    assert isinstance(items, list)
    rows = []
    for number, item in enumerate(items):
        if not isinstance(item, dict):
            raise ParseError(f"item {number}: is {type(item).__name__}, expected an object")
        for field in _TEXTS:
            if not isinstance(item.get(field), str):
                raise ParseError(f"item {number}, field {field}: is {item.get(field)!r}, expected text or a number")
        plans = {plan.get("term"): plan.get("retailPrice") for plan in item.get("savingsPlan") or []}
        rows.append(
            (
                *(item[field] for field in _TEXTS),
                item.get("isPrimaryMeterRegion"),
                item.get("reservationTerm"),
                plans.get("1 Year"),
                plans.get("3 Years"),
            )
        )
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed observation for plain Linux machines.

    Windows, cloud services, dedicated hosts and the retired low priority are other products and left out. A reservation's figure is
    the total of its term, whatever its unit says: it is divided by the hours of the term, paid up front (`payment_option` all). A
    savings plan is hourly and paid as it goes (`payment_option` none). Of several meters of one machine the primary one stands, then
    the one that took effect last. Placeholder prices pass: the checks of staging stop them.
    """
    product, names = pl.col("product_name"), pl.concat_str(pl.col("meter_name"), pl.col("sku_name"), separator=" ")
    machines = raw.filter(
        pl.any_horizontal(pl.col("arm_sku_name").str.contains(family, literal=True) for family in _FAMILIES)
        & ~product.str.ends_with("Windows")
        & ~product.str.contains("CloudServices|Dedicated")
        & ~names.str.contains("Low Priority", literal=True)
        & pl.col("price_type").is_in(["Consumption", "Reservation"])
        & (pl.col("unit_of_measure") == "1 Hour")
        & (pl.col("tier_minimum_units").cast(pl.Float64, strict=False) == 0)
    )
    is_spot = names.str.contains("Spot", literal=True)
    used = machines.filter(pl.col("price_type") == "Consumption")
    plain = used.with_columns(
        purchase_option=pl.when(is_spot).then(pl.lit("spot")).otherwise(pl.lit("on_demand")),
        purchase_option_as_named=pl.when(is_spot).then(pl.lit("Spot")).otherwise(pl.lit("Consumption")),
        payment_option=pl.lit(None, dtype=pl.String),
        commitment_months=pl.lit(None, dtype=pl.Int64),
    )
    plans = [
        used.filter(~is_spot & pl.col(column).is_not_null()).with_columns(
            native_amount=pl.col(column),
            purchase_option=pl.lit("commitment"),
            purchase_option_as_named=pl.lit("SavingsPlan"),
            payment_option=pl.lit("none"),
            commitment_months=pl.lit(months, dtype=pl.Int64),
        )
        for column, months in (("savings_plan_1_year_amount", 12), ("savings_plan_3_years_amount", 36))
    ]
    money = pl.Decimal(18, 8)
    hours = pl.col("reservation_term").replace_strict(_HOURS, default=None, return_dtype=pl.Int64)
    reserved = machines.filter(pl.col("price_type") == "Reservation").with_columns(
        native_amount=(pl.col("native_amount").cast(money, strict=False) / hours.cast(money)).cast(money).cast(pl.String),
        purchase_option=pl.lit("commitment"),
        purchase_option_as_named=pl.lit("Reservation"),
        payment_option=pl.lit("all"),
        commitment_months=pl.col("reservation_term").replace_strict(_MONTHS, default=None, return_dtype=pl.Int64),
    )
    one_meter = ["region", "arm_sku_name", "purchase_option", "payment_option", "commitment_months", "fetched_at"]
    return (
        pl.concat([plain, *plans, reserved])
        .sort(
            *one_meter,
            "is_primary_meter_region",
            "effective_start",
            "meter_id",
            "sku_id",
            descending=[*([False] * len(one_meter)), True, True, False, False],
            nulls_last=True,
        )
        .unique(one_meter, keep="first", maintain_order=True)
        .select(
            pl.lit("azure").alias("provider"),
            pl.lit("azure").alias("seller"),
            "region",
            pl.lit(None, dtype=pl.String).alias("zone"),
            pl.col("arm_sku_name").alias("sku"),
            pl.col("arm_sku_name").alias("instance_type"),
            pl.lit(None, dtype=pl.String).alias("gpu_as_named"),
            pl.lit(None, dtype=pl.Float64).alias("gpu_count_stated"),
            pl.lit(None, dtype=pl.Float64).alias("gpu_memory_gib_stated"),
            "purchase_option",
            "purchase_option_as_named",
            "payment_option",
            "commitment_months",
            pl.lit("linux").alias("operating_system"),
            pl.lit("shared").alias("tenancy"),
            pl.lit("datacenter").alias("trust_tier"),
            "currency",
            "native_amount",
            pl.lit("instance_hour").alias("price_unit"),
            pl.col("fetched_at").alias("first_seen_at"),
            pl.col("fetched_at").alias("last_confirmed_at"),
            pl.col("fetched_at").alias("known_from"),
            pl.lit(SOURCE.title).alias("source_detail"),
            pl.lit(SOURCE.homepage).alias("source_url"),
            pl.lit(SOURCE.licence).alias("licence"),
            "snapshot_sha256",
        )
    )
