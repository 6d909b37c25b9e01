"""Prices of machines with accelerators as the SkyPilot catalog lists them: a second word on AWS, Azure and Lambda, without a key.

Only clouds whose lists a workflow renews several times a day are read; of the others a figure's age is not known. GCP's is not fetched,
and where a snapshot of it is stored its rows stay in raw: there the price of a machine and that of its accelerators stand apart.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable

import polars as pl

from pipelines.platform.clock import utc_now
from pipelines.sources.lib.errors import OfflineError, ParseError, SourceError
from pipelines.sources.lib.source import FetchContext, Payload, Source

_CLOUDS = ("aws", "azure", "lambda")

SOURCE = Source(
    title="SkyPilot catalog",
    homepage="https://github.com/skypilot-org/skypilot-catalog",
    licence="no licence stated for the figures; facts, with attribution",
    attribution="prices as collected by the SkyPilot catalog",
    semantics="reading",
    precedence=400,
    base_url="https://raw.githubusercontent.com",
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
_OPTIONAL = ("AvailabilityZone",)


def fetch(context: FetchContext) -> Iterable[Payload]:
    """One list per cloud; the list does not name its cloud, so it is stored in an envelope that does."""
    for cloud in _CLOUDS:
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


def parse(content: bytes) -> pl.DataFrame:
    """One row per machine with accelerators, region and zone, amounts as printed. Raises ParseError."""
    try:
        document = json.loads(content)
        cloud, text = document["cloud"], document["vms_csv"]
        frame = pl.read_csv(io.StringIO(text), infer_schema=False, raise_if_empty=False)
    except (ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        raise ParseError(f"vms.csv: {type(error).__name__}: {error}; expected a cloud and its list as CSV") from error
    missing = [name for name in _COLUMNS if name not in frame.columns and name not in _OPTIONAL]
    if missing:
        raise ParseError(f"vms.csv of {cloud}: column {missing[0]} is missing; found {', '.join(frame.columns)}")
    named = frame.select(
        pl.lit(cloud).alias("provider"),
        *(
            (pl.col(theirs) if theirs in frame.columns else pl.lit(None, dtype=pl.String)).replace("", None).alias(ours)
            for theirs, ours in _COLUMNS.items()
        ),
    ).filter(pl.col("gpu_as_named").is_not_null())
    typed = named.with_columns(pl.col("gpu_count_stated").cast(pl.Float64, strict=False))
    bad = named.get_column("gpu_count_stated").is_not_null() & typed.get_column("gpu_count_stated").is_null()
    if bad.any():
        raise ParseError(
            f"vms.csv of {cloud}: AcceleratorCount {named.get_column('gpu_count_stated')[bad.arg_true()[0]]!r} is not a number"
        )
    return typed.unique(maintain_order=True)


def normalise(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of feed observation: on demand by region, spot by zone. An empty amount is not offered, and 0 is unknown: neither is a price."""
    machines = raw.filter(pl.col("provider").is_in(_CLOUDS) & pl.col("instance_type").is_not_null())
    on_demand = _option(machines, "on_demand", pl.lit(None, dtype=pl.String)).unique(maintain_order=True)
    return pl.concat([on_demand, _option(machines, "spot", pl.col("zone"))])


def _option(machines: pl.LazyFrame, option: str, zone: pl.Expr) -> pl.LazyFrame:
    amount = pl.col(f"{option}_amount")
    text = pl.lit(None, dtype=pl.String)
    return machines.filter(amount.is_not_null() & (amount.cast(pl.Float64, strict=False) != 0)).select(
        "provider",
        pl.col("provider").alias("seller"),
        "region",
        zone.alias("zone"),
        pl.col("instance_type").alias("sku"),
        "instance_type",
        "gpu_as_named",
        "gpu_count_stated",
        pl.lit(None, dtype=pl.Float64).alias("gpu_memory_gib_stated"),
        pl.lit(option).alias("purchase_option"),
        pl.lit(option).alias("purchase_option_as_named"),
        text.alias("payment_option"),
        pl.lit(None, dtype=pl.Int64).alias("commitment_months"),
        pl.lit("linux").alias("operating_system"),
        pl.lit("shared").alias("tenancy"),
        pl.lit("datacenter").alias("trust_tier"),
        pl.lit("USD").alias("currency"),
        amount.alias("native_amount"),
        pl.lit("instance_hour").alias("price_unit"),
        pl.col("fetched_at").alias("first_seen_at"),
        pl.col("fetched_at").alias("last_confirmed_at"),
        pl.col("fetched_at").alias("known_from"),
        pl.lit(SOURCE.title).alias("source_detail"),
        pl.lit(SOURCE.homepage).alias("source_url"),
        pl.lit(SOURCE.licence).alias("licence"),
        "snapshot_sha256",
    )
