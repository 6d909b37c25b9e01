"""Own or rent, for one workload and its constraints: `breakeven decide`.

`workload` reads what is asked, `reading` what is known (published prices, measurements, assumptions), `plan` computes (pure), `report`
shows. Nothing here fetches or writes prices.
"""

from pipelines.decision.documents import WorkloadError
from pipelines.decision.plan import Decision, decide
from pipelines.decision.reading import read_market
from pipelines.decision.report import as_dict, as_html, as_text
from pipelines.decision.workload import Workload, load_workload

__all__ = ["Decision", "Workload", "WorkloadError", "as_dict", "as_html", "as_text", "decide", "load_workload", "read_market"]
