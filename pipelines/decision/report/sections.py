"""What is shown: headings, each with a text or a table.

Belongs here: rows, the same for text, Markdown and page. Does not belong here: sentences (`sentences`), how they look (`text`, `page`).
"""

from __future__ import annotations

from typing import Any

from pipelines.decision.market import EngineRate
from pipelines.decision.plan import Decision, Option
from pipelines.decision.report.data import sources
from pipelines.decision.report.sentences import QUALITIES, caveats, headline, not_counted, reasons, rule
from pipelines.decision.report.speech import Speech

Content = str | list[dict[str, Any]]


class Verbatim(str):
    """Lines that are to be copied whole."""

    __slots__ = ()


def sections(decision: Decision, t: Speech) -> list[tuple[str, Content]]:
    """The report as headings with a text or a table."""
    money, years = decision.workload.currency, decision.workload.horizon_years
    numbered = list(enumerate(decision.options, start=1))
    made: list[tuple[str, Content]] = [
        (t("Recommendation"), "\n".join([headline(decision, t), *reasons(decision, t)])),
        (t("Workload"), _workload(decision, t)),
        (t("Ways to serve it"), "\n".join(f"{n}. {_named(o, t)}" for n, o in numbered)),
        (t("What they cost, in {money} (base, and low to high)", money=money), [_shown(n, o, decision, t) for n, o in numbered]),
        (t("By part, over {horizon}", horizon=t.years(years)), _parts(decision, t)),
    ]
    if decision.apart:
        made.append((t("Answered apart, over {horizon}, in {money}", horizon=t.years(years), money=money), _apart(decision, t)))
    if decision.excluded:
        why = [{t("way"): t.kind(name), t("why"): t.of(why)} for name, why in decision.excluded.items()]
        made.append((t("Not possible"), why))
    if decision.standings or decision.market.left_out:
        made.append((t("How much market stands behind it"), _standings(decision, t)))
        made += [(t("Refused, with the nearest offer"), refused)] if (refused := _refused(decision, t)) else []
    if decision.thresholds:
        made.append((t("Prices at which the answer turns"), _thresholds(decision, t)))
    if decision.robustness.tested:
        heading = "What it saves over its best rival in {horizon}, in {money}, with one input at its ends"
        made.append((t(heading, horizon=t.years(years), money=money), _swings(decision, t)))
    if decision.robustness.draws:
        made.append((t("All inputs at once"), _draws(decision, t)))
        made.append((t("How sure"), rule(t)))
    if engines := _engines(decision, t):
        made.append((t("Devices on one engine, in tokens/s a GPU"), engines))
    if decision.forward_rents:
        made.append((t("Rents of later years that commitments imply, in USD per GPU-hour"), _forward(decision, t)))
    if decision.constraint_costs:
        made.append((t("What the constraints cost"), _constraints(decision, t)))
    rows = sources(decision)
    queries = "\n".join(f'breakeven query "{row["query"]}"' for row in rows if row["query"])
    made += [
        (t("Load: how much is exceeded how often"), _duration(decision, t)),
        (t("Where the figures come from"), [_source(row, t) for row in rows]),
        *([(t("To see a row behind a figure"), Verbatim(queries))] if queries else []),
        (t("Not counted"), not_counted(decision, t)),
        (t("What money does not show"), "\n".join(map(t, QUALITIES))),
    ]
    said = caveats(decision, t)
    return [*made, (t("Mind"), "\n".join(said))] if said else made


def _workload(decision: Decision, t: Speech) -> str:
    workload, market = decision.workload, decision.market
    growth = workload.load.growth_per_year
    said = [
        t(
            "{model}, {given} tokens in and {written} out, first token within {ttft} s, {each} s per token after it.",
            model=workload.model,
            given=workload.tokens.input,
            written=workload.tokens.output,
            ttft=t.number(f"{workload.objective.ttft_s:g}"),
            each=t.number(f"{workload.objective.time_per_output_token_s:g}"),
        ),
        t(
            "{mean} {kind} tokens an hour on average, {peak} in the greatest.",
            mean=decision.mean_tokens_per_hour,
            kind=t(workload.token_kind),
            peak=decision.peak_tokens_per_hour,
        ),
    ]
    if growth > 0:
        said.append(t("It grows by {share} a year.", share=t.share(growth)))
    elif growth < 0:
        said.append(t("It shrinks by {share} a year.", share=t.share(-growth)))
    said.append(
        t(
            "Prices as known on {day}; 1 EUR = {rate} USD ({rate_day}). Electricity: {tariff} USD/kWh ({source}).",
            day=market.as_of,
            rate=t.number(f"{market.usd_per_eur:.4f}"),
            rate_day=market.fx_on,
            tariff=t.number(f"{market.electricity.band['base']:.4f}"),
            source=market.electricity.source,
        )
    )
    said.append(t("Rented machines are whole ones, in each hour enough for its load."))
    if not workload.constraints.trust_tiers:
        said.append(t("Sellers are professional ones; hosts of a community answer only where constraints.trust_tiers admits them."))
    return " ".join(said)


def _duration(decision: Decision, t: Speech) -> list[dict[str, Any]]:
    kind = t("{kind} tokens/h at least", kind=t(decision.workload.token_kind))
    return [{t("percent of hours"): t.share(p / 100), kind: t.amount(v)} for p, v in decision.load_duration.items()]


def _source(row: dict[str, Any], t: Speech) -> dict[str, Any]:
    return {t("what"): t.of(row["what"]), t("on"): row["on"], t("age, days"): row["age_days"], t("source"): t.of(row["source"])}


def _shown(number: int, option: Option, decision: Decision, t: Speech) -> dict[str, Any]:
    by = decision.usd_per_unit
    row: dict[str, Any] = {t("way"): str(number)}
    for years in decision.years:
        band = option.cost_usd[years]
        row[t.years(years)] = "-" if band is None else t.amount(band["base"] / by)
        if years == decision.workload.horizon_years:
            row[t("low..high")] = "-" if band is None else f"{t.amount(band['low'] / by)}..{t.amount(band['high'] / by)}"
    row[t("per million")] = t.number(f"{option.usd_per_million_output_tokens / by:.3f}")
    row[t("capital")] = t.amount(option.capital_usd / by) if option.capital_usd else "-"
    ages = [x.age_days for x in (option.offer, option.api, option.server) if x is not None]
    row[t("price age, days")] = max(ages) if ages else None
    return row


def _named(option: Option, t: Speech) -> str:
    m, machines = option.measurement, option.facts.get("machines_at_the_peak", 1)
    title = t.of(option.title) if machines == 1 else t("{title}, up to {count} at a time", title=option.title, count=machines)
    if m is None:
        return str(title)
    return t(
        "{title}; {device}, {rate} tokens/s a GPU ({basis}, {engine})",
        title=title,
        device=f"{m.gpu} {m.precision}",
        rate=m.rate_per_gpu,
        basis=t(m.basis),
        engine=m.engine,
    )


def _parts(decision: Decision, t: Speech) -> list[dict[str, Any]]:
    by = decision.usd_per_unit
    names = list(dict.fromkeys(part for o in decision.options for part in o.components_usd))
    numbered = [(t("way {number}", number=n), o.components_usd) for n, o in enumerate(decision.options, start=1)]
    return [{t("part"): t(part), **{way: t.amount(usd[part] / by) if part in usd else "-" for way, usd in numbered}} for part in names]


def _apart(decision: Decision, t: Speech) -> list[dict[str, Any]]:
    def row(name: str, way: str, usd: float | None) -> dict[str, Any]:
        return {t("workload"): name, t("way"): way, t("cost"): "-" if usd is None else t.amount(usd / decision.usd_per_unit)}

    best = decision.best
    shared = best.cost_usd[decision.workload.horizon_years] if best else None
    return [
        *(row(one.workload, t.of(one.title) if one.title else "-", one.cost_usd) for one in decision.apart),
        row(t("together"), "-", decision.apart_usd),
        row(t("on the same machines"), t.of(best.title) if best else "-", shared["base"] if shared else None),
    ]


def _standings(decision: Decision, t: Speech) -> list[dict[str, Any]]:
    by = decision.usd_per_unit
    found: list[dict[str, Any]] = []
    for s in decision.standings:
        q = s.quartiles_usd
        quartiles = " / ".join(t.amount(q[name] / by) for name in ("least", "q1", "median", "q3", "most")) if q and s.sellers > 1 else "-"
        row = {t("kind"): t.kind(s.kind), t("sellers"): s.sellers, t("offers"): s.offers, t("least / q1 / median / q3 / most"): quartiles}
        refused = sum(r.offers for r in s.refused)
        found.append({**row, t("refused"): refused, t("too small"): s.too_small, t("no rate known"): s.unmeasured})
    return found


def _refused(decision: Decision, t: Speech) -> list[dict[str, Any]]:
    def row(kind: str, reason: str, offers: int, sellers: int | None, nearest: str) -> dict[str, Any]:
        names = (t("kind"), t("reason"), t("offers"), t("sellers"), t("nearest"))
        return dict(zip(names, (t.kind(kind), t.of(reason), offers, sellers, nearest), strict=True))

    found = [row(s.kind, r.reason, r.offers, r.sellers, r.nearest) for s in decision.standings for r in s.refused]
    return found + [row("api", why, n, None, "-") for why, n in sorted(decision.market.left_out.items())]


def _thresholds(decision: Decision, t: Speech) -> list[dict[str, Any]]:
    by = decision.usd_per_unit
    return [
        {
            t("way"): t.of(x.title),
            t("price of"): t.of(x.unit),
            t("now"): t.figure(x.now / by),
            t("as cheap as its rival at"): t("no price") if x.at is None else t.figure(x.at / by),
        }
        for x in decision.thresholds
    ]


def _swings(decision: Decision, t: Speech) -> list[dict[str, Any]]:
    by = decision.usd_per_unit
    return [
        {
            t("input moved"): t.input(s.name, with_code=True),
            t("range"): t.number(f"{s.at_low:.3g}") + ".." + t.number(f"{s.at_high:.3g}"),
            t("at its cheap end"): t.amount(s.low / by),
            t("at its dear end"): t.amount(s.high / by),
            t("turns it"): t("yes") if s.flips else t("no"),
            t("range is"): t("assumed") if s.is_assumed else t("sourced"),
        }
        for s in decision.robustness.tested[:16]
    ]


def _engines(decision: Decision, t: Speech) -> list[dict[str, Any]]:
    """Only devices that a way here runs on, where at least two of them were measured on the same engine."""
    used = {o.measurement.gpu for o in decision.options if o.measurement}
    found: list[dict[str, Any]] = []
    groups: dict[tuple[str, str], list[EngineRate]] = {}
    for r in decision.market.engine_rates:
        if r.gpu in used:
            groups.setdefault((r.precision, r.engine), []).append(r)
    for (precision, engine), rates in groups.items():
        for r in rates if len(rates) > 1 else []:
            found.append(
                {
                    t("engine"): f"{engine} {precision}",
                    t("device"): f"{r.gpu_count:g}x {r.gpu}",
                    t("requests at a time"): "-" if r.concurrency is None else f"{r.concurrency:g}",
                    t("rate"): t.amount(r.rate_per_gpu),
                    t("times the slowest"): t.number(f"{r.rate_per_gpu / rates[0].rate_per_gpu:.2f}"),
                }
            )
    return found


def _forward(decision: Decision, t: Speech) -> list[dict[str, Any]]:
    return [
        {
            t("machine"): f.seller,
            t("one year"): t.figure(f.one_year_usd),
            t("three years"): t.figure(f.three_years_usd),
            t("second and third"): t.figure(f.later_years_usd),
            t("a year after the last, times"): t.number(f"{f.yearly_factor:.2f}"),
        }
        for f in decision.forward_rents[:8]
    ]


def _draws(decision: Decision, t: Speech) -> list[dict[str, Any]]:
    draws, by = decision.robustness.draws, decision.usd_per_unit
    assert draws is not None

    def three(quantiles: dict[str, float]) -> str:
        return " / ".join(t.amount(quantiles[q] / by) for q in ("p10", "p50", "p90"))

    return [
        {
            t("kind"): t.kind(kind),
            t("cheapest in"): t.share(share),
            t("cost p10 / p50 / p90"): three(draws.cost_quantiles[kind]),
            t("regret p10 / p50 / p90"): three(draws.regret_quantiles[kind]),
        }
        for kind, share in draws.wins.items()
    ]


def _constraints(decision: Decision, t: Speech) -> list[dict[str, Any]]:
    by = decision.usd_per_unit

    def row(name: str, value: str, alone: float | None, dropped: float | None) -> dict[str, Any]:
        costs = [t("leaves nothing") if usd is None else t.amount(usd / by) for usd in (alone, dropped)]
        names = (t("constraint"), t("value"), t("alone against none"), t("dropped from all"))
        return dict(zip(names, (name, value, *costs), strict=True))

    found = [row(c.name, t.of(c.value), c.alone_usd, c.dropped_usd) for c in decision.constraint_costs]
    return [*found, row(t("all of them"), "", decision.all_constraints_usd, decision.all_constraints_usd)]
