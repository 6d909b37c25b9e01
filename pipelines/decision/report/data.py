"""A decision as plain data, and the rows behind its figures.

Belongs here: `--json`, and where figures come from. Does not belong here: sentences (`sections`).
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pipelines.decision.market import Band
from pipelines.decision.options.rented import machine_of, place_of
from pipelines.decision.plan import Decision
from pipelines.decision.words import said


def as_dict(decision: Decision) -> dict[str, Any]:
    """Everything as plain data. Costs are in the workload's currency where no unit is named; names that end in `_usd` are dollars."""
    from pipelines.decision.report.sentences import not_counted, reasons  # noqa: PLC0415  (they need `yours` from here)
    from pipelines.decision.report.speech import speech  # noqa: PLC0415

    by, market, best, t = decision.usd_per_unit, decision.market, decision.best, speech("en")
    verdict = decision.robustness.verdict
    return {
        "schema_version": 2,
        "workload": decision.workload.model_dump(mode="json"),
        "as_of": market.as_of,
        "version": market.version,
        "currency": decision.workload.currency,
        "usd_per_eur": market.usd_per_eur,
        "fx_on": market.fx_on,
        "recommendation": best.title if best else None,
        "how_sure": asdict(verdict),
        "few_sellers": decision.few_sellers,
        "reasons": reasons(decision, t),
        "load": {
            "counted_tokens": decision.workload.token_kind,
            "peak_tokens_per_hour": decision.peak_tokens_per_hour,
            "mean_tokens_per_hour": decision.mean_tokens_per_hour,
            "exceeded_in_percent_of_hours": decision.load_duration,
            "servers_for_the_peak": decision.servers_for_peak,
        },
        "options": [
            {
                **asdict(option),
                "cost": {years: _in_currency(band, by) for years, band in option.cost_usd.items()},
                "components": {part: usd / by for part, usd in option.components_usd.items()},
                "per_million_output_tokens": option.usd_per_million_output_tokens / by,
                "capital": option.capital_usd / by,
                "your_figures": bool(yours(option)),
            }
            for option in decision.options
        ],
        "not_possible": decision.excluded,
        "payback": asdict(decision.payback) if decision.payback else None,
        "prices_at_which_it_turns": [asdict(t) for t in decision.thresholds],
        "what_would_change_it": [
            {**asdict(s), "low": s.low / by, "high": s.high / by, "flips": s.flips, "regret": s.regret / by}
            for s in decision.robustness.tested
        ],
        "draws": asdict(decision.robustness.draws) if decision.robustness.draws else None,
        "market": [asdict(s) for s in decision.standings],
        "left_out": market.left_out,
        "engine_rates": [asdict(r) for r in market.engine_rates],
        "constraint_costs": [
            {"constraint": c.name, "value": c.value, "alone": _over(c.alone_usd, by), "extra": _over(c.dropped_usd, by)}
            for c in decision.constraint_costs
        ],
        "all_constraints_cost": _over(decision.all_constraints_usd, by),
        "conditions": decision.conditions,
        "old_figures": decision.old_figures,
        "last_known": [{**asdict(one), "cost": one.usd / by} for one in decision.last_known],
        "apart": {
            "cost": _over(decision.apart_usd, by),
            "is_over_budget": decision.apart_is_over_budget,
            "workloads": [
                {"workload": one.workload, "kind": one.kind, "title": one.title, "cost": _over(one.cost_usd, by)} for one in decision.apart
            ],
        }
        if decision.apart
        else None,
        "forward_rents_usd": [asdict(f) for f in decision.forward_rents],
        "assumptions": [
            {"name": a.name, "scope": scope, **{f"{end}_value": v for end, v in a.band.items()}, "unit": a.unit, "source": a.source}
            | {"is_assumed": a.is_assumed, "is_yours": a.is_yours}
            for (_, scope), a in sorted(market.assumptions.items(), key=lambda pair: (pair[0][0], pair[0][1] or ""))
        ],
        "sources": sources(decision),
        "not_counted": not_counted(decision, t),
    }


def yours(option: Any) -> list[str]:
    """Figures of an option that the asker gave."""
    named = {"server": option.server, "rent": option.offer, "tokens": option.api}
    found = [name for name, value in named.items() if value is not None and value.is_yours]
    return [*found, *(["rate"] if option.measurement is not None and option.measurement.basis == "yours" else [])]


def sources(decision: Decision) -> list[dict[str, Any]]:
    """Each figure behind the options: date, age, source, and the query that shows its row (none for the asker's own and for estimates)."""
    found: dict[str, dict[str, Any]] = {}

    def add(key: str, what: str, on: Any, age: int | None, source: str, query: str, *, is_yours: bool) -> None:
        found.setdefault(key, {"what": what, "on": on, "age_days": age, "source": source, "query": "" if is_yours else query})

    for o in decision.options:
        if o.offer:
            what = said("price of {machine} at {place}", machine=machine_of(o.offer), place=place_of(o.offer))
            query = f"SELECT * FROM marts.price_history WHERE series_id = {_quoted(o.offer.series_id)}"
            add(o.offer.series_id, what, o.offer.price_on, o.offer.age_days, o.offer.source, query, is_yours=o.offer.is_yours)
        if o.api:
            query = f"SELECT * FROM marts.token_price WHERE provider = {_quoted(o.api.provider)}"
            query += f" AND model_as_named = {_quoted(o.api.model_as_named)}"
            what = said("price of tokens at {seller}", seller=o.api.provider)
            add(o.api.provider, what, o.api.price_on, o.api.age_days, o.api.source, query, is_yours=o.api.is_yours)
        if o.server:
            query = f"SELECT * FROM marts.hardware_price WHERE hardware = {_quoted(o.server.hardware)}"
            what = said("price of {server}", server=o.server.hardware)
            add(o.server.hardware, what, o.server.price_on, o.server.age_days, o.server.source, query, is_yours=o.server.is_yours)
        if o.measurement:
            m = o.measurement
            age = (decision.market.as_of - m.measured_on).days if m.measured_on else None
            query = f"SELECT * FROM marts.throughput WHERE throughput_id = {_quoted(m.throughput_id)}"
            what = said("rate of {device} ({basis}, {engine})", device=f"{m.gpu} {m.precision}", basis=said(m.basis), engine=m.engine)
            add(m.throughput_id, what, m.measured_on, age, m.source, query, is_yours=m.basis in ("yours", "estimated"))
    return list(found.values())


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _over(value: float | None, by: float) -> float | None:
    return None if value is None else value / by


def _in_currency(band: Band | None, by: float) -> dict[str, float] | None:
    return None if band is None else {name: value / by for name, value in band.items()}
