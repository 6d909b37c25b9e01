"""The manifest of a version: what it holds, checked by reading it, and whether it still does.

Belongs here: `manifest.json`. Does not belong here: making the files that it lists (`write`), where versions lie (`versions`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from pipelines.platform.errors import ExplainedError
from pipelines.platform.parquet import rows_in
from pipelines.publication.parts import files_of, sha256_of

MANIFEST_FILE = "manifest.json"
_KEYS = ("version", "run_id", "as_of", "created_at", "blocked", "blocked_reason", "fingerprint", "sources", "tables", "files")
# Of the manifest itself; manifests of earlier versions have none.
_SEAL = "sha256"
_REMEDY = "`breakeven refresh --rebuild` publishes a new one"


class PublicationError(Exception):
    """A version is not what it should be; it was not made current. The message names file and table."""


class DamagedVersionError(ExplainedError):
    """The current version is not as it was published; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class VersionFacts:
    """What a manifest says about the refresh behind a version."""

    version: str
    run_id: str
    as_of: date
    created_at: datetime
    fingerprint: str
    software_version: str
    duckdb_storage_version: str
    blocked_reason: str | None = None
    # Marts that are older than the version: `as_of` and `reason` by table.
    kept_marts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def write_manifest(folder: Path, database: str, facts: VersionFacts, sources: list[dict[str, Any]]) -> dict[str, Any]:
    """Verify a version by opening it again, then write what it holds. Raises PublicationError where tables and Parquet differ."""
    tables = _verify(folder, database)
    manifest = {
        "version": facts.version,
        "run_id": facts.run_id,
        "as_of": facts.as_of.isoformat(),
        "created_at": facts.created_at.isoformat(timespec="seconds") + "Z",
        "blocked": facts.blocked_reason is not None,
        "blocked_reason": facts.blocked_reason,
        "fingerprint": facts.fingerprint,
        "software_version": facts.software_version,
        "duckdb_storage_version": facts.duckdb_storage_version,
        "kept_marts": facts.kept_marts,
        "sources": sources,
        "tables": tables,
        "files": {
            str(path.relative_to(folder)): {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        },
    }
    written = json.dumps({**manifest, _SEAL: _seal_of(manifest)}, indent=1, default=str)
    (folder / MANIFEST_FILE).write_text(written + "\n", encoding="utf-8")
    return manifest


def _seal_of(manifest: Mapping[str, Any]) -> str:
    """A hash of all that a manifest says: one that was edited is told from one that was written."""
    said = json.dumps({key: value for key, value in manifest.items() if key != _SEAL}, sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a version. Raises DamagedVersionError where it is missing, says less than it must, or was edited."""
    path = folder / MANIFEST_FILE
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DamagedVersionError(f"{path}: not readable ({error.strerror}); {_REMEDY}") from error
    except ValueError as error:
        raise DamagedVersionError(f"{path}: not JSON; {_REMEDY}") from error
    missing = [key for key in _KEYS if not isinstance(manifest, dict) or key not in manifest]
    if missing:
        raise DamagedVersionError(f"{path}: {', '.join(missing)} missing; {_REMEDY}")
    found: dict[str, Any] = manifest
    if found.get(_SEAL, _seal_of(found)) != _seal_of(found):
        raise DamagedVersionError(f"{path}: was changed after it was published; {_REMEDY}")
    return found


def kept_marts(manifest: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Marts of a version that are older than it, with `as_of` and `reason`; none in versions that knew of no such thing."""
    return dict(manifest.get("kept_marts", {}))


def changed_files(folder: Path, manifest: dict[str, Any]) -> list[str]:
    """What differs from the manifest, one sentence for each file that is missing, changed, or was not published."""
    listed: dict[str, dict[str, Any]] = manifest["files"]
    found = []
    for name, facts in sorted(listed.items()):
        path = folder / name
        if not path.is_file():
            found.append(f"{name} is missing")
        elif path.stat().st_size != facts["bytes"] or sha256_of(path) != facts["sha256"]:
            found.append(f"{name} was changed after it was published")
    return found


def _verify(folder: Path, database: str) -> dict[str, Any]:
    connection = duckdb.connect(str(folder / database), read_only=True)
    try:
        tables = {}
        for schema, name in connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema IN ('marts', 'ops') ORDER BY ALL"
        ).fetchall():
            count = _one(connection, f'SELECT count(*) FROM {schema}."{name}"')
            in_parquet = sum(map(rows_in, files_of(folder, f"{schema}.{name}").values()))
            if in_parquet != count:
                raise PublicationError(f"{schema}.{name}: {in_parquet} rows in Parquet, {count} in {database}")
            tables[f"{schema}.{name}"] = {"rows": count}
        for (name,) in connection.execute("SELECT view_name FROM duckdb_views() WHERE schema_name = 'bi' ORDER BY ALL").fetchall():
            tables[f"bi.{name}"] = {"rows": _one(connection, f'SELECT count(*) FROM bi."{name}"')}
        return tables
    except duckdb.Error as error:
        raise PublicationError(f"{database} of the new version does not answer: {error}") from error
    finally:
        connection.close()


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    [(value,)] = connection.execute(sql).fetchall()
    return value
