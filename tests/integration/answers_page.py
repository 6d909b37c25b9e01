"""Writes `docs/answers.md`: twelve workloads, each with its answer, the argument for it, and what would change it.

`python -m tests.integration.answers_page PUBLISHED.duckdb`, on what `breakeven refresh --offline --as-of 2026-11-23` publishes: the archive
that the other tests read, so that one of them can hold the page to it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import yaml

from pipelines import decision
from pipelines.decision.errors import rate_errors
from pipelines.decision.report.sentences import headline, reasons
from pipelines.decision.report.speech import speech
from tests.support.paths import ROOT

PAGE, FOLDER = ROOT / "docs" / "answers.md", ROOT / "docs" / "workloads" / "twelve"
WORKLOADS = sorted(FOLDER.glob("*.yaml"))
HEAD = """# Twelve answers

Workloads of real kinds (`docs/workloads/twelve`), answered by `breakeven decide` from the archive of this repository, as of {as_of}.
Other prices give other answers: what matters is the argument, and what would turn it. Each base figure is worked out again hour by hour by
a script that shares no code with the package (`tests/unit/decision/recompute.py`), equal to 1e-9. `docs/deciding.md` says how it is
computed.

Rates that nobody measured, over all measured rows, each left out in turn (`breakeven rate-errors` has them by model):

{errors}

The three examples of `docs/workloads`, before machines were rented whole and more than three sellers were known, and now:

{examples}
"""
BEFORE = {
    "support-chat": "rent spot by the fraction, 157,850 USD over 5 years",
    "public-service-eu": 'own, 785,340 EUR over 5 years, "no single input changes the answer"',
    "agents-around-the-clock": "buy tokens, 597,870 USD over 3 years",
}


T = speech("en")


def table(names: list[str], rows: list[list[Any]]) -> str:
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    return "\n".join(lines + [f"| {' | '.join(map(str, row))} |" for row in rows])


def example(name: str, connection: duckdb.DuckDBPyConnection) -> list[str]:
    workload, load = decision.load_workload(ROOT / "docs" / "workloads" / f"{name}.yaml")
    found = decision.decide(workload, load, decision.read_market(connection, workload))
    assert found.best is not None
    by = found.market.usd_per_eur if workload.currency == "EUR" else 1.0
    usd = found.best.cost_usd[workload.horizon_years]["base"]  # type: ignore[index]
    turning = sum(s.flips for s in found.robustness.tested)
    word = found.robustness.verdict.word
    now = f"{found.best.title}, {T.amount(usd / by)} {workload.currency} ({word}; inputs that turn it: {turning})"
    return [name, BEFORE[name], now]


def section(path: Path, connection: duckdb.DuckDBPyConnection, argued: Mapping[str, str]) -> str:
    """Raises ValueError where the argument is for another answer than there is now."""
    workload, load = decision.load_workload(path)
    market = decision.read_market(connection, workload)
    found = decision.decide(workload, load, market)
    answer = found.best.kind if found.best else "none", found.robustness.verdict.word
    if answer != (argued["kind"], argued["sure"]):
        raise ValueError(f"{path.stem}: argued for {argued['kind']} ({argued['sure']}), the answer is {answer[0]} ({answer[1]})")
    years, money = workload.horizon_years, workload.currency
    by = market.usd_per_eur if money == "EUR" else 1.0

    def cost(option: Any, end: str) -> str:
        return T.amount(option.cost_usd[years][end] / by)

    wins = found.robustness.draws.wins if found.robustness.draws else {}
    ways = [
        [o.title, cost(o, "base"), f"{cost(o, 'low')}..{cost(o, 'high')}", f"{wins[o.kind]:.0%}" if o.kind in wins else "-"]
        for o in found.options
    ]
    swings = [
        [s.name, f"{s.at_low:.3g}..{s.at_high:.3g}", T.amount(s.low / by), T.amount(s.high / by), "yes" if s.flips else "no"]
        for s in found.robustness.tested[:6]
    ]
    parts = [
        f"## {workload.name}",
        f"`{path.relative_to(ROOT)}`",
        f"**{headline(found, T)}**",
        argued["argument"].strip(),
        " ".join(reasons(found, T)),
    ]
    parts.append(table([f"way, over {T.years(years)}, {money}", "base", "low..high", "cheapest in draws"], ways))
    if swings:
        parts.append(table(["input moved alone", "range", "saves at its cheap end", "at its dear end", "turns it"], swings))
    if found.excluded:
        parts.append("Not possible: " + "; ".join(f"{T.kind(kind)}: {why}" for kind, why in found.excluded.items()) + ".")
    return "\n\n".join(parts)


def arguments() -> dict[str, dict[str, str]]:
    """Why each answer is what it is, by workload."""
    found: dict[str, dict[str, str]] = yaml.safe_load((FOLDER / "arguments.yml").read_text(encoding="utf-8"))
    return found


def head(connection: duckdb.DuckDBPyConnection) -> str:
    (as_of,) = connection.execute("SELECT max(on_date) FROM marts.cost_per_token").fetchall()[0]
    over_all = [e for e in rate_errors(connection, as_of) if e.scope.startswith("all ")]
    errors = [[e.method, e.rows, *(f"{x:.0%}" for x in (e.half_within, e.four_of_five_within, e.worst) if x is not None)] for e in over_all]
    names = ["method", "rows", "half within", "four of five within", "worst"]
    examples = table(["example", "before", "now"], [example(name, connection) for name in BEFORE])
    return HEAD.format(as_of=as_of, errors=table(names, errors), examples=examples).rstrip()


def render(connection: duckdb.DuckDBPyConnection) -> str:
    argued = arguments()
    return "\n\n".join([head(connection), *(section(path, connection, argued[path.stem]) for path in WORKLOADS)]) + "\n"


if __name__ == "__main__":
    with duckdb.connect(sys.argv[1], read_only=True) as published:
        PAGE.write_text(render(published), encoding="utf-8")
    print(f"wrote {PAGE}")
