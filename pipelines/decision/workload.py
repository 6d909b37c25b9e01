"""A workload as a person states it in YAML: model, lengths, limits, load over the year, constraints.

Belongs here: the file's fields, their errors, and the hourly load that they stand for. Does not belong here: prices.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

HOURS_PER_DAY, HOURS_PER_YEAR = 24, 8760
CSV_COLUMN = "output_tokens_per_hour"
# Members on 2026-11-23, ISO 3166 codes.
# fmt: off
EU_COUNTRIES = frozenset((
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
))
# fmt: on

Country = Annotated[str, Field(pattern=r"^([A-Z]{2}|EU)$")]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Shape = Literal["constant", "business_hours", "diurnal", "bursty", "growing"]


class WorkloadError(Exception):
    """A workload cannot be read or answered; the message names the file, the field and the value, and what was expected."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tokens(_Strict):
    """Lengths of a request, in tokens. Only measured lengths have an answer."""

    input: Annotated[int, Field(ge=1)]
    output: Annotated[int, Field(ge=1)]


class Objective(_Strict):
    """What a user must get: seconds to the first token, and per token after it."""

    ttft_s: Positive
    time_per_output_token_s: Positive


class Load(_Strict):
    """Output tokens over the year: a mean a day with a shape, or a CSV of hours. Grows by a share each year."""

    output_tokens_per_day: Positive | None = None
    shape: Shape | None = None
    csv: str | None = None
    growth_per_year: Annotated[float, Field(ge=-0.9, le=10)] = 0.0

    @model_validator(mode="after")
    def _one_way(self) -> Load:
        if (self.csv is None) == (self.output_tokens_per_day is None or self.shape is None):
            raise ValueError("expected either csv, or output_tokens_per_day with shape")
        return self


class Constraints(_Strict):
    """What is allowed. An empty list allows all; `EU` in a list of countries stands for its members."""

    countries: tuple[Country, ...] = ()
    provider_jurisdictions: tuple[Country, ...] = ()
    certifications: tuple[str, ...] = ()
    trust_tiers: tuple[str, ...] = ()
    least_gpu_memory_gb: Annotated[float, Field(gt=0)] | None = None
    data_may_not_leave: bool = False
    spot_allowed: bool = True
    api_allowed: bool = True
    capital_budget: Positive | None = None

    def given(self) -> list[str]:
        """Names of the constraints that are not at their default."""
        return [name for name, field in type(self).model_fields.items() if getattr(self, name) != field.default]

    def without(self, name: str) -> Constraints:
        """The same with one constraint at its default."""
        return self.model_copy(update={name: type(self).model_fields[name].default})


class Workload(_Strict):
    """Everything that is asked. Amounts of money are in `currency`."""

    name: str
    model: str
    precisions: tuple[str, ...] = ()
    tokens: Tokens
    objective: Objective
    load: Load
    horizon_years: Annotated[int, Field(ge=1, le=10)] = 5
    currency: Literal["USD", "EUR"] = "USD"
    electricity_area: str = "US"
    constraints: Constraints = Constraints()


def load_workload(path: Path) -> tuple[Workload, np.ndarray]:
    """Read a workload and its load of one year in output tokens per hour. Raises WorkloadError."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise WorkloadError(f"{path}: cannot be read as YAML: {error}") from error
    if not isinstance(document, dict):
        raise WorkloadError(f"{path}: holds {type(document).__name__}, expected fields such as name, model, tokens, objective, load")
    try:
        workload = Workload.model_validate(document)
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, e['loc'])) or '(top)'}: {e['msg']}, found {e['input']!r}" for e in error.errors())
        raise WorkloadError(f"{path}: {found}") from error
    return workload, _year(workload.load, path)


def _year(load: Load, path: Path) -> np.ndarray:
    if load.csv is not None:
        return _from_csv(path.parent / load.csv)
    assert load.shape is not None and load.output_tokens_per_day is not None
    shape = SHAPES[load.shape](np.arange(HOURS_PER_YEAR))
    return shape * (load.output_tokens_per_day / HOURS_PER_DAY / float(shape.mean()))


def _from_csv(path: Path) -> np.ndarray:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            if CSV_COLUMN not in (rows.fieldnames or []):
                raise WorkloadError(f"{path}: columns are {rows.fieldnames}, expected {CSV_COLUMN}")
            texts = [row[CSV_COLUMN] for row in rows]
    except (OSError, UnicodeDecodeError) as error:
        raise WorkloadError(f"{path}: cannot be read: {error}") from error
    values = []
    for number, text in enumerate(texts, start=2):
        try:
            value = float(text)
        except (TypeError, ValueError):
            value = math.nan
        if not (math.isfinite(value) and value >= 0):
            raise WorkloadError(f"{path}: line {number}: {CSV_COLUMN} is {text!r}, expected a number of at least 0")
        values.append(value)
    if len(values) not in (HOURS_PER_DAY, 7 * HOURS_PER_DAY, HOURS_PER_YEAR):
        raise WorkloadError(f"{path}: {len(values)} hours, expected a year (8760), a week (168) or a day (24)")
    if max(values) == 0:
        raise WorkloadError(f"{path}: {CSV_COLUMN} is 0 in every hour, expected a load")
    return np.resize(np.asarray(values), HOURS_PER_YEAR)


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
