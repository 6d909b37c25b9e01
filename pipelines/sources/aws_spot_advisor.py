"""How often AWS takes spot machines back: the band of the last month by region and type that Amazon's spot advisor shows, without a key.

A saving against on demand stands beside it. It is kept as stated and makes no price: what a spot machine costs is said by prices.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import polars as pl

from pipelines.sources.lib.aws import gpu_instance_types
from pipelines.sources.lib.decode import as_text, field_of, list_of, number_of, parser, read_json
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.fetching import one_answer
from pipelines.sources.lib.source import FetchContext, Payload, Source

SOURCE = Source(
    title="AWS EC2 spot instance advisor",
    homepage="https://aws.amazon.com/ec2/spot/instance-advisor/",
    licence="public file without stated terms; figures with attribution",
    semantics="reading",
    base_url="https://spot-bid-advisor.s3.amazonaws.com",
    certainty="recorded",
    rows_at_least=300,
    gives="share of spot machines that were interrupted within the last month, in bands, by region and type",
)
_WHAT = "spot advisor"
_SCHEMA = {
    "region": pl.String,
    "instance_type": pl.String,
    "interruption_band": pl.String,
    "least_interrupted_share_per_month": pl.Float64,
    "greatest_interrupted_share_per_month": pl.Float64,
    "saving_share_stated": pl.Float64,
}
# "<5%", "5-10%", ">20%".
_BAND = re.compile(r"(?:<(?P<below>\d{1,2})|>(?P<above>\d{1,2})|(?P<least>\d{1,2})-(?P<greatest>\d{1,2}))%")


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The file behind the advisor's page."""
    return one_answer(context, "spot-advisor-data.json", "/spot-advisor-data.json")


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One row per region and Linux machine with accelerators; a band that is not known has its number and no shares. Raises ParseError."""
    document = read_json(content, _WHAT)
    regions = field_of(document, "spot_advisor")
    labels = {
        number: field_of(row, "label") for row in list_of(document, "ranges", _WHAT) if isinstance(number := field_of(row, "index"), int)
    }
    if not isinstance(regions, dict) or not any(isinstance(field_of(region, "Linux"), dict) for region in regions.values()):
        raise ParseError(f"{_WHAT}: expected spot_advisor with regions, each with types under Linux")
    rows = [
        _row(region, instance_type, said[instance_type], labels)
        for region, systems in sorted(regions.items())
        if isinstance(said := field_of(systems, "Linux"), dict)
        for instance_type in sorted(said.keys() & set(gpu_instance_types()))
    ]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _row(region: str, instance_type: str, said: Any, labels: dict[int, Any]) -> tuple[Any, ...]:
    number, saving = field_of(said, "r"), number_of(as_text(field_of(said, "s")))
    label = as_text(labels.get(number) if isinstance(number, int) else None) or f"not known: {as_text(number)}"
    least, greatest = _shares(label)
    return region, instance_type, label, least, greatest, None if saving is None else float(saving) / 100


def _shares(label: str) -> tuple[float | None, float | None]:
    """Ends of a band as shares; above the last one there is no upper end."""
    found = _BAND.fullmatch(label.replace(" ", ""))
    if found is None:
        return None, None
    if found["above"]:
        return int(found["above"]) / 100, None
    return int(found["least"] or 0) / 100, int(found["greatest"] or found["below"]) / 100
