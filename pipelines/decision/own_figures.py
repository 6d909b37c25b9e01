"""The asker's own figures put beside the market's, or in their place.

Pure. Belongs here: quotes, tariffs and assumptions of the workload file as figures of the market, marked as the asker's. Does not belong
here: their fields (`quotes`). Money passes one exchange rate, that of the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from pipelines.decision.documents import WorkloadError
from pipelines.decision.market import LONGEST_AGE_DAYS, ApiOffer, Assumption, Market, Measurement, Offer, Server
from pipelines.decision.plausible import in_range, refuse_what_cannot_be
from pipelines.decision.quotes import Ends, RentQuote, ServerQuote, TokenQuote
from pipelines.decision.scenario import TIME_BETWEEN_INTERRUPTIONS, aged
from pipelines.decision.words import said
from pipelines.decision.workload import Workload

SOURCE = said("your file")
# Power of a server over that of its GPUs where the quote does not say it.
POWER_OVER_GPUS = 1.82


def with_own_figures(market: Market, workload: Workload, newest: date | None = None) -> Market:
    """The market with everything that the workload states itself; `newest`: the last day of the version, where an earlier one is asked.

    Raises WorkloadError for a quote that is older than any price may be, or of a day to come, and for a figure out of this world.
    """
    _refuse_old_and_coming(workload, market.as_of, newest or market.as_of)
    offers = market.offers
    if TIME_BETWEEN_INTERRUPTIONS in workload.assumptions:
        offers = [replace(offer, interruptions_per_month=None) for offer in offers]
    rate = market.usd_per_eur if workload.currency == "EUR" else 1.0
    refuse_what_cannot_be(market, workload, rate)
    return replace(
        market,
        servers=[*_servers(market, workload, rate), *market.servers],
        offers=[*_offers(market, workload, rate), *offers],
        api_offers=[*_sellers(market, workload, rate), *market.api_offers],
        measurements=_measured(market, workload),
        assumptions=_assumptions(market, workload, rate),
        electricity=own_tariff(workload, market.usd_per_eur) or market.electricity,
    )


def own_tariff(workload: Workload, usd_per_eur: float) -> Assumption | None:
    """The asker's own price of electricity, or None."""
    price = workload.quotes.electricity_per_kwh
    rate = usd_per_eur if workload.currency == "EUR" else 1.0
    return None if price is None else _flat("electricity_usd_per_kwh", price * rate, "USD per kWh")


def _refuse_old_and_coming(workload: Workload, as_of: date, newest: date) -> None:
    """The rule of age holds for the asker's quotes as for the market's prices."""
    quotes = workload.quotes
    dated: dict[str, Sequence[ServerQuote | RentQuote | TokenQuote]] = {
        "servers": quotes.servers,
        "rents": quotes.rents,
        "tokens": quotes.tokens,
    }
    for kind, found in dated.items():
        for number, quote in enumerate(found):
            day = quote.quoted_on
            if day is not None and (day > newest or (as_of - day).days > LONGEST_AGE_DAYS):
                raise WorkloadError(
                    f"quotes.{kind}.{number}.quoted_on is {day}, expected a day from {LONGEST_AGE_DAYS} days before {as_of} to {newest}"
                )
    for number, rate in enumerate(quotes.rates):
        if rate.measured_on is not None and rate.measured_on > newest:
            raise WorkloadError(f"quotes.rates.{number}.measured_on is {rate.measured_on}, expected a day up to {newest}")


def _age(market: Market, quoted_on: date | None) -> tuple[date, int]:
    day = quoted_on or market.as_of
    return day, max(0, (market.as_of - day).days)


def _servers(market: Market, workload: Workload, rate: float) -> list[Server]:
    found = []
    for q in workload.quotes.servers:
        day, age = _age(market, q.quoted_on)
        known = [s for s in market.servers if s.gpu == q.gpu]
        if q.load_kw is not None:
            power, estimated = dict.fromkeys(("low", "base", "high"), q.load_kw), False
        elif known:
            power = {band: kw / known[0].gpu_count * q.gpu_count for band, kw in known[0].load_kw.items()}
            estimated = known[0].is_power_estimated
        else:
            power, estimated = dict.fromkeys(("low", "base", "high"), 0.7 * POWER_OVER_GPUS * q.gpu_count), True
        price = aged(q.price * rate, market.drift.get("server"), age)
        name = said("{machine} (your quote, used)" if q.used else "{machine} (your quote)", machine=f"{q.gpu_count}x-{q.gpu}")
        found.append(
            Server(name, q.gpu, float(q.gpu_count), price, day, age, SOURCE, power, estimated, False, is_yours=True, age_years=q.age_years)
        )
    return found


def _offers(market: Market, workload: Workload, rate: float) -> list[Offer]:
    found = []
    for number, q in enumerate(workload.quotes.rents, start=1):
        day, age = _age(market, q.quoted_on)
        found.append(
            Offer(
                gpu=q.gpu,
                gpu_count=float(q.gpu_count),
                option=q.option,
                commitment_months=q.commitment_months,
                provider=q.provider,
                region="(your quote)",
                country=q.country,
                trust_tier="datacenter",
                usd_per_gpu_hour=aged(q.price_per_hour * rate / q.gpu_count, market.drift.get(q.option), age),
                price_basis="quote",
                price_on=day,
                age_days=age,
                source=SOURCE,
                series_id=f"quotes.rents.{number}",
                is_yours=True,
            )
        )
    return found


def _sellers(market: Market, workload: Workload, rate: float) -> list[ApiOffer]:
    found = []
    for q in workload.quotes.tokens:
        day, age = _age(market, q.quoted_on)
        band = aged(1.0, market.drift.get("tokens"), age)
        cached = None if q.cached_input is None else q.cached_input * rate
        found.append(
            ApiOffer(
                q.provider,
                workload.model,
                q.input * rate,
                q.output * rate,
                day,
                age,
                SOURCE,
                cached_input_usd=cached,
                batch_share=q.batch_share,
                country=q.country,
                band_share=(band["low"], band["high"]),
                is_yours=True,
            )
        )
    return found


def _measured(market: Market, workload: Workload) -> list[Measurement]:
    """Own measurements first; of a device and precision that the asker measured no other rate is used."""
    own = [
        Measurement(
            q.gpu,
            q.precision,
            q.tokens_per_second / q.gpu_count,
            float(q.gpu_count),
            f"quotes.rates.{number}",
            q.measured_on,
            SOURCE,
            engine=q.engine,
            concurrency=q.concurrency,
            basis="yours",
            sweep=() if q.concurrency is None else ((1.0, q.concurrency),),
        )
        for number, q in enumerate(workload.quotes.rates, start=1)
    ]
    covered = {(m.gpu, m.precision) for m in own}
    return [*own, *(m for m in market.measurements if (m.gpu, m.precision) not in covered)]


def _assumptions(market: Market, workload: Workload, rate: float) -> dict[tuple[str, str | None], Assumption]:
    own = dict(market.assumptions)
    quotes = workload.quotes
    own_amounts = (("staff_usd_per_fte_year", quotes.salary_per_year), ("colocation_usd_per_kw_month", quotes.colocation_per_kw_month))
    for name, value in own_amounts:
        if value is not None:
            own[name, None] = _flat(name, value * rate, own[name, None].unit)
    for name, stated in workload.assumptions.items():
        old = own[name, None]
        in_range(name, stated, old)
        # The market's bands run from the cheap end to the dear one.
        falls = old.band["low"] > old.band["high"]
        if isinstance(stated, Ends):
            low, high = (stated.high, stated.low) if falls else (stated.low, stated.high)
            own[name, None] = replace(_flat(name, stated.base, old.unit), band={"low": low, "base": stated.base, "high": high})
        else:
            own[name, None] = _flat(name, stated, old.unit)
    return own


def _flat(name: str, value: float, unit: str) -> Assumption:
    return Assumption(name, dict.fromkeys(("low", "base", "high"), value), unit, SOURCE, is_assumed=False, is_yours=True)
