"""Facts about models, devices and sellers, from the published version that is read: an answer is of one world.

Belongs here: their queries. Does not belong here: prices and assumptions (`reading`), rates (`rates`).
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from pipelines.decision.documents import WorkloadError
from pipelines.decision.estimate import Device, Model
from pipelines.publication.reader import rows


@dataclass(frozen=True)
class Facts:
    """`models` and `devices` whose sizes and roofs are known; seats and kinds of sellers; certified places; memory of every GPU."""

    models: dict[str, Model]
    devices: dict[str, Device]
    gpu_memory_gb: dict[str, float]
    headquarters: dict[str, str]
    resellers: frozenset[str]
    certified: frozenset[tuple[str, str, str]]


def read_facts(connection: duckdb.DuckDBPyConnection) -> Facts:
    """All of them. Raises WorkloadError where the version was published before it held them."""
    try:
        gpus = rows(connection, "SELECT * FROM marts.gpu ORDER BY gpu")
        models = rows(connection, "SELECT * FROM marts.model WHERE total_parameters > 0 AND active_parameters > 0 ORDER BY model")
    except duckdb.CatalogException as error:
        raise WorkloadError("the published version has no marts.gpu and marts.model, expected one of this release: refresh once") from error
    sellers = rows(connection, "SELECT * FROM marts.provider_fact ORDER BY provider")
    certified = rows(connection, "SELECT provider, region, certification FROM marts.region_certification")
    return Facts(
        models={r["model"]: Model(r["model"], float(r["total_parameters"]), float(r["active_parameters"])) for r in models},
        devices={
            r["gpu"]: Device(r["gpu"], r["gpu_memory_gb"] * 1e9, float(r["memory_bandwidth_bytes_per_s"]), _flops(r))
            for r in gpus
            if r["memory_bandwidth_bytes_per_s"] is not None and r["gpu_memory_gb"]
        },
        gpu_memory_gb={r["gpu"]: r["gpu_memory_gb"] for r in gpus},
        headquarters={r["provider"]: r["headquarters_country"] for r in sellers},
        resellers=frozenset(r["provider"] for r in sellers if "reseller" in (r["note"] or "")),
        certified=frozenset((r["provider"], r["region"], r["certification"]) for r in certified),
    )


def _flops(row: dict[str, float | None]) -> dict[str, float]:
    """Dense operations a second by precision. Weights of four bits are computed in the next wider precision where the device has none."""
    flops = {p: value for p in ("bf16", "fp8", "fp4") if (value := row[f"{p}_flops_per_s"])}
    wide = flops.get("fp8") or flops.get("bf16")
    return {**flops, **({"int4": flops["bf16"]} if "bf16" in flops else {}), **({"fp4": wide} if "fp4" not in flops and wide else {})}
