"""Catalogues that gpuhunt's own job collects and publishes: a fallback and a cross-check for clouds that need a key.

Forms are lost there (SXM and PCIe are both "H100"), and a cloud whose job failed keeps its old catalogue: its version says the day.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterable
from datetime import date

import polars as pl

from pipelines.platform.clock import utc_now
from pipelines.platform.text import fit_to_show
from pipelines.sources.lib.decode import parser, read_csv_text, read_json
from pipelines.sources.lib.errors import OfflineError, ParseError, SourceError
from pipelines.sources.lib.offers import OFFER_TABLE, offers
from pipelines.sources.lib.source import FetchContext, Payload, Source

# What these sell, and under which names we know them. Others we read first-hand.
_CLOUDS = {"gcp": "gcp", "lambdalabs": "lambda", "nebius": "nebius", "oci": "oci", "verda": "verda"}
_OLDEST_DAYS = 2
_MAX_UNPACKED_BYTES = 64 * 1024 * 1024

SOURCE = Source(
    title="gpuhunt catalogues",
    homepage="https://github.com/dstackai/gpuhunt",
    licence="code MPL-2.0, no licence stated for the figures; facts, with attribution",
    attribution="prices as collected by gpuhunt",
    semantics="reading",
    precedence=450,
    base_url="https://dstack-gpu-pricing.s3.eu-west-1.amazonaws.com",
    table=OFFER_TABLE,
    certainty="documented",
    checked_on=date(2026, 11, 23),
    gives="on-demand and spot prices of GCP, Lambda, Nebius, OCI and Verda, second-hand",
)
_WHAT = "catalogue"
_COLUMNS = {
    "instance_name": "sku",
    "location": "region",
    "price": "native_amount",
    "gpu_count": "gpu_count_stated",
    "gpu_name": "gpu_as_named",
    "gpu_memory": "gpu_memory_gib_stated",
    "spot": "spot",
}


def fetch(context: FetchContext) -> Iterable[Payload]:
    """One catalogue per cloud in an envelope that names it and its version; one that is older than two days is left out and said."""
    for cloud in _CLOUDS:
        try:
            version = context.http.get(f"{context.base_url}/v3/{cloud}/version").content.decode("utf-8", "replace").strip()
            age = (context.as_of - _day_of(version, cloud)).days
            if age > _OLDEST_DAYS:
                raise SourceError(f"{cloud}: the newest catalogue is of {version}, {age} days old")
            answer = context.http.get(f"{context.base_url}/v3/{cloud}/{version}/catalog.zip")
            content = json.dumps({"cloud": cloud, "version": version, "csv": _member(answer.content, f"{cloud}.csv").decode()}).encode()
        except OfflineError:
            raise
        except (SourceError, UnicodeDecodeError) as error:
            context.problem(str(error))
            continue
        yield Payload(f"{cloud}.csv", answer.url, content, utc_now(), answer.status, answer.etag)


def _day_of(version: str, cloud: str) -> date:
    try:
        if re.fullmatch(r"[0-9]{8}-[0-9]+", version):
            return date(int(version[:4]), int(version[4:6]), int(version[6:8]))
    except ValueError:
        pass
    raise SourceError(f"{cloud}: version is {fit_to_show(version)!r}, expected a day and a number")


def _member(content: bytes, name: str) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(name) as member:
            unpacked = member.read(_MAX_UNPACKED_BYTES + 1)
    except (zipfile.BadZipFile, KeyError, OSError, EOFError, RuntimeError, NotImplementedError) as error:
        raise SourceError(f"{name}: not in a readable archive: {error}") from error
    if len(unpacked) > _MAX_UNPACKED_BYTES:
        raise SourceError(f"{name}: unpacks to more than {_MAX_UNPACKED_BYTES:,} bytes")
    return unpacked


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per machine with GPUs, place and option, read on the day that the version names. Raises ParseError, SourceError."""
    document = read_json(content, _WHAT)
    if not isinstance(document, dict) or not all(isinstance(document.get(key), str) for key in ("cloud", "version", "csv")):
        raise ParseError(f"{_WHAT}: expected a cloud, its version and its catalogue as CSV")
    cloud = document["cloud"]
    rows = read_csv_text(document["csv"].encode("utf-8", "replace"), f"{_WHAT} of {cloud}", _COLUMNS)
    is_line = pl.any_horizontal(pl.all().is_not_null())
    machines = rows.filter(pl.col("gpu_as_named").is_not_null() | ~is_line).unique(maintain_order=True)
    options = pl.col("spot").str.to_lowercase().replace({"true": "spot", "false": "on_demand"}).alias("purchase_option")
    return offers(
        machines.with_columns(options, instance_type=pl.col("sku")).drop("spot").rows(named=True),
        provider=_CLOUDS.get(cloud, cloud),
        currency="USD",
        read_on=_day_of(document["version"], cloud).isoformat(),
    )
