"""A decision in words and tables: plain text, Markdown, JSON, and one static page.

Belongs here: what is said and how. Does not belong here: any figure that `plan` did not compute. Amounts are in the workload's currency.
"""

from pipelines.decision.report.data import as_dict
from pipelines.decision.report.page import as_html
from pipelines.decision.report.side_by_side import comparison_as_text, sweep_as_text
from pipelines.decision.report.text import as_markdown, as_text

__all__ = ["as_dict", "as_html", "as_markdown", "as_text", "comparison_as_text", "sweep_as_text"]
