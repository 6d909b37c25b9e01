"""What is said: headings, each with a text or a table.

Belongs here: sentences and rows, the same for text, Markdown and page. Does not belong here: how they look (`text`, `page`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.decision.plan import Decision, Option
from pipelines.decision.report.data import rate, sources, yours
from pipelines.decision.robustness import CLEAR_ADVANTAGE, CLEAR_SHARE, LEAN_SHARE

Content = str | list[dict[str, Any]]
# What the workload can have counted, in words; off unless its field `count` names it.
EXTRAS = {
    "lead_time": "the time until servers arrive",
    "lease": "leasing instead of buying",
    "tax": "taxes and depreciation",
    "egress": "egress from the cloud",
    "storage": "storage in the cloud",
    "support": "support contracts of the cloud",
    "cloud_staff": "people who run rented machines and bought tokens",
    "carbon": "a price of carbon",
}
NEVER = (
    "retraining, the cost of an outage, what a change of seller costs. Commitments are renewed at the price of the day on which a term "
    "ends."
)
# What money does not show; stated, not scored.
QUALITIES = {
    "control and compliance": "owning keeps data, versions and hours of maintenance in one's own hands; renting shares them by contract",
    "agility": "rented capacity comes and goes within minutes where the seller has it; a server takes weeks to months to arrive",
    "lock-in": "owning binds capital for years; renting binds to a seller's prices, regions and quotas; tokens bind to its model list",
    "skills": "owning needs people for hardware and the serving engine; renting needs them for the engine; tokens need neither",
}
RULE = (
    f"The rule: clear where it is at least {CLEAR_ADVANTAGE:.0%} cheaper than every other kind of way, cheapest in at least "
    f"{CLEAR_SHARE:.0%} of the draws, and no single input turns it; lean where it is cheapest in at least {LEAN_SHARE:.0%}; a toss-up else."
)


def not_counted(decision: Decision) -> str:
    """What is left out, with what can be counted first."""
    off = [words for name, words in EXTRAS.items() if name not in decision.workload.count]
    first = f"{', '.join(off)} (each can be: field `count`), " if off else ""
    return first + NEVER


def headline(decision: Decision) -> str:
    """The first line: what to do, how sure, and how few stand behind it."""
    best = decision.best
    if best is None:
        return "Nothing that is known here serves this workload under these constraints."
    verdict = decision.robustness.verdict
    sure = {"alone": "nothing to compare it with"}.get(verdict.word, verdict.word)
    few = f"; {decision.few_sellers}" if decision.few_sellers else ""
    return f"{best.title[0].upper()}{best.title[1:]} ({sure}{_unmeasured(best)}{few})."


def _unmeasured(option: Option) -> str:
    """A rate that nobody measured is never used in silence."""
    m = option.measurement
    if m is None or m.basis not in ("interpolated", "estimated"):
        return ""
    rate_of = "a rate carried over from other lengths" if m.basis == "interpolated" else "an estimated rate"
    return f"; on {rate_of}, off by up to {m.error_share:.0%}"


def reasons(decision: Decision) -> list[str]:
    """Why, in plain sentences."""
    best, years, by, money = decision.best, decision.workload.horizon_years, rate(decision), decision.workload.currency
    if best is None:
        return ["Nothing that is known serves this workload under these constraints: " + _why_not(decision)]
    said = []
    for other in decision.options[1:2]:
        ours, theirs = _base(best, years), _base(other, years)
        said.append(
            f"Over {years} years '{best.title}' costs {amount(ours / by)} {money}, '{other.title}' {amount(theirs / by)}: "
            f"{1 - ours / theirs:.0%} less."
        )
    said += _how_sure(decision)
    said += _payback(decision)
    if best.kind == "hybrid":
        said.append(f"The owned servers serve {best.facts['owned_share']:.0%} of the tokens, rented machines the peaks.")
    if decision.servers_for_peak is not None:
        said.append(f"Servers needed to serve the greatest hour within the limits: {decision.servers_for_peak}.")
    if decision.conditions and best.server is not None:
        said.append(f"Owning meets the constraints only if {' and '.join(decision.conditions)}.")
    mine = yours(best)
    if mine:
        said.append(f"Your own figures in it: {', '.join(mine)}.")
    return said


def _how_sure(decision: Decision) -> list[str]:
    tested, draws, verdict = decision.robustness.tested, decision.robustness.draws, decision.robustness.verdict
    if draws is None:
        return ["Only one kind of way is known here, so nothing was compared and nothing can be said of how sure it is."]
    best = decision.options[0]
    said = [
        f"In {draws.count} draws of all inputs over their ranges this kind of way is cheapest in {draws.wins[best.kind]:.0%}; keeping it "
        f"costs at most {amount(draws.regret_quantiles[best.kind]['p90'] / rate(decision))} {decision.workload.currency} more than the "
        "cheapest in nine draws of ten."
    ]
    flips = [s.name for s in tested if s.flips]
    if flips:
        said.append(f"One input alone changes the answer within its range: {'; '.join(flips)}.")
    else:
        said.append(f"None of the {len(tested)} inputs that were moved one at a time changes the answer within its range.")
    if verdict.word == "toss-up" and verdict.find_out_first:
        said.append(f"Find out first: {', '.join(verdict.find_out_first)}.")
    return said


def _payback(decision: Decision) -> list[str]:
    payback = decision.payback
    if payback is None:
        return []
    if payback.cash_months is None or payback.npv_months is None:
        return ["Against renting by the hour the capital would not be paid back within the horizon."]
    return [
        f"Against renting by the hour the capital is paid back after {payback.cash_months:.0f} months in cash, after {payback.npv_months} "
        f"with interest and what the servers are worth in the end; owned servers would be used {payback.own_utilisation_share:.0%}."
    ]


def sections(decision: Decision) -> list[tuple[str, Content]]:
    """The report as headings with a text or a table."""
    money, workload, market = decision.workload.currency, decision.workload, decision.market
    kind = workload.token_kind
    facts = (
        f"{workload.model}, {workload.tokens.input} tokens in and {workload.tokens.output} out, first token within "
        f"{workload.objective.ttft_s:g} s, {workload.objective.time_per_output_token_s:g} s per token after it; "
        f"{amount(decision.mean_tokens_per_hour)} {kind} tokens an hour on average, {amount(decision.peak_tokens_per_hour)} in the greatest"
        f"{f', growing by {workload.load.growth_per_year:.0%} a year' if workload.load.growth_per_year else ''}. Prices as known on "
        f"{market.as_of}; 1 EUR = {market.usd_per_eur:.4f} USD ({market.fx_on}). Electricity: {market.electricity.band['base']:.4f} "
        f"USD/kWh ({market.electricity.source}). Rented machines are whole ones, in each hour enough for its load."
    )
    duration = [{"percent of hours": f"{p}%", f"{kind} tokens/h at least": amount(v)} for p, v in decision.load_duration.items()]
    made: list[tuple[str, Content]] = [
        ("Recommendation", "\n".join([headline(decision), *reasons(decision)])),
        ("Workload", facts),
        ("Ways to serve it", "\n".join(f"{n}. {_named(o)}" for n, o in enumerate(decision.options, start=1))),
        (f"What they cost, in {money} (base, and low to high)", [_shown(n, o, decision) for n, o in enumerate(decision.options, start=1)]),
        (f"By part, over {workload.horizon_years} years", _parts(decision)),
    ]
    if decision.excluded:
        made.append(("Not possible", [{"way": name, "why": why} for name, why in decision.excluded.items()]))
    if decision.standings or market.left_out:
        made.append(("How much market stands behind it", _standings(decision)))
        made += [("Refused, with the nearest offer", refused)] if (refused := _refused(decision)) else []
    if decision.thresholds:
        made.append(("Prices at which the answer turns", _thresholds(decision)))
    if decision.robustness.tested:
        heading = f"What it saves over its best rival in {workload.horizon_years} years, in {money}, with one input at its ends"
        made.append((heading, _swings(decision)))
    if decision.robustness.draws:
        made.append(("All inputs at once", _draws(decision)))
        made.append(("How sure", RULE))
    if decision.forward_rents:
        made.append(("Rents of later years that commitments imply, in USD per GPU-hour", _forward(decision)))
    if decision.constraint_costs:
        made.append(("What the constraints cost", _constraints(decision)))
    made += [
        ("Load: how much is exceeded how often", duration),
        ("Where the figures come from", [{k: v for k, v in row.items() if k != "query"} for row in sources(decision)]),
        ("To see a row behind a figure", "\n".join(f'breakeven query "{row["query"]}"' for row in sources(decision) if row["query"])),
        ("Not counted", not_counted(decision)),
        ("What money does not show", "\n".join(f"{name}: {text}" for name, text in QUALITIES.items())),
    ]
    said = caveats(decision)
    return [*made, ("Mind", "\n".join(said))] if said else made


def _shown(number: int, option: Option, decision: Decision) -> dict[str, Any]:
    by = rate(decision)
    row: dict[str, Any] = {"way": str(number)}
    for years in decision.years:
        band = option.cost_usd[years]
        row[f"{years} year{'s' if years > 1 else ''}"] = "-" if band is None else amount(band["base"] / by)
        if years == decision.workload.horizon_years:
            row["low..high"] = "-" if band is None else f"{amount(band['low'] / by)}..{amount(band['high'] / by)}"
    row["per million"] = f"{option.usd_per_million_output_tokens / by:.3f}"
    row["capital"] = amount(option.capital_usd / by) if option.capital_usd else "-"
    ages = [x.age_days for x in (option.offer, option.api, option.server) if x is not None]
    row["price age, days"] = max(ages) if ages else None
    return row


def _named(option: Option) -> str:
    m = option.measurement
    if m is None:
        return option.title
    return f"{option.title}; {m.gpu} {m.precision}, {m.rate_per_gpu:,.0f} tokens/s a GPU ({m.basis}, {m.engine})"


def _parts(decision: Decision) -> list[dict[str, Any]]:
    by = rate(decision)
    names = list(dict.fromkeys(part for o in decision.options for part in o.components_usd))
    numbered = list(enumerate(decision.options, start=1))
    return [
        {"part": part, **{f"way {n}": amount(o.components_usd[part] / by) if part in o.components_usd else "-" for n, o in numbered}}
        for part in names
    ]


def _standings(decision: Decision) -> list[dict[str, Any]]:
    by = rate(decision)
    found: list[dict[str, Any]] = []
    for s in decision.standings:
        q = s.quartiles_usd
        quartiles = " / ".join(amount(q[name] / by) for name in ("least", "q1", "median", "q3", "most")) if q and s.sellers > 1 else "-"
        row = {"kind": s.kind, "sellers": s.sellers, "offers": s.offers, "least / q1 / median / q3 / most": quartiles}
        found.append({**row, "refused": sum(r.offers for r in s.refused), "too small": s.too_small, "no rate known": s.unmeasured})
    return found


def _refused(decision: Decision) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"kind": s.kind, "reason": r.reason, "offers": r.offers, "sellers": r.sellers, "nearest": r.nearest}
        for s in decision.standings
        for r in s.refused
    ]
    return found + [
        {"kind": "api", "reason": why, "offers": n, "sellers": None, "nearest": "-"} for why, n in sorted(decision.market.left_out.items())
    ]


def _thresholds(decision: Decision) -> list[dict[str, Any]]:
    by = rate(decision)
    return [
        {
            "way": t.title,
            "price of": t.unit,
            "now": figure(t.now / by),
            "as cheap as its rival at": "no price" if t.at is None else figure(t.at / by),
        }
        for t in decision.thresholds
    ]


def _swings(decision: Decision) -> list[dict[str, Any]]:
    by = rate(decision)
    return [
        {
            "input": s.name,
            "range": f"{s.at_low:.3g}..{s.at_high:.3g}",
            "at its cheap end": amount(s.low / by),
            "at its dear end": amount(s.high / by),
            "turns it": "yes" if s.flips else "no",
            "range is": "assumed" if s.is_assumed else "sourced",
        }
        for s in decision.robustness.tested[:16]
    ]


def _forward(decision: Decision) -> list[dict[str, Any]]:
    return [
        {
            "machine": f.seller,
            "one year": figure(f.one_year_usd),
            "three years": figure(f.three_years_usd),
            "second and third": figure(f.later_years_usd),
            "a year after the last, times": f"{f.yearly_factor:.2f}",
        }
        for f in decision.forward_rents[:8]
    ]


def _draws(decision: Decision) -> list[dict[str, Any]]:
    draws, by = decision.robustness.draws, rate(decision)
    assert draws is not None

    def three(quantiles: dict[str, float]) -> str:
        return " / ".join(amount(quantiles[q] / by) for q in ("p10", "p50", "p90"))

    return [
        {
            "kind": kind,
            "cheapest in": f"{share:.0%}",
            "cost p10 / p50 / p90": three(draws.cost_quantiles[kind]),
            "regret p10 / p50 / p90": three(draws.regret_quantiles[kind]),
        }
        for kind, share in draws.wins.items()
    ]


def _constraints(decision: Decision) -> list[dict[str, Any]]:
    by = rate(decision)

    def cost(usd: float | None) -> str:
        return "leaves nothing" if usd is None else amount(usd / by)

    found: list[dict[str, Any]] = [
        {"constraint": c.name, "value": c.value, "alone against none": cost(c.alone_usd), "dropped from all": cost(c.dropped_usd)}
        for c in decision.constraint_costs
    ]
    whole = cost(decision.all_constraints_usd)
    return [*found, {"constraint": "all of them", "value": "", "alone against none": whole, "dropped from all": whole}]


def caveats(decision: Decision) -> list[str]:
    """What a reader has to keep in mind."""
    constraints, options, said = decision.workload.constraints, decision.options, []
    measured = [o.measurement for o in options if o.measurement]
    if constraints.provider_jurisdictions or constraints.certifications:
        said.append("Seats of sellers and certified regions come from tables whose rows are not yet verified one by one.")
    if constraints.countries:
        said.append("Offers refused by country are those of this warehouse; who else sells there is not known here.")
    if any("aiconfigurator" in m.source for m in measured):
        said.append("The measurements do not say which statistic their times to the first and to each token are.")
    engines = sorted({m.engine for m in measured if m.basis != "yours"})
    if len(engines) > 1:
        said.append(f"Rates come from different engines ({', '.join(engines)}): part of what differs between devices is the engine's.")
    ended = sorted({f"{m.gpu} {m.precision} at {m.concurrency:g}" for m in measured if m.ended_early and m.concurrency})
    if ended:
        said.append(
            f"The sweep ended before a limit bound ({', '.join(ended)} at a time): the rate may be higher, the cost is an upper bound."
        )
    guessed = sorted({f"{m.gpu} {m.precision} ({m.basis}, off by up to {m.error_share:.0%})" for m in measured if m.error_share})
    if guessed:
        said.append(f"Not measured at these lengths: {', '.join(guessed)}.")
    precisions = sorted({m.precision for m in measured})
    if len(precisions) > 1:
        said.append(f"The ways compute in different precisions ({', '.join(precisions)}), which differ in quality.")
    if any(m.measured_on is None for m in measured):
        said.append("Some rates have no day of measurement.")
    said += _price_caveats(options)
    return said


def _price_caveats(options: Sequence[Option]) -> list[str]:
    said = []
    if any(o.api for o in options):
        said.append("Sellers by the token do not say on which device and in which precision they compute, and may change both.")
        said.append("Prices of tokens are dated by the release of the list that carries them; the list does not say when it looked.")
    if any(o.kind == "spot" for o in options):
        said.append("Spot machines may be taken away at any time; the cost counts restarts, not the requests lost meanwhile.")
    if any(o.server and o.server.is_power_estimated for o in options):
        said.append("The power of a server here is rated by its accelerators, as nobody measured it.")
    if any(o.offer and o.offer.price_basis == "last_known" for o in options):
        said.append("Rented prices that were not seen in the last 30 days are the last known ones; their range grows with their age.")
    return said


def _why_not(decision: Decision) -> str:
    return "; ".join(f"{kind}: {why}" for kind, why in decision.excluded.items()) or "no offer is known"


def _base(option: Option, years: int) -> float:
    band = option.cost_usd[years]
    assert band is not None
    return band["base"]


def amount(value: float) -> str:
    """A sum of money or a count, without decimals."""
    return f"{value:,.0f}"


def figure(value: float) -> str:
    """A price: at least three digits."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
