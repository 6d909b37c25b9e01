"""Reading the market of one workload from the published version, and from nothing else.

Belongs here: queries, and turning rows into the market's shapes. Does not belong here: any choice, the asker's own figures
(`own_figures`), rates (`rates`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TypeVar

import duckdb

from pipelines.costing.throughput_selection import LARGEST_SERVER_GPUS
from pipelines.decision.documents import WorkloadError
from pipelines.decision.drift import rent_drift, server_drift, token_drift
from pipelines.decision.facts import Facts, read_facts
from pipelines.decision.interruptions import Machine, read_interruptions
from pipelines.decision.local_costs import TARIFF, Tariff, area_of, tariff_of, with_local_costs
from pipelines.decision.lookups import PRECISIONS, TRUST_TIERS, known_value
from pipelines.decision.market import (
    BANDS,
    FORGOTTEN_DAYS,
    LONGEST_AGE_DAYS,
    ApiOffer,
    Assumption,
    Band,
    Drift,
    Expired,
    Market,
    Offer,
    Server,
)
from pipelines.decision.own_figures import own_tariff, with_own_figures
from pipelines.decision.rates import measurements, on_one_engine
from pipelines.decision.scenario import TIME_BETWEEN_INTERRUPTIONS, aged
from pipelines.decision.words import said
from pipelines.decision.workload import Workload
from pipelines.publication.reader import rows

WINDOW_DAYS = 30


def read_market(connection: duckdb.DuckDBPyConnection, workload: Workload, as_of: date | None = None) -> Market:
    """Read what concerns a workload, as of a day of the version (its newest where None).

    Raises WorkloadError for a day after it, and where its model, lengths, electricity area or a constraint's value are not known.
    """
    facts = read_facts(connection)
    _look_up(connection, workload, facts)
    (newest,) = connection.execute("SELECT max(on_date) FROM marts.cost_per_token").fetchall()[0]
    day = as_of or newest
    if day > newest:
        raise WorkloadError(f"as of {day} nothing is known: what is published ends on {newest}, expected that day or one before")
    fx = rows(
        connection,
        "SELECT units_per_eur, on_date FROM marts.fx_rate WHERE currency = 'USD' AND on_date <= ? ORDER BY on_date DESC LIMIT 1",
        [day],
    )
    if not fx:
        raise WorkloadError(f"as of {day} no exchange rate is known, expected a later day")
    drift = {**rent_drift(connection, day), **token_drift(), **server_drift()}
    assumed = _assumptions(connection)
    between = assumed.get((TIME_BETWEEN_INTERRUPTIONS, None))
    interruptions = read_interruptions(connection, between.band if between else None)
    offers, old_offers = _by_age(_offers(connection, day, drift, interruptions))
    servers, old_servers = _by_age(_servers(connection, day, drift["server"]))
    api, old_api, left_out = _api_offers(connection, workload.model, day, drift["tokens"], facts)
    area = area_of(workload)
    assumptions = with_local_costs(assumed, area)
    usd_per_eur = fx[0]["units_per_eur"]
    market = Market(
        as_of=day,
        usd_per_eur=usd_per_eur,
        fx_on=fx[0]["on_date"],
        measurements=measurements(connection, workload, day, facts),
        offers=offers,
        api_offers=api,
        servers=servers,
        assumptions=assumptions,
        electricity=own_tariff(workload, usd_per_eur) or _electricity(connection, area, assumed, usd_per_eur, day),
        headquarters=facts.headquarters,
        certified=set(facts.certified),
        gpu_memory_gb=facts.gpu_memory_gb,
        drift=drift,
        left_out=left_out,
        engine_rates=on_one_engine(connection, workload, day),
        expired=Expired(old_offers, old_api, old_servers),
    )
    return with_own_figures(market, workload, newest)


P = TypeVar("P", Offer, Server)


def _by_age(priced: list[P]) -> tuple[list[P], list[P]]:
    """What may be compared, and what is too old to be."""
    return [p for p in priced if p.age_days <= LONGEST_AGE_DAYS], [p for p in priced if p.age_days > LONGEST_AGE_DAYS]


def _look_up(connection: duckdb.DuckDBPyConnection, workload: Workload, facts: Facts) -> None:
    constraints = workload.constraints
    certified = {certification for _, _, certification in facts.certified}
    rates = workload.quotes.rates
    precisions = {p for (p,) in connection.execute("SELECT DISTINCT precision FROM marts.throughput").fetchall()}
    quoted = [
        (f"quotes.{kind}.{number}.gpu", quote.gpu)
        for kind in ("servers", "rents", "rates")
        for number, quote in enumerate(getattr(workload.quotes, kind))
    ]
    assumed = [a for (a,) in connection.execute("SELECT assumption FROM marts.cost_assumption WHERE scope IS NULL").fetchall()]
    for name, values, known in (
        *((f"quotes.rates.{number}.precision", (rate.precision,), PRECISIONS) for number, rate in enumerate(rates)),
        ("precisions", workload.precisions, precisions | {rate.precision for rate in rates}),
        ("constraints.certifications", constraints.certifications, certified),
        ("site.certifications", workload.site.certifications, certified),
        ("constraints.trust_tiers", constraints.trust_tiers, TRUST_TIERS),
        *((name, (gpu,), facts.gpu_memory_gb) for name, gpu in quoted),
        ("assumptions", list(workload.assumptions), assumed),
    ):
        for value in values:
            known_value(name, value, known)


def _offers(
    connection: duckdb.DuckDBPyConnection, as_of: date, drift: dict[str, Drift], interruptions: Mapping[Machine, Band]
) -> list[Offer]:
    found = rows(
        connection,
        """
        WITH latest AS (
            SELECT * FROM marts.price_history
            WHERE gpu IS NOT NULL AND coalesce(gpu_count, 1) >= 1
              AND usd_per_gpu_hour IS NOT NULL AND valid_from::DATE <= $as_of
              AND known_from::DATE <= $as_of
            QUALIFY row_number() OVER (PARTITION BY series_id ORDER BY valid_from DESC) = 1
        ),
        said AS (
            SELECT series_id, offer_state FROM marts.offer_availability WHERE stated_on <= $as_of
            QUALIFY row_number() OVER (PARTITION BY series_id ORDER BY stated_on DESC) = 1
        )
        SELECT l.*, r.mean_usd_per_gpu_hour, r.min_usd_per_gpu_hour, r.max_usd_per_gpu_hour, r.last_observed_on,
               least(l.observed_at::DATE, $as_of) AS seen_on
        FROM latest AS l
        LEFT JOIN marts.gpu_price_rolling AS r ON l.series_id = r.series_id AND r.on_date = $as_of AND r.window_days = $window
        LEFT JOIN said AS s ON l.series_id = s.series_id
        WHERE date_diff('day', least(l.observed_at::DATE, $as_of), $as_of) <= $limit
          AND coalesce(s.offer_state NOT IN ('none', 'on_request', 'unlisted'), TRUE)
        ORDER BY l.series_id
        """,
        {"as_of": as_of, "window": WINDOW_DAYS, "limit": FORGOTTEN_DAYS},
    )
    offers = []
    for r in found:
        in_window, machine = r["mean_usd_per_gpu_hour"] is not None, (r["provider"], r["region"], r["instance_type"])
        price = r["mean_usd_per_gpu_hour"] if in_window else r["usd_per_gpu_hour"]
        age = (as_of - r["seen_on"]).days
        band = aged(price, drift.get(r["purchase_option"]), age)
        if in_window:
            band["low"] = min(band["low"], r["min_usd_per_gpu_hour"])
            band["high"] = max(band["high"], r["max_usd_per_gpu_hour"])
        offers.append(
            Offer(
                gpu=r["gpu"],
                gpu_count=r["gpu_count"] or 1.0,
                option=r["purchase_option"],
                commitment_months=1 if r["purchase_option"] == "dedicated_month" else r["commitment_months"],
                provider=r["provider"],
                region=r["region"] or "-",
                country=r["country"],
                trust_tier=r["trust_tier"],
                usd_per_gpu_hour=band,
                price_basis="window" if in_window else "last_known",
                price_on=r["seen_on"],
                age_days=age,
                source=r["source"],
                series_id=r["series_id"],
                is_by_the_gpu=r["gpu_count"] is None,
                interruptions_per_month=interruptions.get(machine) if r["purchase_option"] == "spot" else None,
            )
        )
    return offers


def _api_offers(
    connection: duckdb.DuckDBPyConnection, model: str, as_of: date, drift: Drift, facts: Facts
) -> tuple[list[ApiOffer], list[ApiOffer], dict[str, int]]:
    """Sellers of the model by the token, those whose price is too old, and how many are left out for which reason."""
    found = rows(
        connection,
        """
        SELECT *, least(coalesce(last_confirmed_at, known_from)::DATE, $as_of) AS seen_on
        FROM marts.token_price
        WHERE model = $model AND known_from::DATE <= $as_of AND (valid_from_on IS NULL OR valid_from_on <= $as_of)
          AND (valid_to_on IS NULL OR valid_to_on > $as_of)
        ORDER BY ALL
        """,
        {"model": model, "as_of": as_of},
    )
    offers, old, left_out = list[ApiOffer](), list[ApiOffer](), dict[str, int]()
    for r in found:
        age = (as_of - r["seen_on"]).days
        priced = r["usd_per_million_input_tokens"] is not None and r["usd_per_million_output_tokens"] is not None
        why = None
        if r["is_deprecated"]:
            why = said("sellers by the token that no longer list the model")
        elif not priced:
            why = said("sellers by the token with only one of two prices")
        elif age > LONGEST_AGE_DAYS:
            why = said("sellers by the token whose price is older than {days} days", days=LONGEST_AGE_DAYS)
        if why is not None:
            left_out[why] = left_out.get(why, 0) + 1
        is_old = LONGEST_AGE_DAYS < age <= FORGOTTEN_DAYS
        if r["is_deprecated"] or (why is not None and not (is_old and priced)):
            continue
        band = aged(1.0, drift, age)
        (old if why is not None else offers).append(
            ApiOffer(
                r["provider"],
                r["model_as_named"],
                r["usd_per_million_input_tokens"],
                r["usd_per_million_output_tokens"],
                r["seen_on"],
                age,
                r["source"],
                cached_input_usd=r["usd_per_million_cached_input_tokens"],
                batch_share=_batch_share(r["usd_per_million_batch_output_tokens"], r["usd_per_million_output_tokens"]),
                kind="reseller" if r["provider"] in facts.resellers else "seller",
                band_share=(band["low"], band["high"]),
            )
        )
    return offers, old, left_out


def _batch_share(batch_usd: float | None, usd: float) -> float | None:
    return batch_usd / usd if batch_usd is not None and usd > 0 else None


def _servers(connection: duckdb.DuckDBPyConnection, as_of: date, drift: Drift) -> list[Server]:
    found = rows(
        connection,
        """
        SELECT h.*, o.low_load_kw, o.base_load_kw, o.high_load_kw, o.is_power_estimated
        FROM marts.hardware_price AS h
        INNER JOIN marts.owned_server_cost AS o ON h.hardware = o.hardware AND o.on_date = $as_of AND o.base_load_kw IS NOT NULL
        WHERE h.hardware_kind = 'server' AND h.gpu_count <= $gpus AND h.price_on <= $as_of
          AND date_diff('day', h.price_on, $as_of) <= $limit
        QUALIFY row_number() OVER (PARTITION BY h.hardware ORDER BY h.price_on DESC) = 1
        ORDER BY h.hardware
        """,
        {"as_of": as_of, "limit": FORGOTTEN_DAYS, "gpus": LARGEST_SERVER_GPUS},
    )
    return [
        Server(
            r["hardware"],
            r["gpu"],
            r["gpu_count"],
            _with_age({band: r[f"{band}_usd"] for band in BANDS}, drift, (as_of - r["price_on"]).days),
            r["price_on"],
            (as_of - r["price_on"]).days,
            f"{r['source']}: {r['source_detail']}",
            {band: r[f"{band}_load_kw"] for band in BANDS},
            r["is_power_estimated"],
            r["is_band_assumed"],
        )
        for r in found
    ]


def _with_age(usd: dict[str, float], drift: Drift, age_days: int) -> dict[str, float]:
    """The range of quotes, or that of how far such prices move within their age, whichever reaches further."""
    moved = aged(usd["base"], drift, age_days)
    return {"low": min(usd["low"], moved["low"]), "base": usd["base"], "high": max(usd["high"], moved["high"])}


# Rows without a range of their own, and those that say how far they reach: a mart of today's costs holds them fixed, a decision does not.
RANGES = {"residual_decline_per_year": "residual_decline_range_per_year", "staff_usd_per_fte_year": "staff_range_usd_per_fte_year"}


def _assumptions(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str | None], Assumption]:
    found: dict[tuple[str, str | None], Assumption] = {}
    for r in rows(connection, "SELECT * FROM marts.cost_assumption ORDER BY assumption, scope"):
        low, high = (r["low"], r["high"]) if r["more_costs_more"] else (r["high"], r["low"])
        found[r["assumption"], r["scope"]] = Assumption(
            r["assumption"],
            {"low": low, "base": r["base"], "high": high},
            r["assumption_unit"],
            r["source_detail"],
            any(r[f"{band}_is_assumed"] for band in BANDS),
        )
    for name, reach in RANGES.items():
        if (reach, None) in found:
            ends = found.pop((reach, None))
            band = {**ends.band, "base": found[name, None].band["base"]}
            found[name, None] = replace(found[name, None], band=band, is_assumed=ends.is_assumed)
    return found


def _electricity(
    connection: duckdb.DuckDBPyConnection,
    area: str,
    assumptions: dict[tuple[str, str | None], Assumption],
    usd_per_eur: float,
    as_of: date,
) -> Assumption:
    """The tariff of an area. An amount in euros passes one exchange rate only, that of the answer."""
    assumed = assumptions.get((TARIFF, area))
    if assumed is not None:
        return assumed
    # Prices of the exchange are nobody's tariff.
    query = "SELECT * FROM marts.electricity_price WHERE usd_per_kwh IS NOT NULL AND consumer_class <> 'wholesale_day_ahead' ORDER BY ALL"
    known = [
        Tariff(
            r["area"],
            r["native_per_kwh"] * usd_per_eur if r["currency"] == "EUR" else r["usd_per_kwh"],
            r["period_to_on"],
            r["source_on"] or r["period_to_on"],
            f"{r['source_detail']}, {r['consumer_class']}",
        )
        for r in rows(connection, query)
    ]
    return tariff_of(area, known, as_of)
