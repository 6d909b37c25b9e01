"""The price list file of one AWS region over loopback, read by us and by gpuhunt: what one process of each does.

Belongs here: both ways from an address to prices of machines. Does not belong here: bounds (`test_offers`). gpuhunt is no dependency: it
runs in an interpreter that has it, without what it would ask AWS beyond the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from pipelines.sources import aws_offers
from pipelines.sources.lib.http import Breaker, HttpClient, Request

# Run by the interpreter that has gpuhunt: prints the seconds from the address to the offers, their number, and each machine's price.
THEIRS = """
import json, sys, time
from gpuhunt.providers import aws
aws.EC2_PRICING_URL = sys.argv[1]
provider = aws.AWSProvider.__new__(aws.AWSProvider)
provider.cache_path, provider.ec2_api_regions, provider.preview_gpus = sys.argv[2], [], {}
provider._fill_gpu_details = lambda offers: None
provider._with_spot_offers = lambda offers: offers
started = time.perf_counter()
found = provider.get()
seconds = time.perf_counter() - started
print(json.dumps({"seconds": seconds, "result": {offer.instance_name: offer.price for offer in found if offer.gpu_count}}))
"""


def ours(url: str) -> dict[str, float]:
    """Price on demand of each machine with accelerators."""
    client = HttpClient(breaker=Breaker(), timeout_seconds=600, max_bytes=1_000_000_000)
    frame = aws_offers.parse(client.send(Request(url, keep=aws_offers.lines_kept)).content)
    rows = frame.filter(frame["purchase_option"] == "on_demand").select("instance_type", "native_amount").rows()
    return {name: float(amount) for name, amount in rows}


@contextmanager
def served(file: Path) -> Iterator[str]:
    """The address of a file on loopback, sent as it is read."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(file.stat().st_size))
            self.end_headers()
            with file.open("rb") as content:
                while piece := content.read(1 << 20):
                    self.wfile.write(piece)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/offers/v1.0/aws/AmazonEC2/current/us-east-1/index.csv"
    finally:
        server.shutdown()
        server.server_close()
