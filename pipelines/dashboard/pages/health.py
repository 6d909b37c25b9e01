"""Health: every source with how it fared and how old it is, the checks that did not hold, the rows in quarantine."""

from pipelines.dashboard.charts.bars import source_age
from pipelines.dashboard.page import Figure, Page, Shown
from pipelines.dashboard.queries import HEALTH

_RUN = "(SELECT max_by(run_id, started_at) FROM ops.refreshes)"

PAGE = Page(
    order=7,
    choices=(),
    queries={
        "health": HEALTH,
        "checks": f"""
            SELECT table_name, rule, rule_kind, severity, failing_count, row_count, detail
            FROM ops.check_results WHERE run_id = {_RUN} AND NOT is_passed ORDER BY ALL
        """,
        "quarantine": f"""
            SELECT table_name, rule, reason, count(*) AS quarantined_row_count
            FROM ops.quarantine WHERE run_id = {_RUN} GROUP BY ALL ORDER BY ALL
        """,
        # How far the prices of the day hold: of each series its newest price.
        "prices": """
            SELECT count(*) AS price_count, count(*) FILTER (price_basis = 'current') AS current_count,
                   min(price_age_days) AS newest_age_days, quantile_disc(price_age_days, 0.5) AS median_age_days
            FROM bi.price_today
        """,
    },
    figures=(
        Figure(
            "sources",
            "health",
            (
                Shown("source"),
                Shown("status", "status"),
                Shown("age_days", "days"),
                Shown("newest_figure_on", "day"),
                Shown("row_count", "count"),
                Shown("broken_rule_count", "count"),
                Shown("quarantined_row_count", "count"),
                Shown("detail", "record"),
            ),
            source_age,
            draws={"source": "source", "status": "status", "age_days": "age_days"},
        ),
        Figure(
            "checks",
            "checks",
            (
                Shown("rule"),
                Shown("failing_count", "count"),
                Shown("row_count", "count"),
                Shown("severity", "severity"),
                Shown("table_name"),
                Shown("detail", "record"),
            ),
        ),
        Figure(
            "quarantine",
            "quarantine",
            (Shown("rule"), Shown("quarantined_row_count", "count"), Shown("table_name"), Shown("reason", "record")),
        ),
    ),
)
