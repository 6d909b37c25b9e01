"""A web server on the loopback that replays recorded answers; an address that nobody recorded is an error.

`answers` maps a path (with query where the path alone is not enough) to a list of answers, given one after the other, the last for
ever: bytes for a 200, or (status, headers, body).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

Answer = bytes | tuple[int, dict[str, str], bytes]


class Loopback:
    def __init__(self, answers: dict[str, list[Answer]]) -> None:
        self.answers, self.asked, self.unmapped = answers, [], []
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
                self.do_GET()

            def do_GET(self) -> None:
                outer.headers.append(dict(self.headers))
                path = unquote(self.path)
                outer.asked.append(path)
                found = outer.answers.get(path) or outer.answers.get(path.split("?")[0])
                if not found:
                    outer.unmapped.append(path)
                    found = [(599, {}, b"unmapped")]
                answer = found.pop(0) if len(found) > 1 else found[0]
                status, headers, body = (200, {}, answer) if isinstance(answer, bytes) else answer
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def loopback(answers: dict[str, list[Answer]]) -> Iterator[Loopback]:
    server = Loopback(answers)
    server.start()
    try:
        yield server
    finally:
        server.stop()
    assert server.unmapped == [], f"asked for what was not recorded: {server.unmapped}"
