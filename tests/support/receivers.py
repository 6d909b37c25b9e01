"""Local receivers of messages: a web hook and a mail server on the loopback, which keep what they are given."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def web_hook(status: int = 200) -> Iterator[tuple[int, list[tuple[str, Any]]]]:
    """Port, and what was posted so far as (path, JSON)."""
    got: list[tuple[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, got
        server.shutdown()


@contextmanager
def mail_server(answers: Mapping[str, str] | None = None, is_silent: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Port, and the messages taken so far, as they were sent.

    `answers`: what is said to a command instead of yes, by its first word (`AUTH`, `MAIL`, `RCPT`, `DATA`); `is_silent`: it takes the
    connection and never says a word.
    """
    got: list[str] = []
    over = threading.Event()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            if is_silent:
                over.wait()
                return
            self.wfile.write(b"220 here\r\n")
            while line := self.rfile.readline():
                word = line.strip().upper()
                command = word.split(b" ")[0].decode()
                if other := {"EHLO": "250-here\r\n250 AUTH PLAIN", "AUTH": "235 known", **(answers or {})}.get(command):
                    self.wfile.write(f"{other}\r\n".encode())
                    continue
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = []
                    while (part := self.rfile.readline()) != b".\r\n":
                        lines.append(part.decode())
                    got.append("".join(lines))
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 yes\r\n")
                if word == b"QUIT":
                    return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], got
        over.set()
        server.shutdown()
