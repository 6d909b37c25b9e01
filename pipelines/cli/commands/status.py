"""`breakeven status`: what is published, how the last refresh went, and what a person should do about it.

Exit codes are for a monitor: 0 good; 3 a source that was tried is not well, a stored answer is gone, or a
mart could not be made and is of an earlier day; 1 the last refresh failed, was
blocked or interrupted, the last good one is older than 26 hours, or what is published is damaged.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from pipelines.cli.exits import DEGRADED, FAILED, GOOD
from pipelines.cli.summary import files, kept_lines, shown_source
from pipelines.monitoring.state import RefreshState, notes, read_state
from pipelines.platform.clock import utc_now
from pipelines.platform.settings import Settings
from pipelines.platform.text import fit_to_show
from pipelines.publication.reader import as_text as table_text

if TYPE_CHECKING:
    from pipelines.cli.commands import Commands

_LONGEST_REASON = 1_000


def add(commands: Commands) -> None:
    """Add the parser."""
    parser = commands.add_parser("status", help="how the last refresh went, and how old the figures are")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Print the status; see the module for exit codes."""
    state = read_state(settings, utc_now())
    said = notes(settings)
    code = FAILED if state.is_failed else DEGRADED if state.sources_not_well or state.losses or state.kept_marts else GOOD
    if options.json:
        print(json.dumps({**_facts(state, said, settings), "exit_code": code}, indent=1, default=str))
    else:
        print(_text(state, said))
    return code


def _facts(state: RefreshState, said: list[str], settings: Settings) -> dict[str, Any]:
    manifest = state.manifest
    shown = ("version", "as_of", "created_at", "blocked", "blocked_reason")
    return {
        "published": None if manifest is None else {key: manifest[key] for key in shown},
        "last_refresh": state.last,
        "last_good_refresh": state.last_good,
        "problems": state.problems,
        "losses": state.losses,
        "kept_marts": state.kept_marts,
        "notes": said,
        "sources": state.sources,
        "failed_checks": state.failed_checks,
        "files": files(settings),
    }


def _text(state: RefreshState, said: list[str]) -> str:
    version, last = state.manifest, state.last
    lines = [f"Published: {version['version']}, for {version['as_of']}" if version else "Nothing whole is published yet."]
    if version and version["blocked"]:
        lines.append(f"  blocked: {fit_to_show(version['blocked_reason'], _LONGEST_REASON)}")
    if last is None:
        lines.append("No refresh has run yet; `breakeven refresh` makes the first.")
    else:
        lines.append(f"Last refresh: {last['outcome']}, started {last['started_at'][:16].replace('T', ' ')} UTC, for {last['as_of_on']}")
        lines += [f"  {fit_to_show(last['detail'], _LONGEST_REASON)}"] if last["detail"] else []
    lines += [f"Problem: {problem}" for problem in state.problems]
    lines += kept_lines(state.kept_marts)
    lines += [f"Lost: {loss}" for loss in state.losses]
    lines += [f"Note: {note}" for note in said]
    if state.sources:
        lines += ["", table_text([shown_source(s) for s in state.sources])]
    if state.failed_checks:
        columns = ("table_name", "rule", "severity", "effect", "failing_count", "detail")
        lines += ["", "Rules that did not hold:", table_text([{k: c[k] for k in columns} for c in state.failed_checks])]
    return "\n".join(lines)
