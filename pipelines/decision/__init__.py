"""Own or rent, for one workload and its constraints: `breakeven decide`.

`workload` reads what is asked, `reading` what is known (published prices, measurements, assumptions), `plan` computes (pure), `report`
shows. Nothing here fetches or writes prices.
"""

from pipelines.decision.comparing import compare, portfolio, sweep, with_answers_apart
from pipelines.decision.documents import WorkloadError
from pipelines.decision.load_file import HOURS_PER_DAY, MOST_TOKENS_PER_HOUR
from pipelines.decision.plan import Decision, decide
from pipelines.decision.reading import read_market
from pipelines.decision.report import as_dict, as_html, as_markdown, as_text, comparison_as_text, sweep_as_text
from pipelines.decision.workload import Workload, load_workload

# A flat load of more than this is no load of this world.
MOST_TOKENS_PER_DAY = MOST_TOKENS_PER_HOUR * HOURS_PER_DAY

__all__ = [
    "MOST_TOKENS_PER_DAY",
    "Decision",
    "Workload",
    "WorkloadError",
    "as_dict",
    "as_html",
    "as_markdown",
    "as_text",
    "compare",
    "comparison_as_text",
    "decide",
    "load_workload",
    "portfolio",
    "read_market",
    "sweep",
    "sweep_as_text",
    "with_answers_apart",
]
