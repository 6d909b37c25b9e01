"""A made year of the whole market, for the benchmarks: 50,000 series of 40 sellers as catalogues of gpuhunt, each read once a day.

    python -m tests.benchmarks.made_year FOLDER [DAYS] [SERIES]

writes the last so many days of it as snapshots. Belongs here: the market, how it moves, its answers. Does not belong here: what a refresh
of it costs. Made from a fixed seed: a day is the same whichever days are asked for. Nothing of it is a price.

The rates are those of a recorded history (AWS four times a day over 426 days of 2022-12 to 2024-01: 3.26 million readings of 2,116 series;
GCP 112 times, Azure three times, Lambda five times), measured per series between the last readings of successive days:

- AWS spot moves on 54% of the days (a tenth of the series on fewer than 20%, a tenth on more than 97%), by 0.64% at the median (quartiles
  0.31% and 1.22%, one in twenty by more than 4.5%), as often up as down. `EVERY_DAY` has it.
- GCP's spot moves 2.5 times a year, by 10.5% at the median (quartiles 4.9% and 16.3%). `AT_TIMES` has it.
- A price on demand moves 0.20 (GCP) to 0.24 times a year (Lambda), and on none of 230,812 days of AWS; the moves run from 0.003% to
  18.7%. `SELDOM` has it.
- 17% to 20% of AWS's series began and 3% ended within the 14 months. Here as many end as begin, a tenth a year: the market keeps its
  size, so that what a longer history costs is not mistaken for what a larger market does.
- Half of what a cloud lists is spot: 72% of the series of AWS, 65% of GCP, 46% of Azure, 25% of RunPod.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.ingest.snapshots import SnapshotStore
from pipelines.platform.paths import PACKAGE_FOLDER
from pipelines.sources.lib.source import Payload

# The year ends on the day of what ships, so that rates and measured servers stand beside all of it.
SERIES, SELLERS, DAYS, LAST_DAY = 50_000, 40, 365, date(2026, 11, 23)
_SEED = 15
_ENDED_A_DAY = 0.10 / 365
# A price stays within a factor of e^0.15 of where it began.
_BOUND = 0.15


@dataclass(frozen=True)
class Rate:
    """How a price moves: on which share of days (of the calmest and the wildest series), by how much at the median, and how widely."""

    least_share: float
    most_share: float
    step: float
    spread: float


EVERY_DAY = Rate(0.10, 1.0, 0.0064, 1.0)
AT_TIMES = Rate(2.5 / 365, 2.5 / 365, 0.105, 0.8)
SELDOM = Rate(0.2 / 365, 0.2 / 365, 0.05, 1.0)

# Name and memory as such a list has them, and about the middle of what an hour of one was ever seen at.
_DEVICES = (
    ("H100 SXM", 80, 3.4),
    ("H200 SXM", 141, 3.5),
    ("B200 SXM", 180, 4.9),
    ("A100 SXM", 80, 1.6),
    ("A100 SXM", 40, 1.6),
    ("L40S", 48, 1.5),
    ("L4", 24, 0.6),
    ("V100", 16, 1.1),
    ("A10", 24, 0.9),
    ("H100 PCIe", 80, 3.0),
    ("A100 PCIe", 80, 1.5),
    ("B300 SXM", 288, 6.6),
)
_COUNTS = (1, 2, 4, 8)


def write_days(folder: Path, first: date, last: date, series: int = SERIES) -> None:
    """Store what was read on each of these days: one fetch a day, a catalogue of each seller."""
    store = SnapshotStore(folder)
    for day, lists in days(first, last, series):
        at = datetime.combine(day, time(6))
        payloads = []
        for (cloud,), rows in lists.partition_by("cloud", as_dict=True, include_key=False, maintain_order=True).items():
            answer = {"cloud": cloud, "version": f"{day:%Y%m%d}-1", "csv": rows.write_csv()}
            payloads.append(Payload(f"{cloud}.csv", f"https://gpuhunt.example/{cloud}", json.dumps(answer).encode(), at))
        store.add("gpuhunt", day, f"made-{day}", payloads)


def days(first: date, last: date, series: int = SERIES) -> Iterator[tuple[date, pl.DataFrame]]:
    """Each day with the lists of all sellers in the columns of a catalogue, behind that of the cloud."""
    lines, base, share, step, spread = _market(series)
    ends_on = np.random.default_rng(_SEED).random(series) / _ENDED_A_DAY
    walked = np.zeros(series)
    for number in range((last - _first_day()).days + 1):
        rng = np.random.default_rng((_SEED, number))
        moves = rng.random(series) < share
        walked += moves * rng.choice((-1, 1), series) * step * np.exp(spread * rng.standard_normal(series))
        day = _first_day() + timedelta(days=number)
        if day < first:
            continue
        # Reflected at the bounds.
        offset = np.abs((walked + _BOUND) % (4 * _BOUND) - 2 * _BOUND) - _BOUND
        usd = np.round(base * np.exp(offset), 6)
        # A machine that ends is followed by another at its price.
        name = pl.when(pl.lit(ends_on <= number)).then(pl.col("instance_name") + "-next").otherwise("instance_name")
        yield day, lines.with_columns(name.alias("instance_name"), price=pl.lit(usd))


def _first_day() -> date:
    return LAST_DAY - timedelta(days=DAYS - 1)


def sellers() -> dict[str, list[str]]:
    """Clouds with their regions: those whose regions are known, the largest first, then such as nobody knows where they stand."""
    with (PACKAGE_FOLDER / "reference" / "region_country.csv").open(encoding="utf-8", newline="") as file:
        known = [(row["provider"], row["region"]) for row in csv.DictReader(file)]
    places = {cloud: [region for owner, region in known if owner == cloud] for cloud, _ in Counter(p for p, _ in known).most_common()}
    made = {f"made{number:02}": [f"site-{k}" for k in range(1, 5)] for number in range(1, SELLERS - len(places) + 1)}
    return {**places, **made}


@cache
def _market(series: int) -> tuple[pl.DataFrame, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Lines of all lists; of each the price in the middle, the share of days on which it moves, by how much and how widely.

    The n-th seller has a share of 1/n of the largest one's series. Each machine is offered in all its regions, on demand and spot.
    """
    rng = np.random.default_rng((_SEED, 0, 0))
    found = sellers()
    weights = 1 / np.arange(1, len(found) + 1)
    counts = np.floor(weights / weights.sum() * series).astype(int)
    counts[0] += series - counts.sum()
    parts = []
    for rank, ((cloud, regions), count) in enumerate(zip(found.items(), counts, strict=True)):
        number = np.arange(count)
        kind = number // (2 * len(regions))
        parts.append(
            pl.DataFrame(
                {
                    "cloud": [cloud] * count,
                    "rank": [rank] * count,
                    "kind": kind,
                    "location": np.array(regions)[number // 2 % len(regions)],
                    "device": kind % len(_DEVICES),
                    "gpu_count": np.array(_COUNTS)[kind // len(_DEVICES) % len(_COUNTS)],
                    "spot": number % 2 == 1,
                }
            )
        )
    devices = pl.DataFrame(_DEVICES, schema=["gpu_name", "gpu_memory", "usd"], orient="row").with_row_index("device")
    market = pl.concat(parts).join(devices.cast({"device": pl.Int64}), on="device", maintain_order="left")
    spot, every_day = market["spot"].to_numpy(), (market["rank"] % 2 == 0).to_numpy()
    rates = np.where(spot & every_day, 0, np.where(spot, 1, 2))
    least, most, step, spread = np.array([astuple(rate) for rate in (EVERY_DAY, AT_TIMES, SELDOM)])[rates].T
    share = least + rng.random(series) * (most - least)
    # However both move, spot stays below on demand.
    asked = np.exp(rng.uniform(-0.2, 0.2, series)) * np.where(spot, 0.45, 1.0)
    base = (market["usd"] * market["gpu_count"]).to_numpy() * asked
    lines = market.select(
        "cloud", pl.format("made-{}", "kind").alias("instance_name"), "location", "gpu_count", "gpu_name", "gpu_memory", "spot"
    )
    return lines, base, share, step, spread


if __name__ == "__main__":
    folder, *asked = sys.argv[1:]
    count, size = map(int, [*asked, *(DAYS, SERIES)[len(asked) :]])
    write_days(Path(folder), LAST_DAY - timedelta(days=count - 1), LAST_DAY, size)
