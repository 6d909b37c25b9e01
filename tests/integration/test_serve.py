"""The read API and the assistant's tools on a published version."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from pipelines.catalogue.published_sql import bi_views
from pipelines.platform.settings import Settings
from pipelines.serve.api import create_api
from tests.support.cli import Cli
from tests.support.paths import ROOT


@pytest.fixture(scope="module")
def client(archive: Cli) -> Iterator[TestClient]:
    with TestClient(create_api(Settings(data=archive.data)), base_url="http://localhost") as made:
        yield made


def test_every_view_is_there_with_its_meaning(client: TestClient) -> None:
    views = client.get("/").json()["views"]
    assert set(views) == set(bi_views())
    paths = client.get("/openapi.json").json()["paths"]
    for name, view in bi_views().items():
        operation = paths[f"/bi/{name}"]["get"]
        assert operation["summary"] == view.comment
        assert [p["name"] for p in operation["parameters"]] == [*(c.name for c in view.columns), "format", "limit", "offset"]
        assert list(paths[f"/bi/{name}"]) == ["get"]


@pytest.mark.parametrize("name", sorted(bi_views()))
def test_rows_are_those_of_the_view(client: TestClient, archive: Cli, name: str) -> None:
    answer = client.get(f"/bi/{name}", params={"limit": 25})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["count"] == len(body["rows"]) == min(25, pl.read_parquet(archive.current / "bi" / f"{name}.parquet").height)
    assert list(body["rows"][0]) == [column.name for column in bi_views()[name].columns]


def test_filters_and_formats(client: TestClient, archive: Cli) -> None:
    asked = {"model": "Llama-3.1-70B", "precision": "fp8", "country_group": "world"}
    wanted = pl.read_parquet(archive.current / "bi" / "own_or_rent.parquet").filter(
        *(pl.col(name) == value for name, value in asked.items())
    )
    parquet = pl.read_parquet(io.BytesIO(client.get("/bi/own_or_rent", params={**asked, "format": "parquet"}).content))
    assert parquet.equals(wanted)
    text = client.get("/bi/own_or_rent", params={**asked, "format": "csv"})
    assert text.headers["content-type"].startswith("text/csv")
    assert pl.read_csv(io.BytesIO(text.content))["answer"].to_list() == wanted["answer"].to_list()
    assert [row["answer"] for row in client.get("/bi/own_or_rent", params=asked).json()["rows"]] == wanted["answer"].to_list()


def test_many_ask_at_once(client: TestClient) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: client.get(f"/bi/{'data_health' if i % 2 else 'own_or_rent'}").status_code, range(32)))
    assert answers == [200] * 32


def test_an_equal_answer_is_not_sent_again(client: TestClient) -> None:
    first = client.get("/bi/data_health")
    again = client.get("/bi/data_health", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get("/bi/data_health", params={"status": "ok"})
    assert other.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/bi/price?nonsense=1", "'nonsense' is not a column of bi.price"),
        ("/bi/price?limit=0", "limit is 0, expected 1 to 10000"),
        ("/bi/price?limit=1000000", "expected 1 to 10000"),
        ("/bi/price?limit=x", "limit is 'x', expected a whole number"),
        ("/bi/price?offset=-1", "offset is -1"),
        ("/bi/price?format=xlsx", "format is 'xlsx'"),
        ("/bi/price?gpu_count=many", "bi.price: "),
        ("/bi/price?gpu=a&gpu=b", "stands twice"),
    ],
)
def test_a_wrong_request_is_named(client: TestClient, path: str, said: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 400 and said in answer.json()["error"]


@pytest.mark.parametrize("shape", ["json", "csv", "parquet"])
def test_an_answer_that_is_cut_leads_to_the_rest(client: TestClient, archive: Cli, shape: str) -> None:
    whole = pl.read_parquet(archive.current / "bi" / "market_today.parquet")
    path: str | None = f"/bi/market_today?format={shape}&limit=400&purchase_option=on_demand"
    wanted = whole.filter(pl.col("purchase_option") == "on_demand").height
    found, pages = 0, 0
    while path is not None:
        answer = client.get(path)
        if shape == "json":
            found += answer.json()["count"]
            assert answer.json()["has_more"] == ("next" in answer.links)
        else:
            found += (pl.read_parquet if shape == "parquet" else pl.read_csv)(io.BytesIO(answer.content)).height
        path, pages = answer.links.get("next", {}).get("url"), pages + 1
    assert (found, pages) == (wanted, -(-wanted // 400)) and pages > 1


def test_parquet_says_units_and_meaning(client: TestClient) -> None:
    schema = pq.read_schema(io.BytesIO(client.get("/bi/ways", params={"format": "parquet", "limit": 1}).content))
    for column in bi_views()["ways"].columns:
        assert schema.field(column.name).metadata == {b"unit": column.unit.encode(), b"description": column.description.encode()}


def test_head_is_get_without_a_body(client: TestClient) -> None:
    get, head = client.get("/bi/ways"), client.head("/bi/ways")
    assert head.status_code == 200 and head.headers["etag"] == get.headers["etag"]


def test_sql_is_a_value_and_nothing_can_be_written(client: TestClient) -> None:
    answer = client.get("/bi/price", params={"gpu": "x' OR 1=1; DROP VIEW bi.price; --"})
    assert (answer.status_code, answer.json()["count"]) == (200, 0)
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert client.request(method, "/bi/price").status_code == 405
    assert client.get("/bi/../../etc/passwd").status_code == 404
    assert client.get("/bi/price", headers={"Host": "evil.example"}).status_code == 400


def test_before_the_first_publication(tmp_path: Any) -> None:
    client = TestClient(create_api(Settings(data=tmp_path)), base_url="http://localhost")
    assert client.get("/").json()["version"] is None
    assert client.get("/bi/price").status_code == 503


def test_the_tools_of_an_assistant(archive: Cli) -> None:
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters, stdio_client

    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "pipelines.cli.main", "serve", "--mcp"],
        env={"BREAKEVEN_DATA": str(archive.data), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        cwd=str(ROOT),
    )

    async def ask() -> dict[str, Any]:
        async with Client(stdio_client(server)) as session:
            listed = await session.list_tools()
            workload = (ROOT / "docs" / "workloads" / "support-chat.yaml").read_text()
            answers: dict[str, Any] = {"tools": sorted(tool.name for tool in listed.tools)}
            for name, arguments in {
                "price_today": {"gpu": "h100-sxm-80"},
                "compare": {"model": "Llama-3.1-70B", "precision": "fp8"},
                "break_even": {"server_hardware": "8x-h100-sxm-80", "model": "Llama-3.1-70B"},
                "decide": {"workload_yaml": workload},
            }.items():
                result = await session.call_tool(name, arguments)
                assert not result.is_error, result
                answers[name] = result.structured_content
            for name, arguments in {
                "price_today": {"gpu": "H100"},
                "compare": {"model": "Llama-3.1-70B", "country_group": "'; DROP"},
                "break_even": {"server_hardware": "8xH100", "model": "Llama-3.1-70B"},
                "decide": {"workload_yaml": workload.replace("model:", "modell:")},
            }.items():
                result = await session.call_tool(name, arguments)
                assert result.is_error, name
                answers[f"refused {name}"] = result.content[0].text  # type: ignore[union-attr]
            by_file = workload[: workload.index("load:")] + "load: {csv: secret.csv}\n"
            refused = await session.call_tool("decide", {"workload_yaml": by_file})
            answers["refused load"] = refused.content[0].text  # type: ignore[union-attr]
            return answers

    found = asyncio.run(asyncio.wait_for(ask(), 120))
    assert found["tools"] == ["break_even", "compare", "decide", "price_today"]
    assert len(found["price_today"]["rows"]) > 3 and len(found["compare"]["rows"]) == 4
    assert found["break_even"]["rows"] and json.dumps(found["decide"])
    assert found["price_today"]["has_more"] and found["price_today"]["day"] == "2026-11-23"
    assert all(len(json.dumps(found[tool])) < 40_000 for tool in ("price_today", "compare", "break_even"))
    assert "gpu is 'H100', expected one of" in found["refused price_today"] and "h100-sxm-80" in found["refused price_today"]
    assert 'country_group is "\'; DROP", expected one of' in found["refused compare"]
    assert "server is '8xH100'" in found["refused break_even"] and "8x-h100-sxm-80" in found["refused break_even"]
    assert "modell" in found["refused decide"]
    assert "csv" in found["refused load"] and "/tmp" not in found["refused load"]
