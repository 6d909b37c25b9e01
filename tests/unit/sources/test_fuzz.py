"""Some thousand changed answers to all parsers; `make fuzz` gives more. A parser that lets another exception out is found."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.ingest.registry import discover
from tests.fuzz.__main__ import fuzz

MODULES = discover(catalogue())


def test_no_parser_lets_another_exception_out() -> None:
    assert fuzz(MODULES, inputs=6_000, seed=1) == 0


def test_a_parser_that_does_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    vast = MODULES["vast"]

    def careless(content: bytes) -> pl.DataFrame:
        return vast.parse(content.decode().encode())

    assert fuzz({"vast": replace(vast, parse=careless)}, inputs=500, seed=1) > 0
    assert "UnicodeDecodeError" in capsys.readouterr().out
    assert fuzz({"vast": replace(vast, parse=lambda content: vast.parse(content).drop("region"))}, inputs=500, seed=1) > 0
