"""A server of S3's protocol on loopback (moto), where the environment leads boto3 for as long as it runs.

Belongs here: starting and ending it. Does not belong here: what a test does to its answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def object_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, str]]:
    """The server and its address, with an empty bucket `prices`."""
    import boto3
    from moto.server import ThreadedMotoServer

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        address = "http://{}:{}".format(*server.get_host_and_port())
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        boto3.client("s3").create_bucket(Bucket="prices")
        yield server, address
    finally:
        server.stop()
