"""`breakeven serve`: the read API over the published warehouse, or with `--mcp` the tools of an assistant on standard input and output."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pipelines.cli.exits import GOOD, UsageError
from pipelines.platform.settings import Settings

if TYPE_CHECKING:
    from pipelines.cli.commands import Commands


def add(commands: Commands) -> None:
    """Add the parser."""
    parser = commands.add_parser("serve", help="a read API over the published warehouse (extra `serve`)")
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="where to listen (default 127.0.0.1: this machine only)")
    parser.add_argument("--port", type=int, default=8321, metavar="N", help="port (default 8321)")
    parser.add_argument("--name", action="append", default=[], metavar="HOST", help="a further host name to answer to, such as a proxy's")
    parser.add_argument("--mcp", action="store_true", help="serve the tools of an assistant (Model Context Protocol) on standard input")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Serve until interrupted. Raises UsageError where the extra is not installed."""
    try:
        if options.mcp:
            from pipelines.serve.assistant import create_assistant  # noqa: PLC0415  (an extra)

            create_assistant(settings).run("stdio")
            return GOOD
        import uvicorn  # noqa: PLC0415  (an extra)

        from pipelines.serve.api import LOOPBACK, create_api  # noqa: PLC0415  (an extra)
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is not installed; `pip install breakeven[serve]` brings it") from error
    api = create_api(settings, (*LOOPBACK, options.host, *options.name))
    uvicorn.run(api, host=options.host, port=options.port, log_level="warning", server_header=False)
    return GOOD
