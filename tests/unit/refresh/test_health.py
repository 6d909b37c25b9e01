"""The state over HTTP, as a monitor asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.platform.settings import Settings

pytest.importorskip("fastapi")


def test_metrics_and_health_before_the_first_refresh(tmp_path: Path) -> None:
    from fastapi.routing import APIRoute

    from pipelines.serve.api import create_api

    routes = {route.path: route.endpoint for route in create_api(Settings(data=tmp_path)).routes if isinstance(route, APIRoute)}
    assert b"breakeven_up 0" in routes["/metrics"]().body
    answer = routes["/health"]()
    assert answer.status_code == 503 and b'"healthy":false' in answer.body
