"""What is known of the market on one day: offers, servers, measurements, rates, assumptions.

Belongs here: their shapes. Does not belong here: reading them (`reading`), any choice. Bands go from the end that makes tokens cheap to
the end that makes them dear. All amounts are USD without tax.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

BANDS = ("low", "base", "high")
# The rule of age for every way alike: what was last seen longer ago than this is no offer, no quote and no measurement any more.
LONGEST_AGE_DAYS = 365
# What was seen longer ago than this is not even said any more.
FORGOTTEN_DAYS = 2 * LONGEST_AGE_DAYS
# More machines than this are not taken together for one copy of a model.
MOST_NODES = 4

Band = Mapping[str, float]


@dataclass(frozen=True)
class Assumption:
    """One row of the table of assumptions, or of the workload's own. `is_assumed` where any end is our own; `on` where it has a day.

    `place`: where it holds, if not everywhere; `stands_in_for`: the area whose own figure is not known.
    """

    name: str
    band: Band
    unit: str
    source: str
    is_assumed: bool
    is_yours: bool = False
    on: date | None = None
    place: str | None = None
    stands_in_for: str | None = None


@dataclass(frozen=True)
class Measurement:
    """A configuration of a device within the limits. Rate in counted tokens per second per GPU.

    `basis`: measured, interpolated, estimated, or yours; `error_share` is the error of what is not measured, to either side.
    `ended_early`: the sweep ended before a limit bound, so that the rate is a lower bound and the cost an upper one. `sweep`: what the
    same system serves with fewer requests at a time, as pairs of (share of the rate, requests at a time).
    """

    gpu: str
    precision: str
    rate_per_gpu: float
    gpu_count: float
    throughput_id: str
    measured_on: date | None
    source: str
    engine: str = "-"
    concurrency: float | None = None
    ended_early: bool = False
    basis: str = "measured"
    error_share: float = 0.0
    sweep: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class EngineRate:
    """The best measured rate of a device on one engine, with so many requests at a time."""

    precision: str
    engine: str
    gpu: str
    gpu_count: float
    concurrency: float | None
    rate_per_gpu: float


@dataclass(frozen=True)
class Offer:
    """A machine for rent, by USD per GPU-hour. `is_by_the_gpu` where the seller states no machine: then whole replicas are rented.

    `nodes`: as many machines together run one copy of a model that is too large for one; `gpu_count` is that of all of them.
    `interruptions_per_month` of a spot machine where its seller says it.
    """

    gpu: str
    gpu_count: float
    option: str
    commitment_months: int | None
    provider: str
    region: str
    country: str | None
    trust_tier: str
    usd_per_gpu_hour: Band
    price_basis: str
    price_on: date
    age_days: int
    source: str
    series_id: str
    is_by_the_gpu: bool = False
    is_yours: bool = False
    nodes: int = 1
    interruptions_per_month: Band | None = None


@dataclass(frozen=True)
class ApiOffer:
    """A seller of the model by the token; prices in USD per million. `seen_on` is None where the source dates no price."""

    provider: str
    model_as_named: str
    input_usd: float
    output_usd: float
    price_on: date
    age_days: int
    source: str
    cached_input_usd: float | None = None
    batch_share: float | None = None
    country: str | None = None
    kind: str = "seller"
    band_share: tuple[float, float] = (1.0, 1.0)
    is_yours: bool = False


@dataclass(frozen=True)
class Server:
    """A server at its latest list price, and its power under load; with `nodes` above 1 so many that run one copy together.

    `age_years` of a used one: its upkeep is a share of what it cost new, which its price and the residual curve tell.
    """

    hardware: str
    gpu: str
    gpu_count: float
    usd: Band
    price_on: date
    age_days: int
    source: str
    load_kw: Band
    is_power_estimated: bool
    is_band_assumed: bool
    is_yours: bool = False
    nodes: int = 1
    age_years: float = 0.0


@dataclass(frozen=True)
class Drift:
    """How far prices of one kind moved within a year: logarithms of the lower and the upper tenth, and how much stands behind them."""

    low: float
    high: float
    series: int
    is_assumed: bool
    source: str


@dataclass(frozen=True)
class Expired:
    """Prices that are too old to be compared: what they were is said where their kind has no other."""

    offers: Sequence[Offer] = ()
    api_offers: Sequence[ApiOffer] = ()
    servers: Sequence[Server] = ()


@dataclass(frozen=True)
class Market:
    """All of it, for one workload. `left_out` counts what is known and may not answer, by its reason."""

    as_of: date
    usd_per_eur: float
    fx_on: date
    measurements: list[Measurement]
    offers: list[Offer]
    api_offers: list[ApiOffer]
    servers: list[Server]
    assumptions: dict[tuple[str, str | None], Assumption]
    electricity: Assumption
    headquarters: dict[str, str]
    certified: set[tuple[str, str, str]] = field(default_factory=set)
    gpu_memory_gb: dict[str, float] = field(default_factory=dict)
    drift: dict[str, Drift] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    engine_rates: list[EngineRate] = field(default_factory=list)
    version: str = "-"
    expired: Expired = Expired()

    def band(self, name: str) -> Band | None:
        """Band of an assumption that holds for all scopes, or None where the table has none of this name."""
        found = self.assumptions.get((name, None))
        return found.band if found else None
