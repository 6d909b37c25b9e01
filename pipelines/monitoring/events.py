"""What is worth a message: conditions that stand until they are over, and changes that happened.

Belongs here: pure functions from facts to conditions and changes, each with what to do. Does not belong here: reading facts or sending
(`watch`, `channels`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from pipelines.monitoring.state import RefreshState
from pipelines.publication.run_outcomes import INTERRUPTED

EXPIRY_LIMIT_DAYS = {"hardware": 365, "electricity": 270, "throughput": 365}


@dataclass(frozen=True)
class Message:
    """`key` is the same for the same trouble; a message is sent once for it, and once more when it is over."""

    key: str
    title: str
    body: str


@dataclass(frozen=True)
class BreakEven:
    """A line that the user set, and the break-even use that stands against it (None: no figure)."""

    key: str
    shown: str
    line_share: float
    break_even_share: float | None


@dataclass(frozen=True)
class WatchedAnswer:
    """What is recommended for a watched workload: the kind of way and its title (None: nothing serves it), and how sure."""

    name: str
    kind: str | None
    way: str | None
    sure: str
    as_of: date


@dataclass(frozen=True)
class MarketFacts:
    """What the published version says: the cheapest way to serve, break-even against the user's lines, newest figure by kind.

    `answers` of watched workloads by file, and of those without one why.
    """

    as_of: date | None = None
    answer: str | None = None
    break_even: tuple[BreakEven, ...] = ()
    newest_on: Mapping[str, date] | None = None
    answers: Mapping[str, WatchedAnswer] = field(default_factory=dict)
    unanswered: Mapping[str, str] = field(default_factory=dict)


def conditions(state: RefreshState, facts: MarketFacts, now: datetime, silent_after_days: int, expiring_within_days: int) -> list[Message]:
    """What is wrong now."""
    found = [*_refresh_conditions(state), *_source_conditions(state.sources, now, silent_after_days)]
    if facts.as_of is not None and facts.newest_on:
        found += _expiring(facts.as_of, facts.newest_on, expiring_within_days)
    for path, why in facts.unanswered.items():
        advice = "Mend the file, or take it out of [alerts] workloads."
        found.append(Message(f"workload:{path}:unanswered", f"The watched workload {path} has no answer", f"{why}\n{advice}"))
    return found


def _refresh_conditions(state: RefreshState) -> Iterable[Message]:
    last = state.last
    if last is not None and last["outcome"] in ("blocked", "failed", INTERRUPTED):
        advice = {
            "blocked": "The last good figures stay. `breakeven status` names rule and rows; mend the cause and refresh again.",
            "failed": "The last good figures stay published. `breakeven status` says why; refresh again when it is mended.",
            INTERRUPTED: "The last good figures stay published. Look for a lack of memory or a restart, then refresh again.",
        }[last["outcome"]]
        yield Message(f"refresh:{last['outcome']}", f"Refresh {last['outcome']}", f"{last['detail'] or 'no reason was given'}\n{advice}")
    for number, problem in enumerate(state.problems):
        kind = "refresh:old" if "hours old" in problem or "in the future" in problem else f"published:{number}"
        yield Message(kind, "Figures are too old" if kind == "refresh:old" else "What is published is damaged", problem)
    for table, kept in state.kept_marts.items():
        advice = "The other tables are new. Each refresh tries it again; its log has the error, which is for the maintainers."
        yield Message(f"kept:{table}", f"{table} is of {kept['as_of']}", f"{kept['reason']}\n{advice}")
    if state.losses:
        yield Message("snapshots:lost", "Stored answers are lost", "\n".join(state.losses))


def _source_conditions(sources: Iterable[Mapping[str, Any]], now: datetime, silent_after_days: int) -> Iterable[Message]:
    for row in sources:
        source, status = row["source"], row["status"]
        if status in ("failed", "stale", "partial"):
            advice = f"Its older figures are used with their true age. `breakeven sources --probe {source}` tries it."
            yield Message(
                f"source:{source}:{status}", f"Source {source} is {status}", f"{row['detail'] or 'no reason was given'}\n{advice}"
            )
        last = row["last_good_fetch_at"]
        age = (now - last).days if last is not None else None
        if not row["is_bundled"] and age is not None and age >= silent_after_days and status not in ("disabled", "not_tried"):
            advice = "Look at its page and its address; switch it off with enabled = false where it is gone for good."
            yield Message(f"source:{source}:silent", f"Source {source} is silent", f"No good answer for {age} days.\n{advice}")


def _expiring(as_of: date, newest_on: Mapping[str, date], within_days: int) -> Iterable[Message]:
    for kind, limit in EXPIRY_LIMIT_DAYS.items():
        newest = newest_on.get(kind)
        left = None if newest is None else limit - (as_of - newest).days
        if left is not None and left <= within_days:
            when = f"expire in {left} days" if left > 0 else "have expired"
            advice = "Add a newer figure with its source to the reference tables, or answers that need it will say that there is none."
            yield Message(f"expiring:{kind}", f"The newest {kind} figures {when}", f"They are of {newest}.\n{advice}")


def changes(
    facts: MarketFacts,
    answer_before: str | None,
    sides_before: Mapping[str, str],
    answers_before: Mapping[str, Mapping[str, str | None]] | None = None,
) -> list[Message]:
    """What is different from the last time that somebody looked."""
    found = []
    if facts.answer is not None and answer_before is not None and facts.answer != answer_before:
        body = f"It was {answer_before}; it is {facts.answer}, as of {facts.as_of}.\n`breakeven decide` shows what stands behind it."
        found.append(Message("answer", "The cheapest way to serve has changed", body))
    for line in facts.break_even:
        side, before = side_of(line), sides_before.get(line.key)
        if side is not None and before is not None and side != before:
            body = (
                f"{line.shown}: owning pays from {line.break_even_share:.0%} use on; your line is {line.line_share:.0%}, "
                f"so it is now {side} the line (it was {before}), as of {facts.as_of}."
            )
            found.append(Message(f"line:{line.key}", "Break-even has crossed your line", body))
    for path, answer in facts.answers.items():
        earlier = (answers_before or {}).get(path)
        if earlier is not None and earlier["kind"] != answer.kind:
            body = (
                f"{answer.name}: it was '{earlier['way'] or 'nothing'}' as of {earlier['as_of']}; it is '{answer.way or 'nothing'}' "
                f"({answer.sure}) as of {answer.as_of}.\n`breakeven decide {path} --compare {earlier['as_of']}` says which inputs made it."
            )
            found.append(Message(f"workload:{path}", "The answer to a watched workload has turned", body))
    return found


def side_of(line: BreakEven) -> str | None:
    """Whether the break-even use lies above or below the user's line; None without a figure."""
    return None if line.break_even_share is None else "above" if line.break_even_share > line.line_share else "below"
