"""What every source has in common: its facts, a stored response, and what `fetch` is given.

Belongs here: the types that a source module speaks. Does not belong here: HTTP (see `http`), storage (see `snapshots`), or a list
of sources (a module in this folder with a `SOURCE` is one).

A source module `pipelines/sources/<name>.py` has

* `SOURCE: Source`, its facts;
* `fetch(context: FetchContext) -> Iterable[Payload]`, the only part with I/O;
* `parse(content: bytes) -> polars.DataFrame`, pure: one payload in, the columns of its raw table out;
* `normalise(raw: polars.LazyFrame) -> polars.LazyFrame`, pure, where its raw table has a contract of its own that says `feeds:`.

Its raw table is `raw.<name>`, or the one that `SOURCE.table` names: sources of offers share `raw.offer`. A source that is declared
(`pipelines/sources/declared/<name>.yml`) is the same, made from its manifest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from pipelines.sources.lib.http import HttpClient

Semantics = Literal["reading", "change", "period_mean", "table"]
Certainty = Literal["recorded", "documented", "reported"]

# How long a figure may be carried forward, in days, where the source says nothing else.
DEFAULT_STALENESS_DAYS: Mapping[str, int] = {
    "spot": 2,
    "on_demand": 45,
    "commitment": 45,
    "capacity_block": 45,
    "dedicated_month": 45,
    "reserved": 45,
    "serverless": 45,
    "marketplace": 7,
    "token_price": 30,
    "fx": 7,
    "electricity": 270,
    "hardware": 365,
    "throughput": 365,
}


@dataclass(frozen=True)
class Source:
    """Facts about one source.

    `semantics`: a `reading` holds until the next one or the staleness limit; a `change` holds until the next change, or to its
    last confirmation plus the limit; a `period_mean` is a statistic and never a price in force; a `table` is a curated list.
    `precedence`: where two sources give the same series at the same instant, the lower number wins.
    `checked_on`: day of the newest answer or document that its reader was held against.
    `rows_at_least`: with fewer rows a fetch is partial. `must_have`: SKUs without which it is partial.
    `published_on`: for what ships with the project or a package (no `base_url`), the day on which its content was known.
    `credentials`: environment variables that must all be set; without them the source is `skipped_no_credential`.
    `optional_credentials`: further ones that are used where they are set, and kept as secret.
    `pause_seconds`: from one of its answers to the next question, where the service minds bursts.
    `hosts`: hosts besides its own that a redirect may lead to.
    `table`: the raw table that it shares with others; its own where None.
    `tier`: 1 needs no credential, 2 needs one, 3 is a curated table.
    `certainty`: what its reader stands on: a `recorded` answer of the service, its `documented` shape, or what others `reported`.
    `gives`: what it says, in a few words; `terms`: where its terms of use stand, or what they say.
    `staleness_days`: differs from DEFAULT_STALENESS_DAYS where given.
    """

    title: str
    homepage: str
    licence: str
    semantics: Semantics
    attribution: str = ""
    precedence: int = 100
    base_url: str | None = None
    timeout_seconds: float = 60.0
    max_payload_bytes: int = 64 * 1024 * 1024
    credentials: tuple[str, ...] = ()
    optional_credentials: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    pause_seconds: float = 0.0
    table: str | None = None
    tier: int = 1
    certainty: Certainty = "documented"
    gives: str = ""
    terms: str = ""
    checked_on: date | None = None
    rows_at_least: int = 1
    must_have: tuple[str, ...] = ()
    published_on: date | None = None
    staleness_days: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_bundled(self) -> bool:
        """True where the bytes come from installed files and no network is needed."""
        return self.base_url is None

    def staleness_limit_days(self, kind: str) -> int:
        """Days that a figure of this kind (a purchase option, or `fx`, `token_price`, ...) may be carried forward."""
        return self.staleness_days.get(kind, DEFAULT_STALENESS_DAYS[kind])


@dataclass(frozen=True)
class Payload:
    """One response as it was received. `name` is stable from day to day (`francecentral/Consumption/0001`); `url` has no secret."""

    name: str
    url: str
    content: bytes
    fetched_at: datetime
    status: int = 200
    etag: str | None = None


@dataclass(frozen=True)
class FetchContext:
    """What a fetch may use, and nothing else.

    `http` follows the source's timeout, caps, retries and the shared breaker. `since` is when the last good fetch of this source
    happened (None at first). `credentials` holds the declared variables only. `problem` records a part that failed while the rest
    goes on: the fetch is then `partial`.
    """

    source_name: str
    base_url: str
    timeout_seconds: float
    as_of: date
    http: HttpClient
    problem: Callable[[str], None]
    since: datetime | None = None
    credentials: Mapping[str, str] = field(default_factory=dict)
