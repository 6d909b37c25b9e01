"""Made declared sources, for the benchmarks: a copy of the project that has them, and what they answer on a day.

Belongs here: their manifests and answers. Does not belong here: what a refresh of them costs. Nothing of it is a price.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

from pipelines.ingest.snapshots import SnapshotStore
from pipelines.platform.paths import MODELS_FOLDER, PACKAGE_FOLDER, SQL_FOLDER
from pipelines.sources.lib.source import Payload

OFFERS = 5
_MANIFEST = """\
title: Made source {name}
homepage: https://{name}.example
licence: made figures
certainty: reported
checked_on: 2026-11-23
gives: nothing but figures of a benchmark
base_url: https://api.{name}.example
requests:
  - {{name: offers, path: /offers}}
records: offers
row:
  provider: {{value: {name}}}
  region: place
  sku: name
  instance_type: name
  gpu_as_named: device
  gpu_count_stated: gpus
  currency: {{value: USD}}
offers:
  - {{native_amount: hourly}}
"""


def names(count: int) -> list[str]:
    """Names of so many made sources, the same first ones whatever the number."""
    return [f"made{number:02}" for number in range(count)]


def project_with(folder: Path, count: int) -> Path:
    """A copy of the package and its models with so many sources more."""
    for part in (PACKAGE_FOLDER, MODELS_FOLDER, SQL_FOLDER):
        shutil.copytree(part, folder / part.name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in names(count):
        (folder / PACKAGE_FOLDER.name / "sources" / "declared" / f"{name}.yml").write_text(_MANIFEST.format(name=name), encoding="utf-8")
    return folder


def write_answers(snapshots: Path, day: dt.date, count: int) -> None:
    """Store what so many made sources answer on a day: every price moves each day."""
    store, at = SnapshotStore(snapshots), dt.datetime.combine(day, dt.time(6))
    for name in names(count):
        offers = [
            {
                "name": f"machine-{number}",
                "place": f"site-{number % 4}",
                "device": "H100 SXM",
                "gpus": 8,
                "hourly": round(20 + number / 10 + day.toordinal() % 10 / 100, 2),
            }
            for number in range(OFFERS)
        ]
        content = json.dumps({"offers": offers}).encode()
        store.add(name, day, f"made-{day}", [Payload("offers/0001", f"https://api.{name}.example/offers", content, at)])
