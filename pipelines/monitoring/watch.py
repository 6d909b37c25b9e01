"""Looking and telling: one message when something begins, one when it is over, none in between.

Belongs here: reading the facts, what was told already (`data/alerts.json`), telling. Does not belong here: what is worth a message.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from pipelines.monitoring.channels import AlertError, send
from pipelines.monitoring.events import BreakEven, MarketFacts, Message, changes, conditions, side_of
from pipelines.monitoring.metrics import write_metrics
from pipelines.monitoring.state import RefreshState, read_state
from pipelines.monitoring.workloads import answers_of
from pipelines.platform.files import write_whole
from pipelines.platform.settings import BreakEvenLine, Settings
from pipelines.platform.text import fit_to_show
from pipelines.publication.reader import NotPublishedError, published, rows

log = logging.getLogger("breakeven")

_NEWEST = {
    "hardware": "SELECT max(price_on) AS newest FROM marts.hardware_price",
    "electricity": "SELECT max(coalesce(period_to_on, source_on)) AS newest FROM marts.electricity_price "
    "WHERE consumer_class <> 'wholesale_day_ahead'",
    "throughput": "SELECT max(measured_on) AS newest FROM marts.throughput",
}


@dataclass(frozen=True)
class Told:
    """What a look came to: messages that began, that are over, and the schemes of addresses that did not take one."""

    begun: list[Message]
    over: list[Message]
    undelivered: list[str]


def look_and_tell(
    settings: Settings, environment: Mapping[str, str], now: datetime, *, is_dry: bool = False, state: RefreshState | None = None
) -> Told:
    """Hold the facts against what was told already, tell what is new, and remember it; `state` where it was read already.

    Raises AlertError.
    """
    path = settings.folders.alerts
    memory = _remembered(path)
    facts = _facts(settings)
    alerts = settings.alerts
    standing = conditions(state or read_state(settings, now), facts, now, alerts.silent_after_days, alerts.expiring_within_days)
    open_before: dict[str, dict[str, str]] = memory["open"]
    begun = [m for m in standing if m.key not in open_before]
    over = [Message(**m) for key, m in open_before.items() if key not in {m.key for m in standing}]
    happened = changes(facts, memory["answer"], memory["sides"], memory["answers"])
    if is_dry:
        return Told([*begun, *happened], over, [])
    undelivered = [scheme for message in [*begun, *happened] for scheme in send(message, environment)]
    undelivered += [scheme for message in over for scheme in send(message, environment, is_over=True)]
    sides = {line.key: side for line in facts.break_even if (side := side_of(line)) is not None}
    told = {
        "open": {m.key: asdict(m) for m in standing},
        "answer": facts.answer or memory["answer"],
        "sides": {**memory["sides"], **sides},
        "answers": {
            **memory["answers"],
            **{path: {"kind": a.kind, "way": a.way, "as_of": str(a.as_of)} for path, a in facts.answers.items()},
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (json.dumps(told, indent=1) + "\n").encode())
    return Told([*begun, *happened], over, undelivered)


def _remembered(path: Path) -> dict[str, Any]:
    empty: dict[str, Any] = {"open": {}, "answer": None, "sides": {}, "answers": {}}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        memory = {**empty, **{key: found[key] for key in empty if key in found}}
        [Message(**message) for message in memory["open"].values()]
        dict(memory["sides"])
        [(a["kind"], a["way"], a["as_of"]) for a in memory["answers"].values()]
    except (OSError, ValueError, TypeError, AttributeError, KeyError):
        return empty  # never told, or not readable any more: what stands is told once again
    return memory


def _facts(settings: Settings) -> MarketFacts:
    try:
        with published(settings) as connection:
            day = rows(connection, "SELECT max(on_date) AS day FROM marts.cost_per_token")[0]["day"]
            newest = {kind: rows(connection, sql)[0]["newest"] for kind, sql in _NEWEST.items()}
            lines = tuple(_break_even(connection, line) for line in settings.alerts.break_even_lines)
            known = {kind: on for kind, on in newest.items() if on is not None}
            return MarketFacts(day, _answer(connection), lines, known, *answers_of(connection, settings.alerts.workloads))
    except (NotPublishedError, duckdb.Error):
        return MarketFacts()


def _answer(connection: duckdb.DuckDBPyConnection) -> str | None:
    found = rows(
        connection,
        """
        SELECT concat_ws(' ', option, gpu, provider, country) AS answer FROM bi.cheapest_today
        WHERE model = ? AND workload = ? ORDER BY base_usd_per_million_output_tokens, place LIMIT 1
        """,
        [BreakEvenLine.model_fields["model"].default, BreakEvenLine.model_fields["workload"].default],
    )
    return found[0]["answer"] if found else None


def _break_even(connection: duckdb.DuckDBPyConnection, line: BreakEvenLine) -> BreakEven:
    found = rows(
        connection,
        """
        SELECT base_break_even_utilisation_share AS share FROM marts.break_even
        WHERE server = ? AND model = ? AND precision = ? AND workload = ? AND comparator = ? AND window_days = 30
        ORDER BY on_date DESC LIMIT 1
        """,
        [line.server, line.model, line.precision, line.workload, line.comparator],
    )
    shown = f"{line.server}, {line.model} {line.precision}, {line.workload}, against the {line.comparator} offer"
    return BreakEven(shown, shown, line.utilisation_share, found[0]["share"] if found else None)


def after_refresh(settings: Settings, environment: Mapping[str, str], now: datetime) -> None:
    """What follows every refresh, however it went: its metrics are written, and what is new is told. Raises nothing."""
    try:
        state = read_state(settings, now)
        write_metrics(settings, state, now)
        look_and_tell(settings, environment, now, state=state)
    except (AlertError, OSError, duckdb.Error) as error:
        log.warning("alert  not possible: %s", fit_to_show(str(error)))
