"""Files that several machines see: a folder of a shared file system, or a bucket of an S3-compatible store.

Belongs here: getting and putting whole files by key. Does not belong here: what is in them, published versions (`publication.remote`).
A bucket is reached as the environment says (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, ...), on each machine.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol


class SharedFiles(Protocol):
    """Keys are relative paths with slashes. Whoever reads a file sees it whole; one that is put again replaces the one before."""

    def get(self, key: str, scratch: Path) -> Path:
        """A file that is there, as a local one, which may lie in `scratch`; it is only read. Raises FileNotFoundError."""

    def put(self, file: Path, key: str) -> None:
        """Put a local file."""


def shared_files(address: str) -> SharedFiles:
    """`s3://bucket/prefix`, or a folder."""
    if address.startswith("s3://"):
        bucket, _, prefix = address.removeprefix("s3://").partition("/")
        return SharedBucket(bucket, prefix.strip("/"))
    return SharedFolder(Path(address).absolute())


def put_folder(files: SharedFiles, folder: Path, prefix: str, names: Iterable[str] = ("**/*",)) -> None:
    """Put what lies in a folder, under the same names."""
    for path in sorted({path for name in names for path in folder.glob(name) if path.is_file()}):
        files.put(path, f"{prefix}/{path.relative_to(folder).as_posix()}")


@dataclass(frozen=True)
class SharedFolder:
    """A folder under the same path on every machine."""

    root: Path

    def get(self, key: str, scratch: Path) -> Path:
        """See SharedFiles."""
        if not (self.root / key).is_file():
            raise FileNotFoundError(f"{self.root / key}: not there; expected a folder that every machine sees under this path")
        return self.root / key

    def put(self, file: Path, key: str) -> None:
        """See SharedFiles. A task that was given up for dead may still be writing: each writes a file of its own first."""
        target = self.root / key
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        shutil.copyfile(file, aside)
        aside.replace(target)


@dataclass(frozen=True)
class SharedBucket:
    """A bucket, below a prefix."""

    bucket: str
    prefix: str

    def get(self, key: str, scratch: Path) -> Path:
        """See SharedFiles."""
        local = scratch / key
        if not local.is_file():
            local.parent.mkdir(parents=True, exist_ok=True)
            client = _client()
            try:
                client.download_file(self.bucket, self._full(key), str(local))
            except client.exceptions.ClientError as error:
                raise FileNotFoundError(f"s3://{self.bucket}/{self._full(key)}: {error}") from error
        return local

    def put(self, file: Path, key: str) -> None:
        """See SharedFiles."""
        _client().upload_file(str(file), self.bucket, self._full(key))

    def _full(self, key: str) -> str:
        return f"{self.prefix}/{key}" if self.prefix else key


@cache
def _client() -> Any:
    import boto3  # noqa: PLC0415  (takes a while to load; only those who use a bucket need it)

    return boto3.client("s3")
