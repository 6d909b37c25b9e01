"""Requests against a server on the loopback: patient where it is busy, bounded, and quick to see that there is no network."""

from __future__ import annotations

import pytest

from pipelines.sources.lib.errors import OfflineError, SourceError
from pipelines.sources.lib.http import Breaker, HttpClient, HttpStatusError, same_host
from tests.support.loopback import loopback


def client(breaker: Breaker | None = None, **limits: float) -> tuple[HttpClient, list[float]]:
    waits: list[float] = []
    made = HttpClient(
        breaker=breaker or Breaker(),
        timeout_seconds=limits.get("timeout_seconds", 5.0),
        max_bytes=int(limits.get("max_bytes", 1000)),
        sleep=waits.append,
    )
    return made, waits


def test_busy_server_is_asked_again_when_it_says() -> None:
    with loopback({"/a": [(429, {"Retry-After": "7"}, b""), (503, {}, b""), b"good"]}) as server:
        http, waits = client()
        assert http.get(server.url + "/a").content == b"good"
        assert waits[0] == 7.0 and len(waits) == 2


def test_refusals_are_not_tried_again() -> None:
    with loopback({"/a": [(404, {}, b"")]}) as server:
        http, waits = client()
        with pytest.raises(HttpStatusError, match="status 404"):
            http.get(server.url + "/a")
        assert waits == [] and len(server.asked) == 1


def test_a_server_that_stays_busy_is_given_up() -> None:
    with loopback({"/a": [(500, {}, b"")]}) as server:
        http, waits = client()
        with pytest.raises(HttpStatusError, match="status 500"):
            http.get(server.url + "/a")
        assert len(server.asked) == 5 and len(waits) == 4


def test_too_large_an_answer_is_not_read_on() -> None:
    with loopback({"/a": [b"x" * 2000]}) as server, pytest.raises(SourceError, match="more than 1,000 bytes"):
        client()[0].get(server.url + "/a")


def test_an_answer_that_ends_early_is_no_answer() -> None:
    with loopback({"/a": [(200, {"Content-Length": "50"}, b"short"), b"whole"]}) as server:
        assert client()[0].get(server.url + "/a").content == b"whole"


def test_secret_parameters_stand_nowhere() -> None:
    with loopback({"/a": [b"good", (403, {}, b"")]}) as server:
        http, _ = client()
        assert "hush" not in http.get(server.url + "/a", [("q", "1")], secret_params=[("key", "hush")]).url
        with pytest.raises(HttpStatusError) as caught:
            http.get(server.url + "/a", secret_params=[("key", "hush")])
        assert "hush" not in str(caught.value)


def test_three_hosts_out_of_reach_and_the_rest_is_not_tried() -> None:
    breaker = Breaker()
    http, waits = client(breaker)
    for host in ("127.0.0.1", "localhost", "127.0.0.2"):
        with pytest.raises(OfflineError, match=host):
            http.get(f"http://{host}:9/x")
    with pytest.raises(OfflineError, match="was not tried"):
        http.get("http://127.0.0.3:9/x")
    assert waits == [], "before any answer a connection is tried once"


def test_one_answer_settles_that_there_is_a_network() -> None:
    breaker = Breaker()
    with loopback({"/a": [b"good"]}) as server:
        client(breaker)[0].get(server.url + "/a")
    for host in ("a.invalid", "b.invalid", "c.invalid"):
        breaker.unreachable(host)
    breaker.before("d.invalid")


def test_offline_tries_nothing() -> None:
    with pytest.raises(OfflineError, match="offline"):
        client(Breaker(offline=True))[0].get("http://127.0.0.1:9/x")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/x", "nonsense"])
def test_only_web_addresses(url: str) -> None:
    with pytest.raises(SourceError, match="http or https"):
        client()[0].get(url)


def test_a_link_cannot_send_us_elsewhere() -> None:
    assert same_host("https://evil.example:443/api?x=1", "http://127.0.0.1:8/") == "http://127.0.0.1:8/api?x=1"
