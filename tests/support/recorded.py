"""Answers as services gave them, read as a refresh would read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from pipelines.catalogue.contracts import catalogue
from pipelines.ingest.registry import discover
from pipelines.sources.lib import declared

MODULES = discover(catalogue())
MANIFESTS = {manifest.name: manifest for manifest in declared.manifests()}


def read(name: str, path: Path, variables: dict[str, str] | None = None, request: str | None = None, **lookups: Any) -> pl.DataFrame:
    content = path.read_bytes()
    if name in MANIFESTS:
        manifest = MANIFESTS[name]
        content = declared.enveloped(manifest, request or manifest.document["requests"][0]["name"], content, variables, lookups)
    return MODULES[name].parse(content)


def amounts(frame: pl.DataFrame, *keys: str) -> dict[Any, str]:
    return {row[:-1] if len(keys) > 1 else row[0]: row[-1] for row in frame.select(*keys, "native_amount").rows()}
