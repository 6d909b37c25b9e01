"""`breakeven quarantine list|show|release|hold`: look at the rows that rules put aside, and decide about them.

A decision is recorded with name, time and reason in `ops.quarantine_decision`. What was released passes from the
next refresh on, known from then; what is held stays out, and is shown as looked at.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from pipelines.cli.exits import FAILED, GOOD
from pipelines.platform.settings import Settings
from pipelines.platform.text import fit_to_show

if TYPE_CHECKING:
    from pipelines.cli.commands import Commands

_LONGEST_KEY = 90


def add(commands: Commands) -> None:
    """Add the parser."""
    parser = commands.add_parser("quarantine", help="rows that rules put aside: list, show, release, hold")
    verbs = parser.add_subparsers(dest="verb", required=True)
    listing = verbs.add_parser("list", help="every row in quarantine, with its rule and what was decided")
    listing.add_argument("--table", help="only rows of this table, for example staging.price_observation")
    listing.add_argument("--all", action="store_true", help="decided rows too")
    listing.add_argument("--json", action="store_true")
    shown = verbs.add_parser("show", help="one row, whole")
    shown.add_argument("row_id", help="its id, or how it begins")
    for verb, said in (("release", "take the row in with the next refresh"), ("hold", "leave the row out, looked at")):
        decided = verbs.add_parser(verb, help=said)
        decided.add_argument("row_id", help="its id, or how it begins")
        decided.add_argument("--reason", required=True, help="why; kept with your name and the time")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Do what the verb says. Exit code 1 where the row is not there or the decision has no reason."""
    from pipelines.catalogue.contracts import catalogue  # noqa: PLC0415  (polars and the record only here)
    from pipelines.platform.clock import utc_now  # noqa: PLC0415
    from pipelines.publication.ops import OpsRecorder, read_ops  # noqa: PLC0415
    from pipelines.quality.quarantine import DECISIONS, QuarantineError, decision_row, find, open_rows  # noqa: PLC0415

    record = settings.folders.ops
    ops = read_ops(record, catalogue())
    rows = open_rows(ops["quarantine"], ops[DECISIONS])
    if options.verb == "list":
        _print_list([r for r in rows if (options.all or r["state"] == "open") and options.table in (None, r["table_name"])], options.json)
        return GOOD
    try:
        row = find(rows, options.row_id)
        if options.verb == "show":
            print(json.dumps({**row, "row_json": json.loads(row["row_json"])}, indent=1, default=str))
            return GOOD
        now = utc_now()
        decision = decision_row(row, "released" if options.verb == "release" else "held", options.reason, now)
    except QuarantineError as error:
        print(f"breakeven quarantine: {error}")
        return FAILED
    OpsRecorder(record, f"decision-{now:%Y%m%dT%H%M%S%f}").append(DECISIONS, [decision])
    print(f"{row['row_id']} is {decision['decision']} by {decision['decided_by']}: {fit_to_show(decision['reason'], _LONGEST_KEY)}")
    return GOOD


def _print_list(rows: list[dict[str, Any]], as_json: bool) -> None:
    from pipelines.publication.reader import as_text  # noqa: PLC0415

    shown = [{k: r[k] for k in ("row_id", "state", "table_name", "rule", "row_key", "reason")} for r in rows]
    if as_json:
        print(json.dumps(shown, indent=1))
    elif not shown:
        print("No row in quarantine waits for a decision.")
    else:
        print(as_text([{**r, "row_key": fit_to_show(r["row_key"], _LONGEST_KEY), "reason": fit_to_show(r["reason"], 60)} for r in shown]))
