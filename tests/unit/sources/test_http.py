"""Requests against a server on the loopback: patient where it is busy, bounded, and quick to see that there is no network."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable

import pytest

from pipelines.sources.lib.errors import OfflineError, SourceError
from pipelines.sources.lib.http import Breaker, HttpClient, HttpStatusError, Request, same_host
from pipelines.sources.lib.paging import pages
from tests.support.loopback import Answer, loopback


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


def test_a_host_that_the_settings_name_is_tried_where_no_other_is_reached() -> None:
    breaker = Breaker(named=["127.0.0.1"])
    for host in ("a.invalid", "b.invalid", "c.invalid"):
        breaker.unreachable(host)
    with loopback({"/a": [b"good"]}) as server:
        assert client(breaker)[0].get(server.url + "/a").content == b"good"
    with pytest.raises(OfflineError, match="was not tried"):
        Breaker(offline=True, named=["127.0.0.1"]).before("127.0.0.1")


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


def post(http: HttpClient, url: str, **more: object) -> bytes:
    return http.send(Request(url, method="POST", **more)).content  # type: ignore[arg-type]


def test_questions_with_a_body_and_secrets_in_headers() -> None:
    with loopback({"/q": [b"good"]}) as server:
        http, _ = client()
        assert post(http, server.url + "/q", json={"query": "{ a }"}, secret_headers={"Authorization": "Bearer hush"}) == b"good"
        assert post(http, server.url + "/q", form={"a": "1"}) == b"good"
    assert server.bodies == [b'{"query": "{ a }"}', b"a=1"]
    assert server.headers[0]["Authorization"] == "Bearer hush"


def test_a_redirect_within_the_host_is_followed() -> None:
    with loopback({"/a": [(302, {"Location": "/b"}, b"")], "/b": [b"good"]}) as server:
        assert client()[0].get(server.url + "/a").content == b"good"


def test_a_redirect_elsewhere_is_not_followed_and_its_address_not_shown() -> None:
    with (
        loopback({"/secret": [b"metadata"]}) as inner,
        loopback({"/a": [(302, {"Location": inner.url + "/secret?sig=hush"}, b"")]}) as server,
    ):
        with pytest.raises(SourceError, match="status 302 leads to") as caught:
            client()[0].get(server.url + "/a")
        assert inner.asked == []
    assert "hush" not in str(caught.value)


def test_redirects_in_a_circle_end() -> None:
    with loopback({"/a": [(302, {"Location": "/a"}, b"")]}) as server, pytest.raises(SourceError, match="more than 5 redirects"):
        client()[0].get(server.url + "/a")


def test_an_answer_is_counted_as_it_unpacks() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    with loopback({"/a": [(200, {"Content-Encoding": "gzip"}, bomb)]}) as server, pytest.raises(SourceError, match="more than 1,000 bytes"):
        client()[0].get(server.url + "/a")


def test_gzip_is_unpacked_and_a_truncated_one_is_no_answer() -> None:
    packed = gzip.compress(b"whole")
    gzipped = {"Content-Encoding": "gzip"}
    with loopback({"/a": [(200, gzipped, packed[:-6]), (200, gzipped, packed)]}) as server:
        http, waits = client()
        assert http.get(server.url + "/a").content == b"whole" and len(waits) == 1


def test_a_long_file_is_read_as_it_arrives() -> None:
    def keep() -> Callable[[bytes], bytes]:
        return lambda piece: piece.replace(b"x", b"") if piece else b"end"

    with loopback({"/a": [b"x" * 500_000 + b"y"]}) as server:
        assert client()[0].send(Request(server.url + "/a", keep=keep)).content == b"yend"


class Drip:
    """A server that sends a byte at a time, of its headers or of its body, for as long as anybody listens."""

    def __init__(self, first: bytes) -> None:
        self._first = first
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/a"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
                connection.recv(1000)
                connection.sendall(self._first)
                while True:
                    connection.sendall(b"a")
                    time.sleep(0.05)
            except OSError:
                return

    def close(self) -> None:
        self._socket.close()


@pytest.mark.parametrize("first", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"])
def test_a_drip_ends_with_the_deadline(first: bytes) -> None:
    server = Drip(first)
    started = time.monotonic()
    with pytest.raises(SourceError, match="not finished after"):
        client(timeout_seconds=0.6)[0].get(server.url)
    assert time.monotonic() - started < 3
    server.close()


def test_a_run_that_has_waited_long_enough_asks_nothing_more() -> None:
    with loopback({"/a": [b"good"]}) as server:
        http, _ = client(Breaker(run_seconds=0))
        with pytest.raises(SourceError, match="was not tried"):
            http.get(server.url + "/a")
        assert server.asked == []


def test_a_service_that_minds_bursts_is_given_a_pause() -> None:
    pauses: list[float] = []
    with loopback({"/a": [b"good"]}) as server:
        http = HttpClient(breaker=Breaker(), timeout_seconds=5, max_bytes=100, pause_seconds=0.75, sleep=pauses.append)
        for _ in range(3):
            http.get(server.url + "/a")
    assert pauses == [0.75, 0.75]


def test_no_more_than_four_at_once_at_a_host() -> None:
    breaker, running, most = Breaker(), [], []
    lock = threading.Lock()

    def ask() -> None:
        with breaker.at_host("a.example"):
            with lock:
                running.append(1)
                most.append(len(running))
            time.sleep(0.05)
            with lock:
                running.pop()

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 4


def paged(http: HttpClient, url: str, paging: dict[str, object]) -> list[bytes]:
    return [answer.content for answer in pages(http, Request(url), paging)]


def test_pages_by_number_offset_cursor_and_link() -> None:
    two, one = b'{"items": [1, 2], "next": "c2"}', b'{"items": [3], "next": ""}'
    answers: dict[str, list[Answer]] = {
        "/n?size=2&page=1": [two],
        "/n?size=2&page=2": [one],
        "/o?offset=0": [two],
        "/o?offset=2": [one],
        "/c": [two],
        "/c?cursor=c2": [one],
        "/l": [(200, {"Link": '</l2>; rel="next"'}, two)],
        "/l2": [one],
    }
    with loopback(answers) as server:
        http, _ = client()
        numbered = {"by": "page", "param": "page", "size_param": "size", "size": 2, "items": "items"}
        assert paged(http, server.url + "/n", numbered) == [two, one]
        assert paged(http, server.url + "/o", {"by": "offset", "param": "offset", "size": 2, "items": "items"}) == [two, one]
        assert paged(http, server.url + "/c?", {"by": "cursor", "param": "cursor", "next": "next"}) == [two, one]
        assert paged(http, server.url + "/l", {"by": "link"}) == [two, one]


def test_a_list_that_goes_in_circles_is_noticed() -> None:
    with loopback({"/l": [b'{"next": "/l"}']}) as server, pytest.raises(SourceError, match="came before"):
        paged(client()[0], server.url + "/l", {"by": "link", "next": "next"})


def test_an_error_is_no_longer_than_it_needs_to_be_and_controls_nothing() -> None:
    text = str(SourceError("a\x1b[31m\n" + "x" * 30_000_000))
    assert len(text) < 600 and "\x1b" not in text and "\n" not in text and "30,000," in text


def test_too_long_an_etag_is_not_kept() -> None:
    with loopback({"/a": [(200, {"ETag": "x" * 5000}, b"good")]}) as server:
        assert client()[0].get(server.url + "/a").etag is None


def test_a_host_out_of_reach_is_given_up_where_others_answer() -> None:
    breaker = Breaker()
    breaker.answered("other.example")
    http, waits = client(breaker)
    with pytest.raises(OfflineError, match="after 2 of 5 tries"):
        http.get("http://127.0.0.1:9/x")
    with pytest.raises(OfflineError, match="was not tried again"):
        http.get("http://127.0.0.1:9/y")
    assert len(waits) == 1


def test_an_error_holds_nothing_of_the_answer_that_was_too_long() -> None:
    with loopback({"/a": [b"x" * 3_000_000]}) as server, pytest.raises(SourceError) as caught:
        HttpClient(breaker=Breaker(), timeout_seconds=5, max_bytes=2_000_000).get(f"{server.url}/a")
    frames, at = [], caught.value.__traceback__
    while at is not None:
        frames.append(at.tb_frame)
        at = at.tb_next
    held = [len(value) for frame in frames for value in frame.f_locals.values() if isinstance(value, bytes | bytearray)]
    assert sum(held) < 200_000
