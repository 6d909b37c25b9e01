"""A decision in words and tables: plain text, JSON, and one static page.

Belongs here: what is said and how. Does not belong here: any figure that `plan` did not compute. Amounts are in the workload's
currency.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pipelines.decision.market import Band
from pipelines.decision.options import Option
from pipelines.decision.plan import Decision
from pipelines.publication.reader import as_text as table_text

# An advantage smaller than this share of the cost is no advantage that prices of this precision can show.
CLEAR_ADVANTAGE = 0.1
NOT_COUNTED = (
    "spare servers, taxes, price changes of rented capacity over the years, egress and storage in the cloud, the time to build and to "
    "hire, a second site for disaster, retraining. Commitments are renewed at today's price."
)
# What money does not show; stated, not scored.
QUALITIES = {
    "control and compliance": "owning keeps data, versions and hours of maintenance in one's own hands; renting shares them by contract",
    "agility": "rented capacity comes and goes within minutes where the seller has it; a server takes weeks to months to arrive",
    "lock-in": "owning binds capital for years; renting binds to a seller's prices, regions and quotas; tokens bind to its model list",
    "skills": "owning needs people for hardware and the serving engine; renting needs them for the engine; tokens need neither",
}


def as_dict(decision: Decision) -> dict[str, Any]:
    """Everything as plain data, for `--json`. Costs are in the workload's currency."""
    rate = _rate(decision)
    best, payback = decision.best, decision.payback
    return {
        "workload": decision.workload.model_dump(),
        "as_of": decision.market.as_of,
        "currency": decision.workload.currency,
        "usd_per_eur": decision.market.usd_per_eur,
        "fx_on": decision.market.fx_on,
        "recommendation": best.title if best else None,
        "reasons": reasons(decision),
        "load": {
            "peak_output_tokens_per_hour": decision.peak_tokens_per_hour,
            "mean_output_tokens_per_hour": decision.mean_tokens_per_hour,
            "exceeded_in_percent_of_hours": decision.load_duration,
            "servers_for_the_peak": decision.servers_for_peak,
        },
        "options": [
            {
                **asdict(option),
                "cost": {years: _in_currency(band, rate) for years, band in option.cost_usd.items()},
                "per_million_output_tokens": option.usd_per_million_output_tokens / rate,
                "capital": option.capital_usd / rate,
            }
            for option in decision.options
        ],
        "not_possible": decision.excluded,
        "payback": asdict(payback) if payback else None,
        "comparators": [
            {"comparator": name, **asdict(offer), "break_even_utilisation_share": use, "cash_payback_months_at_full_use": months}
            for name, (offer, use, months) in decision.comparators.items()
        ],
        "what_would_change_it": [{**asdict(s), "low": s.low / rate, "high": s.high / rate, "flips": s.flips} for s in decision.tornado],
        "constraint_costs": [
            {"constraint": c.name, "value": c.value, "extra": None if c.extra_usd is None else c.extra_usd / rate}
            for c in decision.constraint_costs
        ],
        "sources": sources(decision),
        "not_counted": NOT_COUNTED,
        "qualities": QUALITIES,
    }


def reasons(decision: Decision) -> list[str]:
    """Why, in plain sentences."""
    best, years, rate, money = decision.best, decision.workload.horizon_years, _rate(decision), decision.workload.currency
    if best is None:
        return ["Nothing that is known serves this workload under these constraints: " + _why_not(decision)]
    said = []
    other = next((o for o in decision.options[1:] if bool(o.servers_owned) != bool(best.servers_owned)), None)
    if other is not None:
        ours, theirs = _base(best, years), _base(other, years)
        margin = (theirs - ours) / theirs
        said.append(
            f"Over {years} years '{best.title}' costs {_amount(ours / rate)} {money}, '{other.title}' {_amount(theirs / rate)}: "
            f"{margin:.0%} less{'' if margin >= CLEAR_ADVANTAGE else ', which is within what these prices can show: take either'}."
        )
    payback = decision.payback
    if payback is not None:
        even = payback.break_even_utilisation_share
        wins = "owning wins at no use at all" if even is None else f"owning wins from {even:.0%} use"
        rent, use = payback.rented_usd_per_gpu_hour, payback.own_utilisation_share
        said.append(f"Against renting at {rent:.2f} USD per GPU-hour {wins}; owned servers would be used {use:.0%}.")
        if payback.cash_months is None or payback.npv_months is None:
            said.append("The capital would not be paid back within the horizon.")
        else:
            said.append(
                f"The capital is paid back after {payback.cash_months:.0f} months in cash, after {payback.npv_months} with interest and "
                "what the servers are worth in the end."
            )
    if best.kind == "hybrid":
        said.append(f"The {best.servers_owned} owned servers serve {best.owned_share:.0%} of the tokens, rented ones the peaks.")
    if decision.servers_for_peak is not None:
        said.append(f"Servers needed to serve the peak within the limits: {decision.servers_for_peak}.")
    flips = [s.name for s in decision.tornado if s.flips]
    said.append(
        f"The answer changes within the range of: {'; '.join(flips)}." if flips else "No single input changes the answer in its range."
    )
    return said


def sources(decision: Decision) -> list[dict[str, Any]]:
    """Each figure behind the options with its date, age and source, and the query that shows the row."""
    found: dict[str, dict[str, Any]] = {}
    for o in decision.options:
        if o.offer:
            row = {
                "what": f"price {o.offer.provider} {o.offer.region} {o.offer.option}",
                "on": o.offer.price_on,
                "age_days": o.offer.age_days,
            }
            query = f"SELECT * FROM marts.price_history WHERE series_id = '{o.offer.series_id}'"
            found[o.offer.series_id] = {**row, "source": o.offer.source, "query": query}
        if o.api:
            row = {"what": f"price of tokens at {o.api.provider}", "on": o.api.price_on, "age_days": o.api.age_days}
            query = f"SELECT * FROM marts.token_price WHERE provider = '{o.api.provider}' AND model_as_named = '{o.api.model_as_named}'"
            found[o.api.provider] = {**row, "source": o.api.source, "query": query}
        if o.server:
            row = {"what": f"price of {o.server.hardware}", "on": o.server.price_on, "age_days": o.server.age_days}
            query = f"SELECT * FROM marts.hardware_price WHERE hardware = '{o.server.hardware}'"
            found[o.server.hardware] = {**row, "source": o.server.source, "query": query}
        if o.measurement:
            measured = o.measurement
            age = (decision.market.as_of - measured.measured_on).days if measured.measured_on else None
            row = {"what": f"throughput of {measured.gpu} {measured.precision}", "on": measured.measured_on, "age_days": age}
            query = f"SELECT * FROM marts.throughput WHERE throughput_id = '{measured.throughput_id}'"
            found[measured.throughput_id] = {**row, "source": measured.source, "query": query}
    return list(found.values())


def sections(decision: Decision) -> list[tuple[str, str | list[dict[str, Any]]]]:
    """The report as headings with a text or a table; text and page are made of the same."""
    money, workload, best = decision.workload.currency, decision.workload, decision.best
    duration = [{"percent of hours": f"{p}%", "output tokens/h at least": _amount(v)} for p, v in decision.load_duration.items()]
    facts = (
        f"{workload.model}, {workload.tokens.input} tokens in and {workload.tokens.output} out, first token within "
        f"{workload.objective.ttft_s:g} s, {workload.objective.time_per_output_token_s:g} s per token after it; "
        f"{_amount(decision.mean_tokens_per_hour)} output tokens an hour on average, {_amount(decision.peak_tokens_per_hour)} at the peak"
        f"{f', growing by {workload.load.growth_per_year:.0%} a year' if workload.load.growth_per_year else ''}. Prices as known on "
        f"{decision.market.as_of}; 1 EUR = {decision.market.usd_per_eur:.4f} USD ({decision.market.fx_on}). Electricity: "
        f"{decision.market.electricity.band['base']:.4f} USD/kWh ({decision.market.electricity.source})."
    )
    made: list[tuple[str, str | list[dict[str, Any]]]] = [
        ("Recommendation", (best.title[0].upper() + best.title[1:] + ".\n" if best else "") + "\n".join(reasons(decision))),
        ("Workload", facts),
        (f"Ways to serve it, in {money} (base, and low to high)", [_shown(o, decision) for o in decision.options]),
    ]
    if decision.excluded:
        made.append(("Not possible", [{"way": kind, "why": why} for kind, why in decision.excluded.items()]))
    if decision.comparators:
        made.append(("The owned server against machines of its own shape on demand", _compared(decision)))
    if decision.payback:
        payback = decision.payback
        flip = (
            f"Rented at less than {payback.flips_below_usd_per_gpu_hour:.2f} USD per GPU-hour (now "
            f"{payback.rented_usd_per_gpu_hour:.2f}), not even the first server is worth owning."
        )
        made.append(("The price at which the answer flips", flip))
    if decision.tornado:
        made.append((f"What owning saves over {workload.horizon_years} years, in {money}, with one input at its ends", _swings(decision)))
    if decision.constraint_costs:
        made.append(("What each constraint costs", _constraints(decision)))
    made += [
        ("Load: how much is exceeded how often", duration),
        ("Where the figures come from", [{k: v for k, v in row.items() if k != "query"} for row in sources(decision)]),
        ("To see a row behind a figure", "\n".join(f'breakeven query "{row["query"]}"' for row in sources(decision))),
        ("Not counted", NOT_COUNTED),
        ("What money does not show", "\n".join(f"{name}: {text}" for name, text in QUALITIES.items())),
    ]
    caveat = _caveat(decision)
    return [*made, ("Mind", caveat)] if caveat else made


def as_text(decision: Decision) -> str:
    """The report in plain text."""
    parts = []
    for heading, content in sections(decision):
        parts.append(f"{heading}\n{'=' * len(heading)}\n{content if isinstance(content, str) else table_text(content)}")
    return f"{decision.workload.name}\n\n" + "\n\n".join(parts)


def as_html(decision: Decision) -> str:
    """The report as one page without scripts or outside addresses."""
    parts = []
    for heading, content in sections(decision):
        parts.append(f"<h2>{html.escape(heading)}</h2>")
        if isinstance(content, str):
            tag = "pre" if heading.startswith("To see") else "p"
            parts += [f"<{tag}>{html.escape(line)}</{tag}>" for line in content.splitlines()]
        else:
            parts.append(_table(content))
    title = html.escape(decision.workload.name)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style></head>'
        f"<body><main><h1>{title}</h1>\n" + "\n".join(parts) + "\n</main></body></html>\n"
    )


STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;color:#1c2430;margin:0}main{max-width:72rem;margin:2rem auto;padding:0 1rem}"
    "h2{font-size:1.1rem;margin:2rem 0 .5rem}p{margin:.2rem 0}table{border-collapse:collapse;width:100%;font-size:.9rem}"
    "th,td{padding:.35rem .6rem;border-bottom:1px solid #d8dee8;text-align:left;vertical-align:top}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}"
    "pre{overflow-x:auto;background:#f4f6fa;padding:.4rem .6rem;margin:.2rem 0}"
)


def _table(rows: Sequence[dict[str, Any]]) -> str:
    if not rows:
        return "<p>none</p>"
    numeric = {name: all(isinstance(r[name], (int, float, type(None))) for r in rows) for name in rows[0]}

    def cell(tag: str, name: str, value: Any) -> str:
        shown = "-" if value is None else f"{value:,.4g}" if isinstance(value, float) else str(value)
        return f"<{tag}{' class=n' if numeric[name] else ''}>{html.escape(shown)}</{tag}>"

    head = "".join(cell("th", name, name) for name in rows[0])
    body = "".join("<tr>" + "".join(cell("td", name, value) for name, value in row.items()) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _shown(option: Option, decision: Decision) -> dict[str, Any]:
    rate = _rate(decision)
    row: dict[str, Any] = {
        "way": option.title,
        "on": f"{option.measurement.gpu} {option.measurement.precision}" if option.measurement else "-",
    }
    for years in decision.years:
        band = option.cost_usd[years]
        label = f"{years} year{'s' if years > 1 else ''}"
        row[label] = "-" if band is None else _amount(band["base"] / rate)
        if years == decision.workload.horizon_years:
            row["low..high"] = "-" if band is None else f"{_amount(band['low'] / rate)}..{_amount(band['high'] / rate)}"
    row["per million output"] = f"{option.usd_per_million_output_tokens / rate:.3f}"
    row["capital"] = _amount(option.capital_usd / rate) if option.capital_usd else "-"
    ages = [x.age_days for x in (option.offer, option.api, option.server) if x is not None]
    row["oldest price, days"] = max(ages) if ages else None
    return row


def _compared(decision: Decision) -> list[dict[str, Any]]:
    return [
        {
            "comparator": name,
            "seller": f"{offer.provider} {offer.region}",
            "USD per GPU-hour": offer.usd_per_gpu_hour["base"],
            "owning wins from": "-" if use is None else f"{use:.0%} use",
            "paid back at full use, months": months,
            "price age, days": offer.age_days,
        }
        for name, (offer, use, months) in decision.comparators.items()
    ]


def _swings(decision: Decision) -> list[dict[str, Any]]:
    rate = _rate(decision)
    return [
        {
            "input": s.name,
            "range": f"{s.at_low:.3g}..{s.at_high:.3g}",
            "at its first end": _amount(s.low / rate),
            "at its other end": _amount(s.high / rate),
            "changes the answer": "yes" if s.flips else "no",
            "range is": "our assumption, at an end or both" if s.is_assumed else "sourced",
        }
        for s in decision.tornado[:10]
    ]


def _constraints(decision: Decision) -> list[dict[str, Any]]:
    rate = _rate(decision)
    return [
        {"constraint": c.name, "value": c.value, "costs": "leaves nothing" if c.extra_usd is None else _amount(c.extra_usd / rate)}
        for c in decision.constraint_costs
    ]


def _caveat(decision: Decision) -> str:
    constraints, said = decision.workload.constraints, []
    if constraints.provider_jurisdictions:
        said.append("Seats of sellers come from a table whose rows are not yet verified one by one.")
    if constraints.certifications:
        said.append("Certified regions come from a table whose rows are not yet verified one by one.")
    if any(o.measurement and "aiconfigurator" in o.measurement.source for o in decision.options):
        said.append("The measurements do not say which statistic their times to the first and to each token are.")
    if any(o.api for o in decision.options):
        said.append("Sellers by the token do not say on which device and in which precision they compute, and may change both.")
    if any(o.kind == "spot" for o in decision.options):
        said.append("Spot machines may be taken away at any time; the cost counts restarts, not the requests lost meanwhile.")
    if any(o.server and o.server.is_power_estimated for o in decision.options):
        said.append("The power of a server here is rated by its accelerators, as nobody measured it.")
    old = [o for o in decision.options if o.offer and o.offer.price_basis == "last_known"]
    if old:
        said.append("Rented prices that were not seen in the last 30 days are the last known ones, of the age shown.")
    return "\n".join(said)


def _why_not(decision: Decision) -> str:
    return "; ".join(f"{kind}: {why}" for kind, why in decision.excluded.items()) or "no offer is known"


def _base(option: Option, years: int) -> float:
    band = option.cost_usd[years]
    assert band is not None
    return band["base"]


def _rate(decision: Decision) -> float:
    return decision.market.usd_per_eur if decision.workload.currency == "EUR" else 1.0


def _in_currency(band: Band | None, rate: float) -> dict[str, float] | None:
    return None if band is None else {name: value / rate for name, value in band.items()}


def _amount(value: float) -> str:
    return f"{value:,.0f}"
