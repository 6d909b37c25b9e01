"""Azure Retail Prices: on-demand, spot, reservations and savings plans of GPU machines in all commercial regions, without a key."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib import resources

import polars as pl

from pipelines.platform.clock import utc_now
from pipelines.sources.lib.dates import instant_of, unless_unread
from pipelines.sources.lib.decode import as_text, field_of, list_of, parser, read_json, text_rows
from pipelines.sources.lib.errors import OfflineError, ParseError, SourceError
from pipelines.sources.lib.http import HttpStatusError, same_host
from pipelines.sources.lib.offers import observations
from pipelines.sources.lib.source import FetchContext, Payload, Source
from pipelines.sources.lib.terms import months_of

SOURCE = Source(
    title="Azure Retail Prices",
    homepage="https://learn.microsoft.com/en-us/rest/api/cost-management/retail-prices/azure-retail-prices",
    licence="public price list, reuse of figures with attribution",
    attribution="Microsoft Azure Retail Prices",
    semantics="reading",
    precedence=100,
    base_url="https://prices.azure.com",
    certainty="recorded",
    gives="on demand, spot, reservations and savings plans of GPU machines in every commercial region",
)

_PATH = "/api/retail/prices"
_API_VERSION = "2023-01-01-preview"
_FAMILIES = ("_NC", "_ND", "_NV", "_NG")
_GPU_MACHINE = r"(?i)[_ ]N[CDVG]"
# Regions of other clouds and of tests have prices that nobody can buy at.
_OTHER_CLOUDS = ("usgov", "usdod", "china")
_TEST_REGIONS = ("stg", "euap")
_REGIONS_AT_ONCE = 4
_MAX_PAGES = 50
_WHAT = "page of prices"
_FIELDS = {
    "region": "armRegionName",
    "arm_sku_name": "armSkuName",
    "sku_id": "skuId",
    "sku_name": "skuName",
    "meter_id": "meterId",
    "meter_name": "meterName",
    "product_name": "productName",
    "price_type": "type",
    "currency": "currencyCode",
    "unit_of_measure": "unitOfMeasure",
    "native_amount": "retailPrice",
    "tier_minimum_units": "tierMinimumUnits",
    "effective_start": "effectiveStartDate",
    "effective_end": "effectiveEndDate",
    "is_primary_meter_region": "isPrimaryMeterRegion",
    "reservation_term": "reservationTerm",
}
_REQUIRED = tuple(name for name in _FIELDS if name not in ("effective_end", "is_primary_meter_region", "reservation_term"))
# "Virtual Machines NDsrH200v5 Series", "Virtual Machines NCCadsv5 Srs", "NCads A100 v4 Series Linux": nothing but plain Linux is named so.
_PLAIN_PRODUCT = r"(?i)^(virtual machines )?n[cdgv][\w ]*? (series|srs)( linux)?$"
# Words of names stand apart by anything but a letter, or begin with a capital: "_Windows", "Win2022", "WinServer".
_WINDOWS = r"(?i:(^|[^a-z])win(dows)?([^a-z]|$))|Win[A-Z]"
_RETIRED = r"(?i)low[\s_-]*priority"
_SPOT = r"(?i)(^|[^a-z])spot([^a-z]|$)"
_HOURS_OF_A_MONTH = 730


def fetch(context: FetchContext) -> Iterable[Payload]:
    """One region at a time (the order of a long walk is not stable), at most four side by side; a payload is one page.

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
    seen: set[bytes] = set()
    for number in range(1, _MAX_PAGES + 1):
        digest = hashlib.sha256(answer.content).digest()
        if digest in seen:
            raise SourceError(f"{region}, {kind}: page {number} is one that came before")
        seen.add(digest)
        yield Payload(f"{region}/{kind}/{number:04}", answer.url, answer.content, utc_now(), answer.status, answer.etag)
        link = _next_page(answer.content)
        if link is None:
            return
        answer = context.http.get(same_host(link, context.base_url))
    raise SourceError(f"{region}, {kind}: more than {_MAX_PAGES} pages")


def _next_page(content: bytes) -> str | None:
    link = field_of(read_json(content, _WHAT), "NextPageLink")
    if link is not None and not isinstance(link, str):
        raise ParseError(f"NextPageLink is {link!r}, expected an address or null")
    return link or None


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One row per item of a page, amounts as printed; an item without a field has NULL there. Raises ParseError."""
    items = list_of(read_json(content, _WHAT), "Items", _WHAT)
    plans = [_savings_plans(item) for item in items]
    text = text_rows(items, _FIELDS, _WHAT, required=_REQUIRED)
    return text.with_columns(
        unless_unread("native_amount", {name: instant_of(pl.col(name)) for name in ("effective_start", "effective_end")}),
        is_primary_meter_region=pl.col("is_primary_meter_region").replace_strict(
            {"true": True, "false": False}, default=None, return_dtype=pl.Boolean
        ),
        savings_plan_1_year_amount=pl.Series([as_text(p.get("1 Year")) for p in plans], dtype=pl.String),
        savings_plan_3_years_amount=pl.Series([as_text(p.get("3 Years")) for p in plans], dtype=pl.String),
    )


def _savings_plans(item: object) -> dict[object, object]:
    plans = field_of(item, "savingsPlan")
    return {plan["term"]: plan.get("retailPrice") for plan in plans if _is_plan(plan)} if isinstance(plans, list) else {}


def _is_plan(plan: object) -> bool:
    return isinstance(plan, dict) and isinstance(plan.get("term"), str)


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed observation for plain Linux machines.

    A product is let in by a name of the known form ("... Series", "... Srs", "... Linux"); Windows, cloud services, dedicated hosts and
    the retired low priority are others. A price that is announced or has ended is none. All pages of a region are one instant: of
    several meters of one machine the primary one stands, then the one that took effect last; where amounts differ still, all are given,
    for the checks to say. A reservation's figure is the total of its term, whatever its unit says: it is divided by the hours of the
    term, paid up front (`payment_option` all). A savings plan is hourly and paid as it goes (`payment_option` none).
    """
    names = pl.concat_str(pl.col("meter_name"), pl.col("sku_name"), separator=" ")
    answered_at = pl.col("fetched_at").max().over("region")
    machines = (
        raw.with_columns(
            fetched_at=answered_at,
            __starts_at=instant_of(pl.col("effective_start")),
            __ends_at=instant_of(pl.col("effective_end")),
        )
        .filter(
            pl.col("arm_sku_name").str.contains(_GPU_MACHINE)
            & pl.col("product_name").str.strip_chars().str.contains(_PLAIN_PRODUCT)
            & ~names.str.contains(_RETIRED)
            & ~pl.concat_str(names, "product_name", separator=" ").str.contains(_WINDOWS)
            & pl.col("price_type").is_in(["Consumption", "Reservation"])
            & (pl.col("unit_of_measure") == "1 Hour")
            & (pl.col("tier_minimum_units").cast(pl.Float64, strict=False) == 0)
            & (pl.col("__starts_at") <= pl.col("fetched_at"))
            & (pl.col("effective_end").is_null() | (pl.col("__ends_at") >= pl.col("fetched_at")))
        )
        .with_columns(arm_sku_name=pl.col("arm_sku_name").str.strip_chars())
    )
    is_spot = names.str.contains(_SPOT)
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
    months = months_of(pl.col("reservation_term"))
    amount = pl.col("native_amount").cast(money, strict=False)
    reserved = machines.filter(pl.col("price_type") == "Reservation").with_columns(
        native_amount=(amount / (months * _HOURS_OF_A_MONTH).cast(money)).cast(money).cast(pl.String),
        purchase_option=pl.lit("commitment"),
        purchase_option_as_named=pl.lit("Reservation"),
        payment_option=pl.lit("all"),
        commitment_months=months,
    )
    one_meter = ["region", "arm_sku_name", "purchase_option", "payment_option", "commitment_months"]
    preference = pl.struct(pl.col("is_primary_meter_region").fill_null(False), "__starts_at")
    return observations(
        pl.concat([plain, *plans, reserved])
        .filter(preference.rank("dense", descending=True).over(one_meter) == 1)
        .unique([*one_meter, "native_amount"], keep="any", maintain_order=False)
        .sort([*one_meter, "native_amount"]),
        SOURCE,
        provider="azure",
        sku=pl.col("arm_sku_name"),
        instance_type=pl.col("arm_sku_name"),
    )
