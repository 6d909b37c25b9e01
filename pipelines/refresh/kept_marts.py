"""A mart whose model fails keeps what is published, and so does each that reads it; all others are published anew.

Belongs here: finding the published content of a mart, and the verdict that says why it was kept. Does not belong here: running models
(`model_tables`), what the status says of it (`pipelines.monitoring`). A mart that breaks a rule is no failure: it blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from pipelines.catalogue.contracts import Contract
from pipelines.platform.text import fit_to_show
from pipelines.publication.manifest import kept_marts
from pipelines.publication.parts import Part, published_parts
from pipelines.publication.versions import PublishedFolder
from pipelines.quality.results import RuleResult
from pipelines.quality.source_rules import could_not_be_made


@dataclass(frozen=True)
class KeptMart:
    """The published content of a mart: its files, its rows, the day that it was computed for, and why there is no newer one."""

    parts: list[Part]
    rows: int
    as_of: str
    reason: str

    def verdict(self) -> RuleResult:
        """What the record says of it."""
        return could_not_be_made(self.rows, self.as_of, self.reason)

    def stated(self) -> dict[str, str]:
        """What the manifest says of it."""
        return {"as_of": self.as_of, "reason": self.reason}


def kept_mart(contract: Contract, published: PublishedFolder, as_of: date, reason: str) -> KeptMart | None:
    """The published content of a mart that cannot be made; None for another table, and where nothing of an earlier day is published."""
    manifest, current = published.whole_manifest(), published.current
    if contract.layer != "marts" or manifest is None or current is None or contract.table not in manifest["tables"]:
        return None
    if manifest["as_of"] > as_of.isoformat():
        return None
    day = kept_marts(manifest).get(contract.table, manifest)["as_of"]
    return KeptMart(published_parts(contract, current), manifest["tables"][contract.table]["rows"], day, fit_to_show(reason))


def why_not_made(inputs: Iterable[str], kept: Mapping[str, KeptMart]) -> str | None:
    """Why a table is not made of its inputs, None where it is: one of them is older than the others."""
    older = sorted(f"marts.{name}" for name in inputs if name in kept)
    return f"it reads {', '.join(older)}, which could not be made" if older else None
