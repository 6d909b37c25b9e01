"""The read API: each view of schema `bi` as JSON, CSV or Parquet, with its OpenAPI page.

Belongs here: routes, formats, caching. Does not belong here: queries (`views`). Only GET and HEAD; the file is opened read-only for each
request, so that a new version is seen by the next one.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from pipelines.catalogue.columns import Column
from pipelines.catalogue.published_sql import View, bi_views
from pipelines.monitoring.metrics import metrics_text
from pipelines.monitoring.state import read_state
from pipelines.platform.clock import utc_now
from pipelines.platform.settings import Settings
from pipelines.publication.reader import NotPublishedError, QueryError
from pipelines.publication.versions import PublishedFolder
from pipelines.publication.views import described
from pipelines.serve.views import DEFAULT_ROWS, MOST_ROWS, CurrentVersion, RequestError, as_rows, filtered

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_OWN = ("format", "limit", "offset")
_TYPES = {"json": "application/json", "csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
_SCHEMAS = {"integer": "integer", "double": "number", "decimal": "number", "boolean": "boolean"}


def create_api(settings: Settings, hosts: tuple[str, ...] = LOOPBACK) -> FastAPI:
    """The application. `hosts`: names that it answers to, so that no other page's name can be pointed at it."""
    published, current = PublishedFolder(settings.folders.published), CurrentVersion(settings)

    @asynccontextmanager
    async def until_stopped(_: FastAPI) -> AsyncIterator[None]:
        yield
        current.close()

    api = FastAPI(
        lifespan=until_stopped,
        title="Breakeven",
        description="Own or rent the GPUs that serve an open-weight model: the views of schema bi, read-only.",
        docs_url=None,
        redoc_url=None,
    )
    api.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))

    @api.get("/", summary="The version, and its views with their columns")
    def index() -> dict[str, Any]:
        return {"version": _version(published), "views": {name: _described(view) for name, view in sorted(bi_views().items())}}

    @api.get("/metrics", summary="The state in Prometheus' text format", response_class=Response)
    def metrics() -> Response:
        return Response(metrics_text(read_state(settings, utc_now()), utc_now()), media_type="text/plain; version=0.0.4")

    @api.get("/health", summary="Whether the figures can be relied on: 200, or 503 with what a person must look at")
    def health() -> JSONResponse:
        state = read_state(settings, utc_now())
        said = {"healthy": not state.is_failed, "problems": state.problems, "lost": state.losses}
        return JSONResponse(said, status_code=503 if state.is_failed else 200)

    for name, view in sorted(bi_views().items()):
        route = _route(current, published, view)
        api.add_api_route(f"/bi/{name}", route, methods=["HEAD"], include_in_schema=False)
        api.add_api_route(
            f"/bi/{name}",
            route,
            methods=["GET"],
            summary=view.comment,
            response_class=Response,
            openapi_extra={"parameters": [*(_parameter(column) for column in view.columns), *_PAGING]},
        )

    @api.exception_handler(RequestError)
    def bad_request(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": str(error)}, status_code=400)

    @api.exception_handler(QueryError)
    def too_long(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": str(error)}, status_code=503)

    @api.exception_handler(NotPublishedError)
    def nothing_yet(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": "nothing is published yet"}, status_code=503)

    return api


def _route(current: CurrentVersion, published: PublishedFolder, view: View) -> Any:
    def answer(request: Request) -> Response:
        asked = list(request.query_params.multi_items())
        if len({name for name, _ in asked}) != len(asked):
            raise RequestError("a parameter stands twice; expected each once")
        given = dict(asked)
        shape = given.get("format", "json")
        if shape not in _TYPES:
            raise RequestError(f"format is {shape!r}, expected one of {', '.join(_TYPES)}")
        version = _version(published)
        tag = f'"{hashlib.sha256(f"{version}|{view.name}|{sorted(asked)}".encode()).hexdigest()[:32]}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache", "X-Breakeven-Version": str(version)}
        if tag in [known.strip().removeprefix("W/") for known in request.headers.get("if-none-match", "").split(",")]:
            return Response(status_code=304, headers=headers)
        filters = {name: value for name, value in given.items() if name not in _OWN}
        limit, offset = _whole(given, "limit", DEFAULT_ROWS), _whole(given, "offset", 0)
        found = filtered(current, view, filters, limit, offset)
        if found.has_more:
            following = request.url.include_query_params(limit=limit, offset=offset + limit)
            headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
        if shape == "json":
            body = {"version": version, "view": view.name, "count": found.rows.num_rows, "has_more": found.has_more}
            return JSONResponse({**body, "rows": as_rows(found.rows)}, headers=headers)
        return Response(_encoded(found.rows, shape, view), media_type=_TYPES[shape], headers=headers)

    return answer


def _encoded(found: pa.Table, shape: str, view: View) -> bytes:
    target = io.BytesIO()
    if shape == "csv":
        pyarrow.csv.write_csv(found, target)
    else:
        pq.write_table(found.cast(described(found.schema, view.columns, view.comment)), target, compression="zstd")
    return target.getvalue()


def _whole(given: dict[str, str], name: str, default: int) -> int:
    try:
        return int(given.get(name, default))
    except ValueError:
        raise RequestError(f"{name} is {given[name]!r}, expected a whole number") from None


def _version(published: PublishedFolder) -> str | None:
    manifest = published.whole_manifest()
    return None if manifest is None else str(manifest["version"])


def _described(view: View) -> dict[str, Any]:
    return {
        "description": view.comment,
        "columns": [{"name": c.name, "type": c.type, "unit": c.unit, "description": c.description} for c in view.columns],
    }


def _parameter(column: Column) -> dict[str, Any]:
    kind = {"type": _SCHEMAS.get(column.type, "string"), **({"enum": list(column.allowed)} if column.allowed else {})}
    return {"name": column.name, "in": "query", "required": False, "description": f"Rows with this value. {column.comment}", "schema": kind}


_PAGING = [
    {"name": "format", "in": "query", "schema": {"type": "string", "enum": list(_TYPES), "default": "json"}},
    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": DEFAULT_ROWS}},
    {"name": "offset", "in": "query", "schema": {"type": "integer", "minimum": 0, "default": 0}},
]
