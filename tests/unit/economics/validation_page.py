"""Writes `docs/validation.md`: every published figure beside ours, and what the studies got wrong.

`python -m tests.unit.economics.validation_page` (part of `make docs`).
"""

from __future__ import annotations

import sys

from pipelines import economics as e
from tests.support.paths import ROOT

from .published_cases import Case, Given, Result, flat_server, load_cases, results

PAGE = ROOT / "docs" / "validation.md"
# Sellers of H100 SXM on demand in the archive of 2026-11-23, each at its cheapest; tests/integration/test_decide.py holds them to it.
SELLERS, BELOW_AWS, QUARTILES_USD = 18, 14, (2.755, 3.522, 5.614)
HEAD = """# Validation

Each figure that a study, a vendor or a project has published is reached here through the functions of `pipelines.economics`. The page
is generated (`make docs`) from a test that fails where one of them is missed; tolerances are those of rounding in print.
"""


def render(cases: dict[str, Case]) -> str:
    """The page as Markdown."""
    found = list(results(cases))
    parts = [HEAD, f"{sum(r.is_reached for r in found)} of {len(found)} figures of {len(cases)} cases are reached.", defects(cases)]
    parts += [section(name, case, [r for r in found if r.case == name]) for name, case in cases.items()]
    return "\n".join(parts).rstrip() + "\n"


def section(name: str, case: Case, found: list[Result]) -> str:
    named = case["source"] + (f" ({', '.join(f'<{url}>' for url in case['urls'])})" if case["urls"] else "")
    rows = [
        f"| {r.figure} | {shown(r.published)} | {shown(r.computed)} | {tolerance(r)} | {'yes' if r.is_reached else 'NO'} |" for r in found
    ]
    return "\n".join(
        [
            f"\n## {name}: {case['title']}\n",
            f"Source: {named}.\n",
            "| figure | published | ours | within | reached |",
            "|---|---|---|---|---|",
            *rows,
        ]
    )


def shown(value: float | None) -> str:
    if value is None:
        return "none"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.5g}"


def tolerance(result: Result) -> str:
    return " + ".join(f"{v:.2%}" if kind == "rel" else f"{v:g}" for kind, v in result.tolerance.items())


def defects(cases: dict[str, Case]) -> str:
    """What is wrong in the sources, with the corrected figure; each computed here."""
    lenovo, anti, nvidia, arxiv = (Given(cases[name]) for name in ("LP2368-1", "ANTI-1", "NVIDIA-1", "ARX2509-T4"))
    full_load = e.OnPremServer(server_usd=0.0, load_kw=10.2, pue=1.54, electricity_usd_per_kwh=0.12)
    power = e.operating_usd_per_hour(full_load, 1.0)
    operate = lenovo.opex - 0.87 + power
    printed, mended = e.break_even_hours(lenovo.capex, lenovo.od, lenovo.opex), e.break_even_hours(lenovo.capex, lenovo.od, operate)

    h200 = Given(cases["LP2368-3"])
    always = e.on_prem_usd_per_hour(flat_server(h200.capex, h200.opex, 5), 1.0)
    idle_saves = 0.7 * 2.91  # its 2.91 USD/h of power fall to 30% while the server idles
    of_use = 24 * e.break_even_utilisation(always - idle_saves, idle_saves, h200.cloud)

    capex = anti.g * anti.p * (1 + anti.oh)
    cash = anti.g * anti.kw * anti.pue * anti.k * anti.h + anti.dc
    right = e.break_even_hours(capex, anti.g * anti.c * anti.h, cash)

    kimi = cases["ARX2509-T4"]["rows"][0]["inputs"]
    hours_printed, watts_printed = 160, 0.4
    blend = e.blended_api_usd_per_million(arxiv.gpt5_in, arxiv.gpt5_out, 1, 2)
    tokens = hours_printed / e.usd_per_million_tokens(1.0, kimi["tok_s"])
    electricity = kimi["n_gpu"] * watts_printed * hours_printed * arxiv.kwh
    stated = e.break_even_hours(kimi["n_gpu"] * kimi["price"], blend * tokens, electricity)

    ends = zip(("the first quartile", "the median", "the third quartile"), QUARTILES_USD, strict=True)
    each = [f"{e.break_even_hours(lenovo.capex, 8 * usd, lenovo.opex):,.0f} hours at {name} ({usd:.2f})" for name, usd in ends]
    after = f"after {each[0]},\n  {each[1]} and {each[2]}"
    licences = nvidia.sw * (nvidia.gpus - 1)
    return f"""
## What the sources got wrong

- **Power carried over (LP2368-1).** 0.87 USD an hour for the power of 8xH100 stands for 2.9 kW at the tariff of the other
  configurations; it was taken over from an earlier edition about other hardware. At 10.2 kW, PUE 1.54 and 0.12 USD/kWh it is
  {power:.2f}: break-even against the same Azure price after {mended:,.0f} hours instead of {printed:,.0f}. The comparator matters far more
  than this: against 2.69 USD per GPU-hour it is {e.break_even_hours(lenovo.capex, 8 * 2.69, lenovo.opex):,.0f} hours.
- **Power charged while idle (LP2368-3).** 4.3 hours a day is reached with full power around the clock. With idle power at 30% of load it is
  {of_use:.1f} hours.
- **No interest, staff or space of one's own (LP2368-1 to 3).** LP2368-6 counts them: 18.71 USD an hour all-in, so owning wins from 0.19 of
  the hours against Azure's list price, 0.34 against AWS's and 0.87 against a small seller's.
- **Capital counted twice (ANTI-1).** The page subtracts the month's amortisation from the saving that is to pay the same capital back:
  137 months. In cash it is {right:.1f}. `break_even_hours` takes cash only, and no function here adds the two.
- **Throughput scaled from another system (LP2368).** The rate given for 8xH100 on Llama-2-70B, 30,576 tokens/s, is within 0.1% of half of
  what MLPerf Inference v5.1 has for 16xH100 (61,101): no measurement of eight. Here a row applies to the system that was measured.
- **Inputs that are not those printed (ARX2509-T4).** The printed table follows from 176 hours a month and 300 W a GPU, where the text has
  160 hours and 400 W. With the inputs as printed Kimi-K2 against GPT-5 takes {stated:.1f} months instead of 69.3.
- **Licence per server for one per GPU (NVIDIA-1).** NVIDIA AI Enterprise is sold by the GPU: {licences:,.0f} USD a year more than the
  example's reading of it for a server of eight.
- **Placeholders without a mark (IX-placeholder).** The B300 and GB300 rates of April 2026 were 1.2 times those of B200 and GB200. No such
  figure is in the tables here.
- **A machine paid by what it does (CCAM-1, CCAM-2).** The same server costs 28.9 times more a token at one request a second than full:
  a machine is paid whole. `breakeven decide` counts whole machines in each hour for this reason.
- **A thousand times too few tokens (KSH-1).** The page prints 0.46 million tokens a month as its break-even; its own figures give 460.8.
- **A list price that is not the list's (GPUADV-1).** It has 33.86 USD an hour for eight H100 at AWS, where the list has 55.04. The
  arithmetic is right. 1,800 tokens/s of a 70B model on one GPU of 80 GB leave 9 GB for the cache, which is doubtful.
- **Dear sellers (LP2368).** A comparison with a large cloud's list price finds owning cheap: of {SELLERS} sellers of H100 SXM on demand
  that the archive knows on 2026-11-23, {BELOW_AWS} are below AWS's 6.88 USD a GPU-hour and none is above Azure's 12.29. With today's market
  the same server breaks even {after};
  five years have 43,800 hours. `docs/answers.md` asks such questions at that market.
- **Ratios of input to output (BLEND-1).** The same API price reads 3.2 times apart under 8:1, 3:1 and 1:2. Prices here are blended in the
  workload's own ratio, which stands beside each figure.
"""


def main() -> int:
    """Write the page."""
    PAGE.write_text(render(load_cases()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
