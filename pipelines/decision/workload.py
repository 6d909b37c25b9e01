"""A workload as a person states it in YAML: model, lengths, limits, load over the year, constraints.

Belongs here: the file's fields, their errors, and the hourly load that they stand for. Does not belong here: prices.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, ValidationError, model_validator

from pipelines.decision.documents import WorkloadError, read_yaml
from pipelines.decision.fields import Country, Money, Number, Positive, Share, Strict, Text, Whole
from pipelines.decision.load_file import HOURS_PER_DAY, HOURS_PER_YEAR, MOST_TOKENS_PER_HOUR, read_load
from pipelines.decision.lookups import PROFESSIONAL
from pipelines.decision.mistakes import in_words
from pipelines.decision.quotes import Extra, Own, Quotes

Shape = Literal["constant", "business_hours", "diurnal", "bursty", "growing"]
InputTokens = Annotated[Whole, Field(ge=1, le=10_000_000)]
OutputTokens = Annotated[Whole, Field(ge=0, le=10_000_000)]
Growth = Annotated[Number, Field(ge=-0.9, le=10)]
Years = Annotated[Whole, Field(ge=1, le=10)]
Currency = Literal["USD", "EUR"]


class Tokens(Strict):
    """Lengths of a request, in tokens. `output: 0` is work on the input alone, such as embeddings and classification.

    `cached_input_share` of the input repeats what the seller still holds; `batch` work may wait for a seller's batch price.
    """

    input: InputTokens
    output: OutputTokens
    cached_input_share: Share = 0.0
    batch: bool = False


class Objective(Strict):
    """What a user must get: seconds to the first token, and per token after it."""

    ttft_s: Positive
    time_per_output_token_s: Positive


class Load(Strict):
    """Output tokens over the year (input tokens where there is no output): a mean a day with a shape, or a CSV of hours.

    Grows by a share each year.
    """

    output_tokens_per_day: Positive | None = None
    input_tokens_per_day: Positive | None = None
    shape: Shape | None = None
    csv: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    growth_per_year: Growth = 0.0

    @model_validator(mode="after")
    def _one_way(self) -> Load:
        if self.output_tokens_per_day is not None and self.input_tokens_per_day is not None:
            raise ValueError("expected output_tokens_per_day or input_tokens_per_day, not both")
        given = [part is not None for part in (self.tokens_per_day, self.shape)]
        if any(given) if self.csv is not None else not all(given):
            raise ValueError("expected either csv, or output_tokens_per_day with shape")
        return self

    @property
    def tokens_per_day(self) -> float | None:
        """Counted tokens of a mean day."""
        return self.output_tokens_per_day if self.input_tokens_per_day is None else self.input_tokens_per_day


class Constraints(Strict):
    """What is allowed. An empty list allows all, but of tiers of trust only the professional; `EU` stands for its members."""

    countries: tuple[Country, ...] = ()
    provider_jurisdictions: tuple[Country, ...] = ()
    certifications: tuple[str, ...] = ()
    trust_tiers: tuple[str, ...] = ()
    least_gpu_memory_gb: Positive | None = None
    data_may_not_leave: bool = False
    spot_allowed: bool = True
    api_allowed: bool = True
    capital_budget: Money | None = None

    @property
    def admits_more_tiers(self) -> bool:
        """Whether the tiers that are named loosen the default rather than tighten it."""
        return set(self.trust_tiers) >= PROFESSIONAL

    def given(self) -> list[str]:
        """Names of the constraints that are not at their default and take something away."""
        names = [name for name, field in type(self).model_fields.items() if getattr(self, name) != field.default]
        return [name for name in names if not (name == "trust_tiers" and self.admits_more_tiers)]

    def without(self, name: str) -> Constraints:
        """The same with one constraint at its default."""
        return self.model_copy(update={name: type(self).model_fields[name].default})


class ScaleToZero(Strict):
    """Machines may be switched off within an hour; the next request waits until one has started and loaded the model."""

    cold_start_s: Annotated[Number, Field(ge=0, le=3600)]


class Resilience(Strict):
    """Machines beside those that the load needs, for every way that runs machines."""

    spare_servers: Annotated[Whole, Field(ge=0, le=1000)] = 0
    second_site: bool = False


class Purchase(Strict):
    """Owned servers come in stages of so many years, each just before it is needed."""

    stage_years: Annotated[Whole, Field(ge=1, le=10)] = 1


class Site(Strict):
    """Where owned servers stand and who runs them: owning is not sovereign by itself."""

    country: Country | None = None
    operator_country: Country | None = None
    certifications: tuple[str, ...] = ()


class Workload(Strict):
    """Everything that is asked. Amounts of money are in `currency`."""

    name: Text
    model: Text
    precisions: tuple[str, ...] = ()
    tokens: Tokens
    objective: Objective
    load: Load
    horizon_years: Years = 5
    currency: Currency = "USD"
    electricity_area: str | None = None
    constraints: Constraints = Constraints()
    scale_to_zero: ScaleToZero | None = None
    resilience: Resilience = Resilience()
    purchase: Purchase = Purchase()
    site: Site = Site()
    quotes: Quotes = Quotes()
    estimates: Literal["never", "where_unmeasured", "all"] = "where_unmeasured"
    assumptions: dict[str, Own] = Field(default_factory=dict)
    count: tuple[Extra, ...] = ()

    @model_validator(mode="after")
    def _counted(self) -> Workload:
        if self.load.csv is None and (self.tokens.output == 0) != (self.load.input_tokens_per_day is not None):
            raise ValueError("expected load.input_tokens_per_day where tokens.output is 0, and load.output_tokens_per_day else")
        return self

    @property
    def token_kind(self) -> str:
        """Which tokens are counted."""
        return "output" if self.tokens.output else "input"

    @property
    def sites(self) -> int:
        """How many sites carry the whole load."""
        return 2 if self.resilience.second_site else 1


def load_workload(path: Path) -> tuple[Workload, np.ndarray]:
    """Read a workload and its load of one year in output tokens per hour. Raises WorkloadError."""
    document = read_yaml(path)
    if not document.keys() & Workload.model_fields.keys():
        # Some other file, whose names may be whole lines of it: none is quoted.
        raise WorkloadError(f"{path}: holds no field of a workload, expected fields such as name, model, tokens, objective, load")
    try:
        workload = Workload.model_validate(document)
    except ValidationError as error:
        raise WorkloadError(f"{path}: {in_words(error)}") from error
    load = _year(workload.load, path)
    greatest = float(load.max()) * (1 + max(workload.load.growth_per_year, 0.0)) ** (workload.horizon_years - 1)
    if greatest > MOST_TOKENS_PER_HOUR:
        raise WorkloadError(f"{path}: load: comes to {greatest:.3g} tokens in an hour, expected at most {MOST_TOKENS_PER_HOUR:g}")
    return workload, load


def _year(load: Load, path: Path) -> np.ndarray:
    if load.csv is not None:
        return read_load(path, load.csv)
    assert load.shape is not None and load.tokens_per_day is not None
    shape = SHAPES[load.shape](np.arange(HOURS_PER_YEAR))
    return shape * (load.tokens_per_day / HOURS_PER_DAY / float(shape.mean()))


def _constant(hours: np.ndarray) -> np.ndarray:
    return np.ones(hours.size)


def _business_hours(hours: np.ndarray) -> np.ndarray:
    """Monday to Friday from 8 to 18: 0.30 of the hours."""
    hour, day = hours % HOURS_PER_DAY, hours // HOURS_PER_DAY % 7
    return ((hour >= 8) & (hour < 18) & (day < 5)).astype(float)


def _diurnal(hours: np.ndarray) -> np.ndarray:
    """A wave over the day, highest at 15, lowest at 3 with a ninth of it."""
    return 0.5 + 0.4 * np.cos((hours % HOURS_PER_DAY - 15) / HOURS_PER_DAY * 2 * math.pi)


def _bursty(hours: np.ndarray) -> np.ndarray:
    """A tenth of the peak, and the peak in every twentieth hour, scattered without regard to day or week."""
    return np.where(hours * 7919 % HOURS_PER_YEAR < HOURS_PER_YEAR // 20, 1.0, 0.1)


def _growing(hours: np.ndarray) -> np.ndarray:
    """From a half to the whole of the peak over the year."""
    return 0.5 + 0.5 * hours / (HOURS_PER_YEAR - 1)


SHAPES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "constant": _constant,
    "business_hours": _business_hours,
    "diurnal": _diurnal,
    "bursty": _bursty,
    "growing": _growing,
}
