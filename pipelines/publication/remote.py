"""A published version beyond this machine: a bucket of any S3-compatible store, or a folder of another file system.

Belongs here: copying a version, moving the pointer, pruning, resuming. Does not belong here: making a version (`write`).

There, `versions/<id>/` holds the files of each version and `current.json` names the current one. The files come first, the version's
manifest after them, the pointer last: a reader who follows the pointer sees a whole version, whatever instant the copying was killed at.
What is there already with the same hash is not sent again. What a kill left behind is no version: it takes no older one's place, and
goes with the next one. `index.html` leads a browser to the pages of the current version.
"""

from __future__ import annotations

import json
import mimetypes
import shutil
from pathlib import Path
from typing import Any, Protocol

from pipelines.platform.files import sync
from pipelines.publication.manifest import MANIFEST_FILE, read_manifest

POINTER = "current.json"
_ENTRY = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Breakeven</title><link rel="icon" href="data:,"></head>
<body><main><h1>Breakeven</h1><p><a id="pages" href="current.json">current.json</a></p></main><script>
fetch("current.json", { cache: "no-store" })
  .then((answer) => answer.json())
  .then((current) => location.replace(current.pages + location.hash));
</script></body></html>
"""


class RemoteError(Exception):
    """The place cannot be written to or read; the message names it and why, without credentials."""


class Place(Protocol):
    """Where versions are copied to; keys are relative paths with slashes."""

    def hashes(self, prefix: str) -> dict[str, str]:
        """SHA-256 by key of the whole files below a prefix."""

    def put(self, file: Path, key: str, sha256: str) -> None:
        """Copy a file; it is there whole or not at all."""

    def write(self, key: str, text: str) -> None:
        """Write a small text that readers never see in part."""

    def read(self, key: str) -> str | None:
        """A small text; None where there is none."""

    def versions(self) -> dict[str, bool]:
        """Names of the versions, oldest first, and whether each has its manifest, which comes last."""

    def remove(self, version: str) -> None:
        """Remove a version and what a kill left of it; its manifest first, so that half of it is no whole one."""


def place_of(address: str) -> Place:
    """The place that `publish_to` names: `s3://bucket/prefix` or a folder."""
    if address.startswith("s3://"):
        bucket, _, prefix = address.removeprefix("s3://").partition("/")
        return Bucket(bucket, prefix.strip("/"))
    return Folder(Path(address))


def publish_to(version: Path, place: Place, keep: int) -> dict[str, int]:
    """Copy a version, make it current there, prune beyond the last `keep`; give how many files were sent and skipped,
    and how many versions were removed.
    """
    manifest = read_manifest(version)
    there = f"versions/{version.name}"
    known = place.hashes(f"{there}/")
    sent = skipped = 0
    for name, facts in sorted(manifest["files"].items()):
        if known.get(f"{there}/{name}") == facts["sha256"]:
            skipped += 1
        else:
            place.put(version / name, f"{there}/{name}", facts["sha256"])
            sent += 1
    place.write(f"{there}/{MANIFEST_FILE}", (version / MANIFEST_FILE).read_text(encoding="utf-8"))
    place.write("index.html", _ENTRY)
    before = json.loads(place.read(POINTER) or "{}")
    # Taken up again after the pointer was written, it led here already: what it led to before stands in it.
    previous = before.get("previous" if before.get("version") == version.name else "version")
    place.write(POINTER, json.dumps({**pointer(version.name, manifest), "previous": previous}, indent=1) + "\n")
    there_now = place.versions()
    # Who followed the pointer a moment ago still reads where it led; what is newer than that never was where it led.
    first = [version.name, *([previous] if previous else [])]
    whole = [name for name in reversed(there_now) if there_now[name] and name <= (previous or name)]
    kept = list(dict.fromkeys([*first, *whole]))[:keep]
    removed = [name for name in there_now if name not in kept and name < version.name]
    for name in removed:
        place.remove(name)
    return {"sent": sent, "skipped": skipped, "removed": len(removed)}


def pointer(name: str, manifest: dict[str, Any]) -> dict[str, Any]:
    """What `current.json` says: the version, its day, and where its parts lie, relative to it."""
    return {
        "version": name,
        "as_of": manifest["as_of"],
        "blocked": manifest["blocked"],
        "manifest": f"versions/{name}/{MANIFEST_FILE}",
        "duckdb": f"versions/{name}/breakeven.duckdb",
        "parquet": f"versions/{name}/",
        "pages": f"versions/{name}/dashboard/index.html",
    }


class Folder:
    """A folder, such as of a network file system or one that a web server serves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def hashes(self, prefix: str) -> dict[str, str]:
        """See Place; the hash stands beside each file, written after it."""
        found = {}
        for mark in (self.folder / prefix).rglob("*.sha256"):
            file = mark.with_suffix("")
            if file.is_file():
                found[file.relative_to(self.folder).as_posix()] = mark.read_text(encoding="utf-8")
        return found

    def put(self, file: Path, key: str, sha256: str) -> None:
        """See Place."""
        target = self.folder / key
        with _named(str(self.folder)):
            target.parent.mkdir(parents=True, exist_ok=True)
            aside = target.with_name(f".{target.name}.new")
            shutil.copyfile(file, aside)
            sync(aside)
            aside.replace(target)
            target.with_name(target.name + ".sha256").write_text(sha256, encoding="utf-8")

    def write(self, key: str, text: str) -> None:
        """See Place."""
        target = self.folder / key
        with _named(str(self.folder)):
            target.parent.mkdir(parents=True, exist_ok=True)
            aside = target.with_name(f".{target.name}.new")
            aside.write_text(text, encoding="utf-8")
            sync(aside)
            aside.replace(target)

    def read(self, key: str) -> str | None:
        """See Place."""
        target = self.folder / key
        with _named(str(self.folder)):
            return target.read_text(encoding="utf-8") if target.exists() else None

    def versions(self) -> dict[str, bool]:
        """See Place."""
        folders = [path for path in (self.folder / "versions").glob("*") if path.is_dir()]
        return {path.name: (path / MANIFEST_FILE).exists() for path in sorted(folders)}

    def remove(self, version: str) -> None:
        """See Place."""
        folder = self.folder / "versions" / version
        with _named(str(self.folder)):
            (folder / MANIFEST_FILE).unlink(missing_ok=True)
            shutil.rmtree(folder)


class Bucket:
    """A bucket of an S3-compatible store, by the credentials and the endpoint of the environment."""

    def __init__(self, bucket: str, prefix: str) -> None:
        import boto3  # noqa: PLC0415  (takes a while to load; only those who publish need it)

        self.bucket, self.prefix = bucket, prefix
        with _named(f"s3://{bucket}"):
            self.client = boto3.client("s3")

    def hashes(self, prefix: str) -> dict[str, str]:
        """See Place; an object's hash is in its metadata."""
        found = {}
        with _named(f"s3://{self.bucket}"):
            for key in self._keys(prefix):
                facts = self.client.head_object(Bucket=self.bucket, Key=self._full(key))
                if "sha256" in facts["Metadata"]:
                    found[key] = facts["Metadata"]["sha256"]
        return found

    def put(self, file: Path, key: str, sha256: str) -> None:
        """See Place."""
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        facts = {"Metadata": {"sha256": sha256}, "ContentType": kind, "CacheControl": "max-age=31536000, immutable"}
        with _named(f"s3://{self.bucket}"):
            self.client.upload_file(str(file), self.bucket, self._full(key), ExtraArgs=facts)

    def write(self, key: str, text: str) -> None:
        """See Place."""
        kind = mimetypes.guess_type(key)[0] or "text/plain"
        with _named(f"s3://{self.bucket}"):
            self.client.put_object(
                Bucket=self.bucket, Key=self._full(key), Body=text.encode(), ContentType=f"{kind}; charset=utf-8", CacheControl="no-cache"
            )

    def read(self, key: str) -> str | None:
        """See Place."""
        with _named(f"s3://{self.bucket}"):
            try:
                body: bytes = self.client.get_object(Bucket=self.bucket, Key=self._full(key))["Body"].read()
            except self.client.exceptions.NoSuchKey:
                return None
        return body.decode()

    def versions(self) -> dict[str, bool]:
        """See Place."""
        with _named(f"s3://{self.bucket}"):
            keys = set(self._keys("versions/"))
        names = sorted({key.split("/")[1] for key in keys} | {key.split("/")[1] for key, _ in self._half_sent("versions/")})
        return {name: f"versions/{name}/{MANIFEST_FILE}" in keys for name in names}

    def remove(self, version: str) -> None:
        """See Place; the parts of a large file that was half sent take room although no list shows them."""
        below = f"versions/{version}/"
        with _named(f"s3://{self.bucket}"):
            for key in sorted(self._keys(below), key=lambda key: key != f"{below}{MANIFEST_FILE}"):
                self.client.delete_object(Bucket=self.bucket, Key=self._full(key))
        for key, upload in self._half_sent(below):
            with _named(f"s3://{self.bucket}"):
                self.client.abort_multipart_upload(Bucket=self.bucket, Key=self._full(key), UploadId=upload)

    def _full(self, key: str) -> str:
        return f"{self.prefix}/{key}" if self.prefix else key

    def _keys(self, prefix: str) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self._full(prefix))
        return [self._relative(found["Key"]) for page in pages for found in page.get("Contents", [])]

    def _half_sent(self, prefix: str) -> list[tuple[str, str]]:
        with _named(f"s3://{self.bucket}"):
            pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket, Prefix=self._full(prefix))
            return [(self._relative(found["Key"]), found["UploadId"]) for page in pages for found in page.get("Uploads", [])]

    def _relative(self, key: str) -> str:
        return key[len(self._full("")) :]


class _named:
    """Errors of the file system and of the store as RemoteError with the place's name."""

    def __init__(self, place: str) -> None:
        self.place = place

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise RemoteError(f"publish_to {self.place}: {error.strerror or error}") from error
        if kind is not None and kind.__module__.startswith(("botocore", "boto3")):
            raise RemoteError(f"publish_to {self.place}: {kind.__name__}: {error}") from error
