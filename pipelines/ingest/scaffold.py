"""The files of a new source, as they stand before anything is known of it, and the trial of one on its stored answer or a live one.

Belongs here: what `breakeven sources new` and `breakeven sources test` do. Does not belong here: arguments, printing, fetching into
the store (`fetch`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.ingest.fetch import fetch_without_storing
from pipelines.ingest.recorded_answers import FIXTURES, missing_and_new, stored_answers
from pipelines.ingest.registry import SourceModule
from pipelines.platform.clock import utc_now
from pipelines.platform.paths import PROJECT_FOLDER
from pipelines.platform.settings import Settings
from pipelines.sources.lib import declared
from pipelines.sources.lib.errors import SourceError
from pipelines.sources.lib.manifest import manifest_of
from pipelines.sources.lib.offers import OFFER_TABLE

_NAME = re.compile(r"^[a-z][a-z0-9_]{1,39}$")
_ANSWER = """{"machines": [
 {"name": "h100x8", "gpu": "H100 SXM5 80GB", "count": 8, "hourly": "24.50"},
 {"name": "l40sx1", "gpu": "L40S 48GB", "count": 1, "hourly": "1.05"}
]}
"""
_MANIFEST = """title: {title}
homepage: https://{name}.example/pricing
licence: public price list; figures with attribution
certainty: reported # recorded: held against a real answer; documented: against the service's own documents
checked_on: {today}
gives: on-demand prices by the hour
base_url: https://api.{name}.example
requests:
  - name: machines
    path: /v1/machines
records: machines
row: # JMESPath of a column, or {{value: ...}}; docs/adding-a-source.md names all columns
  provider: {{value: {name}}}
  sku: name
  instance_type: name
  gpu_as_named: gpu
  gpu_count_stated: count
  currency: {{value: USD}}
offers:
  - {{native_amount: hourly}}
"""
_MODULE = '''"""{title}: on-demand prices by the hour."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from pipelines.sources.lib.decode import field_of, list_of, parser, read_json
from pipelines.sources.lib.errors import ParseError
from pipelines.sources.lib.fetching import one_answer
from pipelines.sources.lib.offers import OFFER_TABLE, offers
from pipelines.sources.lib.source import FetchContext, Payload, Source

SOURCE = Source(
    title="{title}",
    homepage="https://{name}.example/pricing",
    licence="public price list; figures with attribution",
    semantics="reading",
    precedence=200,
    base_url="https://api.{name}.example",
    table=OFFER_TABLE,
    certainty="reported",
    checked_on=date({year}, {month}, {day}),
    gives="on-demand prices by the hour",
)
_WHAT = "list of machines"


def fetch(context: FetchContext) -> Iterable[Payload]:
    """The list, one answer."""
    return one_answer(context, "machines.json", "/v1/machines")


@parser(_WHAT)
def parse(content: bytes) -> pl.DataFrame:
    """One offer per machine. Raises ParseError."""
    machines = list_of(read_json(content, _WHAT), "machines", _WHAT)
    rows = [
        {{
            "sku": field_of(machine, "name"),
            "instance_type": field_of(machine, "name"),
            "gpu_as_named": field_of(machine, "gpu"),
            "gpu_count_stated": field_of(machine, "count"),
            "native_amount": field_of(machine, "hourly"),
        }}
        for machine in machines
    ]
    if all(row["native_amount"] is None for row in rows):
        raise ParseError(f"{{_WHAT}}: hourly is in none of {{len(rows)}} machines")
    return offers(rows, provider="{name}", currency="USD")
'''


class ScaffoldError(Exception):
    """The files of a new source cannot be written; the message says why."""


def write_new(name: str, *, module: bool, project: Path = PROJECT_FOLDER) -> list[Path]:
    """Write the files of a source that does not exist yet: a manifest (or a module), a stored answer and the offers that it gives.

    Raises ScaffoldError for a name that is taken or none, and where there is no checkout to write into.
    """
    if not _NAME.match(name):
        raise ScaffoldError(f"{name!r} is no name of a source; expected small letters, digits and underscores")
    sources, fixture = project / "pipelines" / "sources", project / "tests" / "fixtures" / name
    if not (project / "tests").is_dir():
        raise ScaffoldError(f"{project} is no checkout of the project; a new source needs its tests beside it")
    logic = sources / f"{name}.py" if module else sources / "declared" / f"{name}.yml"
    taken = [path for path in (sources / f"{name}.py", sources / "declared" / f"{name}.yml", fixture) if path.exists()]
    if taken:
        raise ScaffoldError(f"{taken[0].relative_to(project)} is there already")
    today = utc_now().date()
    facts = {"name": name, "title": name.replace("_", " ").title(), "today": today}
    manifest = _MANIFEST.format(**facts)
    fixture.mkdir(parents=True)
    logic.write_text(_MODULE.format(**facts, year=today.year, month=today.month, day=today.day) if module else manifest, encoding="utf-8")
    (fixture / "answer.json").write_text(_ANSWER, encoding="utf-8")
    # Both say the same of the same answer.
    declared.parse(manifest_of(manifest, logic.with_suffix(".yml")), _ANSWER.encode()).write_csv(fixture / "offers.csv")
    return [logic, fixture / "answer.json", fixture / "offers.csv"]


def rows_of_fixture(module: SourceModule, *, accept: bool = False, fixtures: Path = FIXTURES) -> pl.DataFrame:
    """The rows that the stored answers give; with `accept` they become what the answers must give (`offers.csv`).

    Raises SourceError where there is no answer, or one that cannot be read.
    """
    answers = stored_answers(module.name, fixtures)
    if not answers:
        raise SourceError(f"tests/fixtures/{module.name}/answer* is missing")
    frame = pl.concat(module.parse(path.read_bytes()) for path in answers)
    if accept and module.table == OFFER_TABLE:
        frame.write_csv(fixtures / module.name / "offers.csv")
    return frame


@dataclass(frozen=True)
class LiveAnswer:
    """What one live fetch gave: its rows, the files in which its bodies were kept, what went wrong with parts of it, and its fields beside
    those of the recorded answers.
    """

    frame: pl.DataFrame
    kept: Sequence[Path] = ()
    problems: Sequence[str] = ()
    missing_fields: Sequence[str] = ()
    new_fields: Sequence[str] = ()


def rows_of_live_answer(module: SourceModule, settings: Settings, environment: Mapping[str, str], keep: Path) -> LiveAnswer:
    """Fetch a source now and read it; its bodies are kept. Raises SourceError."""
    payloads, problems = fetch_without_storing(module, settings, environment)
    keep.mkdir(parents=True, exist_ok=True)
    kept, frames = [], []
    for payload in payloads:
        path = keep / re.sub(r"[^A-Za-z0-9._-]+", "_", payload.name)
        path.write_bytes(payload.content)
        kept.append(path)
        try:
            frames.append(module.parse(payload.content))
        except SourceError as error:
            problems.append(f"{payload.name}: {error}")
    if not payloads:
        raise SourceError("; ".join(problems) or "the source gave nothing at all")
    missing, new = missing_and_new(module.name, (payload.content for payload in payloads))
    return LiveAnswer(pl.concat(frames) if frames else pl.DataFrame(), kept, problems, missing, new)
