"""Prices of machines with accelerators as the SkyPilot catalog lists them: a second word on several clouds, without a key.

Only clouds whose lists a workflow renews are fetched: Azure's is renewed by none and stands in no version of the catalog. GCP's is not
fetched, and where a snapshot of it is stored its rows stay in raw: there the price of a machine and that of its accelerators stand
apart. Lists that are the product of all types and all regions say nothing of where a machine stands: of these each type is one offer
without a place. Shadeform's list is of machines of others: the beginning of each type's name says whose.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import polars as pl

from pipelines.platform.clock import utc_now
from pipelines.sources.lib.companies import as_company
from pipelines.sources.lib.countries import COUNTRIES
from pipelines.sources.lib.decode import parser, read_csv_text, read_json
from pipelines.sources.lib.errors import OfflineError, ParseError, SourceError
from pipelines.sources.lib.offers import observations
from pipelines.sources.lib.source import FetchContext, Payload, Source

_FETCHED = ("aws", "lambda", "nebius", "runpod", "seeweb", "shadeform", "verda")
# Read where a snapshot holds them.
_CLOUDS = (*_FETCHED, "azure")
# Their lists give every type every region, whatever is sold where.
_PLACE_UNKNOWN = ("lambda", "nebius", "runpod", "seeweb", "verda")
# Sells on what others run: `massedcompute_A6000x8` in `kansascity-usa-1`.
_RESELLER = "shadeform"
# Their spot column repeats the on-demand price.
_NO_SPOT = ("runpod",)
# The catalog calls the A100 of 80 GB by its memory, and the smaller one plainly.
_PLAIN_A100_GIB = 40.0

SOURCE = Source(
    title="SkyPilot catalog",
    homepage="https://github.com/skypilot-org/skypilot-catalog",
    licence="no licence stated for the figures; facts, with attribution",
    attribution="prices as collected by the SkyPilot catalog",
    semantics="reading",
    precedence=400,
    base_url="https://raw.githubusercontent.com",
    certainty="recorded",
    gives="on-demand and spot prices of AWS, Lambda, Nebius, RunPod, Seeweb, Verda and what Shadeform sells on, second-hand",
)
_COLUMNS = {
    "InstanceType": "instance_type",
    "AcceleratorName": "gpu_as_named",
    "AcceleratorCount": "gpu_count_stated",
    "Region": "region",
    "AvailabilityZone": "zone",
    "Price": "on_demand_amount",
    "SpotPrice": "spot_amount",
}


def fetch(context: FetchContext) -> Iterable[Payload]:
    """One list per cloud; the list does not name its cloud, so it is stored in an envelope that does."""
    for cloud in _FETCHED:
        try:
            answer = context.http.get(f"{context.base_url}/skypilot-org/skypilot-catalog/master/catalogs/v8/{cloud}/vms.csv")
        except OfflineError:
            raise
        except SourceError as error:
            context.problem(str(error))
            continue
        yield payload(cloud, answer.content, answer.url, answer.status, answer.etag)


def payload(cloud: str, csv: bytes, url: str, status: int = 200, etag: str | None = None) -> Payload:
    """A list in its envelope, fetched now."""
    try:
        content = json.dumps({"cloud": cloud, "vms_csv": csv.decode("utf-8")}).encode()
    except UnicodeDecodeError as error:
        raise SourceError(f"{url}: not UTF-8: {error}") from error
    return Payload(f"{cloud}/vms.csv", url, content, utc_now(), status, etag)


@parser("vms.csv")
def parse(content: bytes) -> pl.DataFrame:
    """One row per machine with accelerators, seller, region and zone, amounts as printed. Raises ParseError."""
    document = read_json(content, "vms.csv")
    if not isinstance(document, dict) or not all(isinstance(document.get(key), str) for key in ("cloud", "vms_csv")):
        raise ParseError("vms.csv: expected a cloud and its list as CSV")
    cloud = document["cloud"]
    text = read_csv_text(document["vms_csv"].encode("utf-8", "replace"), f"vms.csv of {cloud}", _COLUMNS, optional=("zone",))
    is_line = pl.any_horizontal(pl.all().is_not_null())
    machines = text.filter(pl.col("gpu_as_named").is_not_null() | ~is_line)
    owner, machine = (pl.col("instance_type").str.extract("^([^_]+)_(.+)$", part) for part in (1, 2))
    of_others = (
        {"provider": owner, "instance_type": pl.coalesce(machine, "instance_type")} if cloud == _RESELLER else {"provider": pl.lit(cloud)}
    )
    return (
        machines.with_columns(**of_others, seller=pl.lit(cloud))
        # A count that is none is unknown; it does not take the rest of the list away.
        .with_columns(as_company("provider"), pl.col("gpu_count_stated").cast(pl.Float64, strict=False))
        .select("provider", "seller", *_COLUMNS.values())
        .unique(maintain_order=True)
    )


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed observation: on demand by region, spot by zone. An empty amount is not offered, and 0 is unknown: neither is a price."""
    seller = pl.col("seller")
    placeless = seller.is_in(_PLACE_UNKNOWN)
    country = pl.col("region").str.extract("-([a-z]+)-[0-9]+$", 1).replace_strict(COUNTRIES, default=None, return_dtype=pl.String)
    nowhere = pl.lit(None, dtype=pl.String)
    machines = raw.filter(seller.is_in(_CLOUDS) & pl.col("instance_type").is_not_null()).with_columns(
        country_stated=pl.when(seller == _RESELLER).then(country),
        gpu_memory_gib_stated=pl.when(pl.col("gpu_as_named") == "A100").then(_PLAIN_A100_GIB),
        region=pl.when(placeless).then(pl.lit("all")).otherwise("region"),
        zone=pl.when(placeless).then(nowhere).otherwise("zone"),
        spot_amount=pl.when(~seller.is_in(_NO_SPOT)).then("spot_amount"),
    )
    return pl.concat([_option(machines, "on_demand", nowhere), _option(machines, "spot", pl.col("zone"))])


def _option(machines: pl.LazyFrame, option: str, zone: pl.Expr) -> pl.LazyFrame:
    amount = pl.col(f"{option}_amount")
    priced = machines.filter(amount.is_not_null() & (amount.cast(pl.Float64, strict=False) != 0))
    stated = observations(priced, SOURCE, sku=pl.col("instance_type"), zone=zone, purchase_option=option, native_amount=amount)
    return stated.unique(maintain_order=True)
