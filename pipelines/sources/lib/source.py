"""What every source has in common: its facts, a stored response, and what `fetch` is given.

Belongs here: the types that a source module speaks. Does not belong here: HTTP (see `http`), storage (see `snapshots`), or a list
of sources (a module in this folder with a `SOURCE` is one).

A source module `pipelines/sources/<table>.py` belongs to the raw table `raw.<table>` and has

* `SOURCE: Source`, its facts;
* `fetch(context: FetchContext) -> Iterable[Payload]`, the only part with I/O;
* `parse(content: bytes) -> polars.DataFrame`, pure: one payload in, the source's own columns out;
* `normalise(raw: polars.LazyFrame) -> polars.LazyFrame`, pure, where the contract says `feeds:`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from pipelines.sources.lib.http import HttpClient

Semantics = Literal["reading", "change", "period_mean", "table"]

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
    `published_on`: for what ships with the project or a package (no `base_url`), the day on which its content was known.
    `credentials`: environment variables that must all be set; without them the source is `skipped_no_credential`.
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
