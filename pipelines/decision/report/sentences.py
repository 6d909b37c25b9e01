"""The sentences of a report: what to do and why, what to keep in mind, what is not counted.

Belongs here: sentences, in English and by their English ones in any language. Does not belong here: tables (`sections`), any figure that
`plan` did not compute.
"""

from __future__ import annotations

from pipelines.costing.throughput_selection import LARGEST_SERVER_GPUS
from pipelines.decision.ages import too_old
from pipelines.decision.constraints import allows_place
from pipelines.decision.local_costs import LOCAL, area_of, country_of_area
from pipelines.decision.plan import Decision, Option
from pipelines.decision.report.data import yours
from pipelines.decision.report.speech import Speech
from pipelines.decision.robustness import CLEAR_ADVANTAGE, CLEAR_SHARE, LEAN_SHARE

# What the workload can have counted, in words; off unless its field `count` names it.
EXTRAS = {
    "lead_time": "the time until servers arrive",
    "lease": "leasing instead of buying",
    "financing": "a loan instead of own money",
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
QUALITIES = (
    "control and compliance: owning keeps data, versions and hours of maintenance in one's own hands; renting shares them by contract",
    "agility: rented capacity comes and goes within minutes where the seller has it; a server takes weeks to months to arrive",
    "lock-in: owning binds capital for years; renting binds to a seller's prices, regions and quotas; tokens bind to its model list",
    "skills: owning needs people for hardware and the serving engine; renting needs them for the engine; tokens need neither",
)


def rule(t: Speech) -> str:
    """The written rule by which an answer is called clear, lean or a toss-up."""
    return t(
        "The rule: clear where it is at least {advantage} cheaper than every other kind of way, cheapest in at least {clear} of the draws, "
        "and no single input turns it; lean where it is cheapest in at least {lean}; a toss-up else.",
        advantage=t.share(CLEAR_ADVANTAGE),
        clear=t.share(CLEAR_SHARE),
        lean=t.share(LEAN_SHARE),
    )


def not_counted(decision: Decision, t: Speech) -> str:
    """What is left out, with what can be counted first."""
    off = [t(words) for name, words in EXTRAS.items() if name not in decision.workload.count]
    return (t("{list} (each can be: field `count`), ", list=", ".join(off)) if off else "") + t(NEVER)


def headline(decision: Decision, t: Speech) -> str:
    """The first line: what to do, how sure, and how few stand behind it."""
    best = decision.best
    if best is None:
        return t("Nothing that is known here serves this workload under these constraints.")
    word = decision.robustness.verdict.word
    sure = [t("nothing to compare it with" if word == "alone" else word), _unmeasured(best, t)]
    sure.append(t.of(decision.few_sellers) if decision.few_sellers else "")
    sure += [t("{kind} at its last known price would be cheaper", kind=t.kind(one.kind)) for one in decision.last_known if one.is_cheaper]
    apart, shared = decision.apart_usd, _base(best, decision.workload.horizon_years)
    if apart is not None and apart < shared and not decision.apart_is_over_budget:
        sure.append(t("answered apart, its workloads would cost less"))
    title = t.of(best.title)
    return f"{title[0].upper()}{title[1:]} ({t('; ').join(filter(None, sure))})."


def _unmeasured(option: Option, t: Speech) -> str:
    """A rate that nobody measured is never used in silence."""
    m = option.measurement
    if m is None or m.basis not in ("interpolated", "estimated"):
        return ""
    if m.basis == "interpolated":
        return t("on a rate carried over from other lengths, off by up to {error}", error=t.share(m.error_share))
    return t("on an estimated rate, off by up to {error}", error=t.share(m.error_share))


def reasons(decision: Decision, t: Speech) -> list[str]:
    """Why, in plain sentences."""
    best, years, by = decision.best, decision.workload.horizon_years, decision.usd_per_unit
    if best is None:
        why = t("; ").join(f"{t.kind(kind)}: {t.of(why)}" for kind, why in decision.excluded.items()) or t("no offer is known")
        return [t("Nothing that is known serves this workload under these constraints: {why}", why=why), *_too_old(decision, t)]
    said = []
    for other in decision.options[1:2]:
        ours, theirs = _base(best, years), _base(other, years)
        said.append(
            t(
                "Over {horizon} '{best}' costs {ours} {money}, '{other}' {theirs}: {saved} less.",
                horizon=t.years(years),
                best=best.title,
                ours=ours / by,
                money=decision.workload.currency,
                other=other.title,
                theirs=theirs / by,
                saved=t.share(1 - ours / theirs),
            )
        )
    said += _apart(decision, t)
    machines = best.facts.get("machines_at_the_peak", 1)
    if machines > 1:
        said.append(t("Its greatest hour takes {count} such machines at a time.", count=machines))
    said += _how_sure(decision, t)
    said += _too_old(decision, t)
    said += _payback(decision, t)
    if best.kind == "hybrid":
        said.append(
            t("The owned servers serve {share} of the tokens, rented machines the peaks.", share=t.share(best.facts["owned_share"]))
        )
    if decision.servers_for_peak is not None:
        said.append(t("Servers needed to serve the greatest hour within the limits: {count}.", count=decision.servers_for_peak))
    if decision.conditions and best.server is not None:
        both = t(" and ").join(t.of(condition) for condition in decision.conditions)
        said.append(t("Owning meets the constraints only if {conditions}.", conditions=both))
    mine = yours(best)
    if mine:
        said.append(t("Your own figures in it: {figures}.", figures=", ".join(t(name) for name in mine)))
    return said


def _apart(decision: Decision, t: Speech) -> list[str]:
    """A portfolio runs on one kind of machine: what its workloads cost on machines of their own stands beside it."""
    by, money, years = decision.usd_per_unit, decision.workload.currency, decision.workload.horizon_years
    unserved = [one.workload for one in decision.apart if one.cost_usd is None]
    if unserved:
        return [t("Answered apart, {names} would not be served.", names=", ".join(unserved))]
    if decision.best is None or decision.apart_usd is None:
        return []
    apart, shared = decision.apart_usd, _base(decision.best, years)
    share = t.share(abs(1 - shared / apart))
    both = t(
        "Answered apart, each in its cheapest way, its workloads cost {apart} {money} over {horizon}, on the same machines {shared}",
        apart=apart / by,
        money=money,
        horizon=t.years(years),
        shared=shared / by,
    )
    dearer = t("{both}: sharing costs {share} more.", both=both, share=share)
    said = [dearer if apart < shared else t("{both}: sharing saves {share}.", both=both, share=share)]
    if decision.apart_is_over_budget:
        said.append(t("Apart they would take more capital together than the budget."))
    return said


def _how_sure(decision: Decision, t: Speech) -> list[str]:
    tested, draws, verdict = decision.robustness.tested, decision.robustness.draws, decision.robustness.verdict
    if draws is None:
        return [t("Only one kind of way is known here, so nothing was compared and nothing can be said of how sure it is.")]
    best = decision.options[0]
    said = [
        t(
            "In {count} draws of all inputs over their ranges this kind of way is cheapest in {share}; keeping it costs at most {regret} "
            "{money} more than the cheapest in nine draws of ten.",
            count=draws.count,
            share=t.share(draws.wins[best.kind]),
            regret=draws.regret_quantiles[best.kind]["p90"] / decision.usd_per_unit,
            money=decision.workload.currency,
        )
    ]
    flips = [t.input(s.name) for s in tested if s.flips]
    if len(flips) == 1:
        said.append(t("One input alone changes the answer within its range: {input}.", input=flips[0]))
    elif flips:
        said.append(
            t(
                "{count} inputs change the answer within their ranges, each of them alone: {inputs}.",
                count=len(flips),
                inputs=", ".join(flips),
            )
        )
    else:
        said.append(t("None of the {count} inputs that were moved one at a time changes the answer within its range.", count=len(tested)))
    if verdict.word == "toss-up" and verdict.find_out_first:
        said.append(t("Find out first: {inputs}.", inputs=", ".join(map(t.input, verdict.find_out_first))))
    return said


def _too_old(decision: Decision, t: Speech) -> list[str]:
    """Kinds of ways that were not compared for the age of their prices, and what that does to the answer."""
    # Where nothing is compared there is no answer to set it against.
    beside = "{kind} was not compared: {why}. At it, '{title}' would cost {usd} {money}, {more} than the answer."
    alone = "{kind} was not compared: {why}. At it, '{title}' would cost {usd} {money}."
    said = [
        t(
            beside if decision.options else alone,
            kind=t.kind(one.kind),
            why=t.of(too_old(one)),
            title=one.title,
            usd=one.usd / decision.usd_per_unit,
            money=decision.workload.currency,
            more=t("less" if one.is_cheaper else "more"),
        )
        for one in decision.last_known
    ]
    held = decision.robustness.verdict.held_back
    if held:
        said.append(
            t(
                "Not called clear for what is too old, or not known well enough: {figures}.",
                figures=t("; ").join(map(t.of, held)),
            )
        )
    return said


def _payback(decision: Decision, t: Speech) -> list[str]:
    payback = decision.payback
    if payback is None:
        return []
    if payback.cash_months is None or payback.npv_months is None:
        return [t("Against renting by the hour the capital would not be paid back within the horizon.")]
    return [
        t(
            "Against renting by the hour the capital is paid back after {cash} months in cash, after {npv} with interest and what the "
            "servers are worth in the end; owned servers would be used {use}.",
            cash=payback.cash_months,
            npv=payback.npv_months,
            use=t.share(payback.own_utilisation_share),
        )
    ]


def caveats(decision: Decision, t: Speech) -> list[str]:
    """What a reader has to keep in mind."""
    constraints, options, said = decision.workload.constraints, decision.options, []
    measured = [o.measurement for o in options if o.measurement]
    if constraints.provider_jurisdictions or constraints.certifications:
        said.append(t("Seats of sellers and certified regions come from tables whose rows are not yet verified one by one."))
    if constraints.countries:
        said.append(t("Offers refused by country are those of this warehouse; who else sells there is not known here."))
    if any("aiconfigurator" in m.source for m in measured):
        said.append(t("The measurements do not say which statistic their times to the first and to each token are."))
    engines = sorted({t.of(m.engine) for m in measured if m.basis != "yours"})
    if len(engines) > 1:
        said.append(
            t(
                "Rates come from different engines ({engines}): part of what differs between devices is the engine's.",
                engines=", ".join(engines),
            )
        )
    ended = sorted(
        {
            t("{device} at {count} at a time", device=f"{m.gpu} {m.precision}", count=f"{m.concurrency:g}")
            for m in measured
            if m.ended_early and m.concurrency
        }
    )
    if ended:
        said.append(
            t(
                "The sweep ended before a limit bound ({runs}): the rate may be higher, the cost is an upper bound.",
                runs=", ".join(ended),
            )
        )
    guessed = sorted(
        {
            t("{device} ({basis}, off by up to {error})", device=f"{m.gpu} {m.precision}", basis=t(m.basis), error=t.share(m.error_share))
            for m in measured
            if m.error_share
        }
    )
    if guessed:
        said.append(t("Not measured at these lengths: {devices}.", devices=", ".join(guessed)))
    across = sorted(
        {f"{m.gpu_count:g}x {m.gpu} {m.precision}" for m in measured if m.basis == "estimated" and m.gpu_count > LARGEST_SERVER_GPUS}
    )
    if across:
        said.append(
            t("No run calibrates an estimate over several machines ({systems}); its error is our assumption.", systems=", ".join(across))
        )
    if measured and decision.workload.tokens.cached_input_share > 0:
        said.append(
            t("Rates of machines were measured without input that is still held: with it they may be higher, the cost is an upper bound.")
        )
    precisions = sorted({m.precision for m in measured})
    if len(precisions) > 1:
        said.append(t("The ways compute in different precisions ({list}), which differ in quality.", list=", ".join(precisions)))
    if any(m.measured_on is None for m in measured):
        said.append(t("Some rates have no day of measurement."))
    return said + _old(decision, t) + _price_caveats(decision, t)


def _old(decision: Decision, t: Speech) -> list[str]:
    """Figures beyond the limit of age of their kind."""
    found = [t.of(figure) for figure in decision.old_figures]
    return [t("Older than the limit of its kind: {figures}.", figures=t("; ").join(found))] if found else []


def _of_the_site(decision: Decision, t: Speech) -> list[str]:
    """Which figures of owning are those of the site's country, and which are not."""
    market, area, site, said = decision.market, area_of(decision.workload), decision.workload.site, list[str]()
    country = country_of_area(area)
    if market.electricity.stands_in_for is not None:
        said.append(
            t("No tariff of {area} is known here; quotes.electricity_per_kwh puts your own in the place of the range used.", area=area)
        )
    elif not market.electricity.is_yours and site.country is not None and country not in (site.country, "EU"):
        said.append(t("The tariff is that of {area}, the site stands in {country}.", area=area, country=site.country))
    elif country != "EU" and site.country is None and not allows_place(decision.workload.constraints.countries, country):
        said.append(t("The tariff is that of {area}, where the servers may not stand: state site.country.", area=area))
    rows = [row for name in LOCAL if (row := market.assumptions.get((name, None))) is not None and not row.is_yours]
    if country == "US" or not rows:
        return said
    if all(row.place is None for row in rows):
        said.append(
            t(
                "Space and salaries are figures of the United States; quotes.colocation_per_kw_month and quotes.salary_per_year put your "
                "own in their place."
            )
        )
        return said
    for row in rows:
        said.append(
            t(
                "{name}: {base} {unit} ({low} to {high}) is no quote of {country} but a figure of {place} ({source}).",
                name=t.input(row.name),
                base=row.band["base"],
                unit=t(row.unit),
                low=row.band["low"],
                high=row.band["high"],
                country=country,
                place=row.place or "US",
                source=row.source,
            )
        )
    return said


def _price_caveats(decision: Decision, t: Speech) -> list[str]:
    options, said = decision.options, list[str]()
    if any(o.api for o in options):
        said.append(t("Sellers by the token do not say on which device and in which precision they compute, and may change both."))
        said.append(t("Prices of tokens are dated by the release of the list that carries them; the list does not say when it looked."))
    if any(o.kind == "spot" for o in options):
        said.append(t("Spot machines may be taken away at any time; the cost counts restarts, not the requests lost meanwhile."))
    if any(o.server for o in options):
        said += _of_the_site(decision, t)
    if any(o.server and o.server.is_power_estimated for o in options):
        said.append(t("The power of a server here is rated by its accelerators, as nobody measured it."))
    if any(o.offer and o.offer.price_basis == "last_known" for o in options):
        said.append(t("Rented prices that were not seen in the last 30 days are the last known ones; their range grows with their age."))
    return said


def _base(option: Option, years: int) -> float:
    band = option.cost_usd[years]
    assert band is not None
    return band["base"]
