"""Prices of machines with accelerators as the SkyPilot catalog lists them: a second word on several clouds, without a key.

Only clouds whose lists a workflow renews are fetched: Azure's is renewed by none and stands in no version of the catalog. Lists that are
the product of all types and all regions say nothing of where a machine stands: of these each type is one offer without a place.
Shadeform's list is of machines of others: the beginning of each type's name says whose. Vast's gives of each type the median of what
its hosts ask, wherever they stand.

In GCP's list the price of a machine and that of its accelerators stand apart: what has no disks of its own is put together here, since
the list knows no disks. Spot alone: the on-demand price of accelerators is at times that of a booking for days (A100 of 80 GB in
us-central1: 1.85 USD on demand, 1.96 spot), and nothing in the list says when.

A price is of the moment at which its list was last changed: that a later run of the workflow found the same is not known. Where GitHub
does not say that moment, the list is taken as what the catalog shows at its fetch, its source detail says that its age is not known, and
so does the status of the source.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

import polars as pl

from pipelines.platform.clock import utc_now
from pipelines.platform.text import fit_to_show
from pipelines.sources.lib.companies import as_company
from pipelines.sources.lib.countries import COUNTRIES
from pipelines.sources.lib.decode import as_text, field_of, list_of, parser, read_csv_text, read_json
from pipelines.sources.lib.errors import OfflineError, ParseError, SourceError
from pipelines.sources.lib.offers import observations
from pipelines.sources.lib.source import FetchContext, Payload, Source

_FETCHED = ("aws", "gcp", "lambda", "nebius", "oci", "runpod", "seeweb", "shadeform", "vast", "verda")
# Read where a snapshot holds them.
_CLOUDS = (*_FETCHED, "azure")
# Their lists give every type every region, whatever is sold where, or one price for all places.
_PLACE_UNKNOWN = ("lambda", "nebius", "oci", "runpod", "seeweb", "vast", "verda")
# Sells on what others run: `massedcompute_A6000x8` in `kansascity-usa-1`.
_RESELLER = "shadeform"
# A marketplace of hosts. Its types say more of the device than the catalog's own name: `1x-H100_SXM-32-65536`.
_MARKETPLACE = "vast"
_HOSTS_TYPE = r"^\d+x-(.+)-\d+-\d+$"
# Their spot column repeats the on-demand price, or is the greatest bid that any host waits for.
_NO_SPOT = ("runpod", _MARKETPLACE)
# GCP's machines without disks of their own, with the accelerators that their price leaves out.
_GCP = "gcp"
_GCP_ACCELERATORS = {
    **{f"a2-highgpu-{n}g": ("A100", n) for n in (1, 2, 4, 8)},
    "a2-megagpu-16g": ("A100", 16),
    **{f"g2-standard-{cores}": ("L4", 1) for cores in (4, 8, 12, 16, 32)},
    **{f"g2-standard-{12 * n}": ("L4", n) for n in (2, 4, 8)},
}
_MONEY = pl.Decimal(18, 8)
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
    gives="on-demand and spot prices of AWS, Lambda, Nebius, OCI, RunPod, Seeweb, Verda and what Shadeform sells on, spot of GCP's machines"
    " without disks, medians of Vast's hosts; second-hand",
)
_REPOSITORY = "skypilot-org/skypilot-catalog"
_API = "https://api.github.com"
_BRANCH = "master"
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
    """The newest version of each cloud's list, with the moment at which it was last changed, as far as GitHub says it."""
    is_asked = True
    for cloud in _FETCHED:
        path, commit, read_at = f"catalogs/v8/{cloud}/vms.csv", _BRANCH, None
        if is_asked:
            try:
                commit, read_at = _newest_version(context, path)
            except SourceError as error:
                # Who asks more than 60 times an hour is refused: the others are not asked for.
                is_asked = False
                context.problem(f"{error}; how old this list and those after it are is not known")
        try:
            answer = context.http.get(f"{context.base_url}/{_REPOSITORY}/{commit}/{path}")
            stored = payload(cloud, answer.content, answer.url, answer.status, answer.etag, read_at)
        except OfflineError:
            raise
        except SourceError as error:
            context.problem(str(error))
            continue
        yield stored


def _newest_version(context: FetchContext, path: str) -> tuple[str, str]:
    """Name and moment of the last commit that changed a list: a later run of its workflow that found the same leaves none."""
    # Whoever sets an address answers for both hosts.
    api = _API if context.base_url == SOURCE.base_url else context.base_url
    answer = context.http.get(f"{api}/repos/{_REPOSITORY}/commits", [("path", path), ("per_page", "1")])
    newest = next(iter(list_of(read_json(answer.content, path), "", path)), None)
    if newest is None:
        raise SourceError(f"{path}: no version of the list at {answer.url}")
    commit, read_at = as_text(field_of(newest, "sha")), as_text(field_of(newest, "commit.committer.date"))
    if not re.fullmatch("[0-9a-f]{40}", commit or ""):
        raise SourceError(f"{path}: sha is {fit_to_show(commit)!r}, expected the name of a commit")
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", read_at or ""):
        raise SourceError(f"{path}: commit.committer.date is {fit_to_show(read_at)!r}, expected a time in UTC")
    return str(commit), str(read_at)


def payload(cloud: str, csv: bytes, url: str, status: int = 200, etag: str | None = None, read_at: str | None = None) -> Payload:
    """A list, fetched now, in an envelope that names what it does not: its cloud, and the moment from which it is."""
    try:
        content = json.dumps({"cloud": cloud, "read_at": read_at, "vms_csv": csv.decode("utf-8")}).encode()
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
    if cloud == _GCP:
        is_part = pl.col("instance_type").is_in(list(_GCP_ACCELERATORS)).fill_null(False)
        machines = pl.concat([_put_together(text), machines.filter(~is_part)])
    owner, machine = (pl.col("instance_type").str.extract("^([^_]+)_(.+)$", part) for part in (1, 2))
    whose = {"provider": pl.lit(cloud)}
    if cloud == _RESELLER:
        whose = {"provider": owner, "instance_type": pl.coalesce(machine, "instance_type")}
    read_at = pl.lit(document.get("read_at"), dtype=pl.String).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us")
    return (
        machines.with_columns(**whose, seller=pl.lit(cloud))
        # A count that is none is unknown; it does not take the rest of the list away.
        .with_columns(as_company("provider"), _number("gpu_count_stated"))
        .select("provider", "seller", *_COLUMNS.values(), read_at=read_at)
        .unique(maintain_order=True)
    )


def _put_together(lines: pl.DataFrame) -> pl.DataFrame:
    """GCP's machines with their accelerators in each zone at the spot price of both; without a price of either there is none."""
    place, spot = ["gpu_as_named", "gpu_count_stated", "region", "zone"], pl.col("spot_amount").cast(_MONEY, strict=False)
    part = pl.when(spot > 0).then(spot)
    accelerators = lines.filter(pl.col("instance_type").is_null()).select(*place[:1], _number("gpu_count_stated"), *place[2:], __gpus=part)
    kinds = pl.DataFrame(
        [(name, *accelerator) for name, accelerator in _GCP_ACCELERATORS.items()],
        schema={"instance_type": pl.String, "gpu_as_named": pl.String, "gpu_count_stated": pl.Float64},
        orient="row",
    )
    return (
        lines.drop("gpu_as_named", "gpu_count_stated")
        .join(kinds, on="instance_type", maintain_order="left")
        .join(accelerators.unique(), on=place, how="left", maintain_order="left_right")
        .with_columns(
            pl.col("gpu_count_stated").cast(pl.String),
            on_demand_amount=pl.lit(None, dtype=pl.String),
            spot_amount=(part + pl.col("__gpus")).cast(pl.String),
        )
        .select(lines.columns)
    )


def _number(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Float64, strict=False)


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed observation: on demand by region, spot by zone. An empty amount is not offered, and 0 is unknown: neither is a price."""
    seller = pl.col("seller")
    placeless = seller.is_in(_PLACE_UNKNOWN)
    country = pl.col("region").str.extract("-([a-z]+)-[0-9]+$", 1).replace_strict(COUNTRIES, default=None, return_dtype=pl.String)
    nowhere = pl.lit(None, dtype=pl.String)
    # What hosts call A100 SXM4 has either memory.
    of_hosts = pl.when(seller == _MARKETPLACE).then(pl.col("instance_type").str.extract(_HOSTS_TYPE).str.replace_all("_", " "))
    is_whole = (seller != _GCP) | pl.col("instance_type").is_in(list(_GCP_ACCELERATORS))
    machines = raw.filter(seller.is_in(_CLOUDS) & pl.col("instance_type").is_not_null() & is_whole).with_columns(
        country_stated=pl.when(seller == _RESELLER).then(country),
        gpu_memory_gib_stated=pl.when((pl.col("gpu_as_named") == "A100") & (seller != _MARKETPLACE)).then(_PLAIN_A100_GIB),
        gpu_as_named=pl.coalesce(of_hosts, "gpu_as_named"),
        region=pl.when(placeless).then(pl.lit("all")).otherwise("region"),
        zone=pl.when(placeless).then(nowhere).otherwise("zone"),
        spot_amount=pl.when(~seller.is_in(_NO_SPOT)).then("spot_amount"),
        # RunPod's types name its two clouds.
        trust_tier=pl.when(seller == _MARKETPLACE)
        .then(pl.lit("unverified"))
        .otherwise(pl.col("instance_type").str.extract("_(SECURE|COMMUNITY)$", 1).str.to_lowercase().fill_null("datacenter")),
    )
    return pl.concat([_option(machines, "on_demand", nowhere), _option(machines, "spot", pl.col("zone"))])


def _option(machines: pl.LazyFrame, option: str, zone: pl.Expr) -> pl.LazyFrame:
    amount = pl.col(f"{option}_amount")
    # Zones that ask the same on demand are one row, before it has all columns of the feed: a list may be long.
    priced = (
        machines.filter(amount.is_not_null() & (amount.cast(pl.Float64, strict=False) != 0))
        .with_columns(zone=zone, native_amount=amount)
        .drop("on_demand_amount", "spot_amount")
        .unique(maintain_order=True)
    )
    read_at, is_market = pl.col("read_at"), pl.col("seller") == _MARKETPLACE
    return observations(
        priced,
        SOURCE,
        sku=pl.col("instance_type"),
        purchase_option=pl.when(is_market).then(pl.lit("marketplace")).otherwise(pl.lit(option)),
        purchase_option_as_named=pl.when(is_market).then(pl.lit("median of the hosts' offers")).otherwise(pl.lit(option)),
        first_seen_at=pl.coalesce(read_at, "fetched_at"),
        last_confirmed_at=pl.coalesce(read_at, "fetched_at"),
        source_detail=pl.concat_str(
            pl.lit(f"{SOURCE.title}, "),
            pl.coalesce(pl.format("list of {}", read_at.dt.to_string("%Y-%m-%d")), pl.lit("age of the list not known")),
        ),
    )
