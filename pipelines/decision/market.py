"""What is known of the market on the day of the published version: offers, servers, measurements, rates, assumptions.

Belongs here: reading the published marts and the curated tables of providers and assumptions. Does not belong here: any choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from pipelines.catalogue.contracts import catalogue
from pipelines.costing.throughput_selection import LARGEST_SERVER_GPUS, fastest_within
from pipelines.decision.documents import WorkloadError
from pipelines.decision.lookups import known_value
from pipelines.decision.workload import Workload
from pipelines.ingest.registry import parse_curated
from pipelines.publication.reader import rows

# An offer last seen longer ago than this is none any more.
LONGEST_AGE_DAYS = 365
WINDOW_DAYS = 30
BANDS = ("low", "base", "high")

Band = Mapping[str, float]


@dataclass(frozen=True)
class Assumption:
    """One row of the table of assumptions. `low` is the end that makes tokens cheap; `is_assumed` where any end is our own."""

    name: str
    band: Band
    unit: str
    source: str
    is_assumed: bool


@dataclass(frozen=True)
class Measurement:
    """The fastest measured configuration of a device within the limits. Rate in output tokens per second per GPU."""

    gpu: str
    precision: str
    rate_per_gpu: float
    gpu_count: float
    throughput_id: str
    measured_on: date | None
    source: str


@dataclass(frozen=True)
class Offer:
    """A machine for rent, by USD per GPU-hour."""

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


@dataclass(frozen=True)
class ApiOffer:
    """A seller of the model by the token; prices in USD per million."""

    provider: str
    model_as_named: str
    input_usd: float
    output_usd: float
    price_on: date
    age_days: int
    source: str


@dataclass(frozen=True)
class Server:
    """A server at its latest list price, and its power under load."""

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


@dataclass(frozen=True)
class Market:
    """All of it, for one workload."""

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


def read_market(connection: duckdb.DuckDBPyConnection, workload: Workload) -> Market:
    """Read what concerns a workload. Raises WorkloadError where its model, lengths or electricity area are not known."""
    _look_up(connection, workload)
    (as_of,) = connection.execute("SELECT max(on_date) FROM marts.cost_per_token").fetchall()[0]
    fx = rows(
        connection,
        "SELECT units_per_eur, on_date FROM marts.fx_rate WHERE currency = 'USD' AND on_date <= ? ORDER BY on_date DESC LIMIT 1",
        [as_of],
    )
    return Market(
        as_of=as_of,
        usd_per_eur=fx[0]["units_per_eur"],
        fx_on=fx[0]["on_date"],
        measurements=_measurements(connection, workload),
        offers=_offers(connection, as_of),
        api_offers=_api_offers(connection, workload.model, as_of),
        servers=_servers(connection, as_of),
        assumptions=_assumptions(),
        electricity=_electricity(connection, workload.electricity_area),
        headquarters={r["provider"]: r["headquarters_country"] for r in _curated("reference_provider_fact").to_dicts()},
        certified={(r["provider"], r["region"], r["certification"]) for r in _curated("reference_region_certification").to_dicts()},
        gpu_memory_gb={r["gpu"]: r["gpu_memory_gb"] for r in _curated("reference_gpu").to_dicts()},
    )


def _look_up(connection: duckdb.DuckDBPyConnection, workload: Workload) -> None:
    constraints = workload.constraints
    certified = {r["certification"] for r in _curated("reference_region_certification").to_dicts()}
    precisions = {p for (p,) in connection.execute("SELECT DISTINCT precision FROM marts.throughput").fetchall()}
    for name, values, known in (
        ("precisions", workload.precisions, precisions),
        ("constraints.certifications", constraints.certifications, certified),
        ("constraints.trust_tiers", constraints.trust_tiers, catalogue().columns["trust_tier"].allowed or ()),
    ):
        for value in values:
            known_value(name, value, known)


def _curated(name: str) -> pl.DataFrame:
    contract = catalogue().tables[name]
    content = (Path(__file__).parent.parent / str(contract.bundled)).read_bytes()
    return parse_curated(content, contract)


def _measurements(connection: duckdb.DuckDBPyConnection, workload: Workload) -> list[Measurement]:
    throughput = connection.sql("SELECT * FROM marts.throughput WHERE model = ?", params=[workload.model]).pl().lazy()
    models = [m for (m,) in connection.execute("SELECT DISTINCT model FROM marts.throughput ORDER BY 1").fetchall()]
    if workload.model not in models:
        raise WorkloadError(f"model is {workload.model!r}, of which nothing was measured; expected one of {', '.join(models)}")
    asked = pl.LazyFrame(
        {
            "workload": [workload.name],
            "input_tokens": [workload.tokens.input],
            "output_tokens": [workload.tokens.output],
            "ttft_limit_s": [workload.objective.ttft_s],
            "time_per_output_token_limit_s": [workload.objective.time_per_output_token_s],
        }
    )
    lengths = throughput.select("input_tokens", "output_tokens").unique().sort("input_tokens", "output_tokens").collect().rows()
    if (workload.tokens.input, workload.tokens.output) not in lengths:
        known = ", ".join(f"{i}/{o}" for i, o in lengths)
        asked_for = f"{workload.tokens.input}/{workload.tokens.output}"
        raise WorkloadError(f"tokens are {asked_for}, at which {workload.model} was not measured; expected one of {known}")
    one_server = throughput.filter(pl.col("gpu_count") <= LARGEST_SERVER_GPUS)
    found = fastest_within(one_server, asked).sort("gpu", "precision").collect().to_dicts()
    if workload.precisions:
        found = [r for r in found if r["precision"] in workload.precisions]
    if not found:
        raise WorkloadError(
            f"no measurement of {workload.model} ({', '.join(workload.precisions) or 'any precision'}) meets objective.ttft_s "
            f"{workload.objective.ttft_s} and objective.time_per_output_token_s {workload.objective.time_per_output_token_s}"
        )
    return [
        Measurement(
            r["gpu"],
            r["precision"],
            r["output_tokens_per_second_per_gpu"],
            r["gpu_count"],
            r["throughput_id"],
            r["measured_on"],
            r["source"],
        )
        for r in found
    ]


def _offers(connection: duckdb.DuckDBPyConnection, as_of: date) -> list[Offer]:
    found = rows(
        connection,
        """
        WITH latest AS (
            SELECT * FROM marts.price_history
            WHERE gpu IS NOT NULL AND gpu_count >= 1 AND usd_per_gpu_hour IS NOT NULL AND valid_from::DATE <= $as_of
            QUALIFY row_number() OVER (PARTITION BY series_id ORDER BY valid_from DESC) = 1
        )
        SELECT l.*, r.mean_usd_per_gpu_hour, r.min_usd_per_gpu_hour, r.max_usd_per_gpu_hour, r.last_observed_on,
               least(l.observed_at::DATE, $as_of) AS seen_on
        FROM latest AS l
        LEFT JOIN marts.gpu_price_rolling AS r ON l.series_id = r.series_id AND r.on_date = $as_of AND r.window_days = $window
        WHERE date_diff('day', least(l.observed_at::DATE, $as_of), $as_of) <= $limit
        ORDER BY l.series_id
        """,
        {"as_of": as_of, "window": WINDOW_DAYS, "limit": LONGEST_AGE_DAYS},
    )
    offers = []
    for r in found:
        in_window = r["mean_usd_per_gpu_hour"] is not None
        price = r["usd_per_gpu_hour"]
        band = {
            "low": r["min_usd_per_gpu_hour"] if in_window else price,
            "base": r["mean_usd_per_gpu_hour"] if in_window else price,
            "high": r["max_usd_per_gpu_hour"] if in_window else price,
        }
        seen_on = r["last_observed_on"] if in_window else r["seen_on"]
        offers.append(
            Offer(
                gpu=r["gpu"],
                gpu_count=r["gpu_count"],
                option=r["purchase_option"],
                commitment_months=r["commitment_months"],
                provider=r["provider"],
                region=r["region"],
                country=r["country"],
                trust_tier=r["trust_tier"],
                usd_per_gpu_hour=band,
                price_basis="window" if in_window else "last_known",
                price_on=seen_on,
                age_days=(as_of - seen_on).days,
                source=r["source"],
                series_id=r["series_id"],
            )
        )
    return offers


def _api_offers(connection: duckdb.DuckDBPyConnection, model: str, as_of: date) -> list[ApiOffer]:
    found = rows(
        connection,
        """
        SELECT provider, model_as_named, usd_per_million_input_tokens, usd_per_million_output_tokens, source,
               least(coalesce(last_confirmed_at, known_from)::DATE, $as_of) AS seen_on
        FROM marts.token_price
        WHERE model = $model AND NOT is_deprecated AND usd_per_million_input_tokens IS NOT NULL
          AND usd_per_million_output_tokens IS NOT NULL AND (valid_from_on IS NULL OR valid_from_on <= $as_of)
          AND (valid_to_on IS NULL OR valid_to_on > $as_of)
        ORDER BY ALL
        """,
        {"model": model, "as_of": as_of},
    )
    return [
        ApiOffer(
            r["provider"],
            r["model_as_named"],
            r["usd_per_million_input_tokens"],
            r["usd_per_million_output_tokens"],
            r["seen_on"],
            (as_of - r["seen_on"]).days,
            r["source"],
        )
        for r in found
    ]


def _servers(connection: duckdb.DuckDBPyConnection, as_of: date) -> list[Server]:
    found = rows(
        connection,
        """
        SELECT h.*, o.low_load_kw, o.base_load_kw, o.high_load_kw, o.is_power_estimated
        FROM marts.hardware_price AS h
        INNER JOIN marts.owned_server_cost AS o ON h.hardware = o.hardware AND o.on_date = $as_of AND o.base_load_kw IS NOT NULL
        WHERE h.hardware_kind = 'server' AND h.gpu_count = $gpus AND h.price_on <= $as_of
          AND date_diff('day', h.price_on, $as_of) <= $limit
        QUALIFY row_number() OVER (PARTITION BY h.hardware ORDER BY h.price_on DESC) = 1
        ORDER BY h.hardware
        """,
        {"as_of": as_of, "limit": LONGEST_AGE_DAYS, "gpus": LARGEST_SERVER_GPUS},
    )
    return [
        Server(
            r["hardware"],
            r["gpu"],
            r["gpu_count"],
            {band: r[f"{band}_usd"] for band in BANDS},
            r["price_on"],
            (as_of - r["price_on"]).days,
            f"{r['source']}: {r['source_detail']}",
            {band: r[f"{band}_load_kw"] for band in BANDS},
            r["is_power_estimated"],
            r["is_band_assumed"],
        )
        for r in found
    ]


def _assumptions() -> dict[tuple[str, str | None], Assumption]:
    found = {}
    for r in _curated("reference_cost_assumption").to_dicts():
        low, high = (r["low"], r["high"]) if r["more_costs_more"] else (r["high"], r["low"])
        found[r["assumption"], r["scope"]] = Assumption(
            r["assumption"],
            {"low": low, "base": r["base"], "high": high},
            r["assumption_unit"],
            r["source_detail"],
            any(r[f"{band}_is_assumed"] for band in BANDS),
        )
    return found


def _electricity(connection: duckdb.DuckDBPyConnection, area: str) -> Assumption:
    assumed = _assumptions().get(("electricity_usd_per_kwh", area))
    if assumed is not None:
        return assumed
    quotes = rows(
        connection,
        "SELECT * FROM marts.electricity_price WHERE area = ? AND usd_per_kwh IS NOT NULL ORDER BY period_to_on DESC NULLS LAST",
        [area],
    )
    if not quotes:
        areas = [a for (a,) in connection.execute("SELECT DISTINCT area FROM marts.electricity_price ORDER BY 1").fetchall()]
        raise WorkloadError(f"electricity_area is {area!r}, expected one of {', '.join(areas)}")
    price = quotes[0]["usd_per_kwh"]
    source = f"{quotes[0]['source_detail']}, {quotes[0]['consumer_class']}; one quote, so without a band"
    return Assumption("electricity_usd_per_kwh", dict.fromkeys(BANDS, price), "USD per kWh", source, is_assumed=False)
