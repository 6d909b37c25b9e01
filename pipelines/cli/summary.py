"""What is said at the end of a refresh read from the published version and the record.

Belongs here: the facts and their plain-text form. Does not belong here: running anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

from pipelines.platform.settings import Settings
from pipelines.publication.manifest import kept_marts
from pipelines.publication.reader import as_text as table_text
from pipelines.publication.reader import rows
from pipelines.publication.versions import PublishedFolder

# The question that the summary answers; `breakeven query` answers others.
QUESTION = {"model": "Llama-3.1-70B", "precision": "fp8", "workload": "business_hours_1024_1024", "window_days": 30}
_WELL = ("ok", "disabled", "not_tried")


def closing(
    connection: duckdb.DuckDBPyConnection, settings: Settings, sources: list[dict[str, Any]], *, is_unchanged: bool
) -> dict[str, Any]:
    """Facts of a finished refresh: its sources, the five cheapest ways to a million tokens, break-even, and where the files lie."""
    manifest = PublishedFolder(settings.folders.published).manifest()
    assert manifest is not None
    model, precision, workload = QUESTION["model"], QUESTION["precision"], QUESTION["workload"]
    return {
        "outcome": "unchanged" if is_unchanged else "published",
        "as_of": manifest["as_of"],
        "version": manifest["version"],
        "sources": sorted(sources, key=lambda row: (row["is_bundled"], row["source"])),
        "kept_marts": kept_marts(manifest),
        "quarantined_rows": rows(connection, "SELECT count(*) AS n FROM ops.quarantine WHERE run_id = ?", [manifest["run_id"]])[0]["n"],
        # Of a whole table or of several: an answer that changes by age alone, what expires soon, sources that disagree.
        "warnings": rows(
            connection,
            """
            SELECT rule, failing_count, detail FROM ops.check_results
            WHERE run_id = ? AND NOT is_passed AND rule_kind = 'sql' ORDER BY rule
            """,
            [manifest["run_id"]],
        ),
        "question": QUESTION,
        "cheapest": rows(
            connection,
            """
            SELECT option, gpu, provider, country, low_usd_per_million_output_tokens AS low,
                   base_usd_per_million_output_tokens AS usd_per_million_output_tokens,
                   high_usd_per_million_output_tokens AS high, price_as_of_on, price_age_days
            FROM bi.cheapest_today
            WHERE model = ? AND (precision = ? OR option = 'api') AND workload = ?
            ORDER BY place LIMIT 5
            """,
            [model, precision, workload],
        ),
        "break_even": rows(
            connection,
            """
            SELECT server, comparator, comparator_provider || ' ' || comparator_region AS against,
                   rented_usd_per_hour, base_break_even_utilisation_share AS break_even_use,
                   base_payback_months AS payback_months, reason_no_figure, price_age_days, seller_count
            FROM bi.break_even
            WHERE model = ? AND precision = ? AND workload = ? AND window_days = ?
              AND on_date = (SELECT max(on_date) FROM bi.break_even) AND comparator IN ('cheapest', 'market_median', 'dearest')
            ORDER BY server, list_position(['cheapest', 'market_median', 'dearest'], comparator)
            """,
            [model, precision, workload, QUESTION["window_days"]],
        ),
        "files": files(settings),
    }


def files(settings: Settings) -> dict[str, str]:
    """Where the published files lie."""
    folders = settings.folders
    return {
        "duckdb": str(folders.current_file),
        "parquet": str(folders.current / "marts"),
        "dashboard": str(folders.current / "dashboard.html"),
    }


def as_text(facts: Mapping[str, Any]) -> str:
    """The closing summary for a person."""
    sources, question = facts["sources"], facts["question"]
    bundled = [s for s in sources if s["is_bundled"]]
    services = [s for s in sources if not s["is_bundled"]]
    troubled = [s for s in bundled if s["status"] not in _WELL]
    lines = [
        f"Refresh {facts['outcome']} for {facts['as_of']} in {facts.get('seconds', 0)} s: version {facts['version']}",
        "",
        f"Sources: {len(bundled) - len(troubled)} of {len(bundled)} that ship with the project read; services:",
        table_text([shown_source(s) for s in [*services, *troubled]]) if services or troubled else "(none)",
    ]
    if facts["quarantined_rows"]:
        lines.append(f'{facts["quarantined_rows"]} rows are in quarantine: breakeven query "SELECT * FROM ops.quarantine"')
    # The rows themselves stand on the page of health, and in the table that it names.
    lines += [f"Warning, {row['rule']}: {row['detail'].split(' First: ')[0]}" for row in facts["warnings"]]
    lines += kept_lines(facts["kept_marts"])
    lines += [f"Lost: {loss}" for loss in facts.get("lost_snapshots", ())]
    lines += [
        "",
        f"Cheapest ways to a million output tokens: {question['model']} {question['precision']}, {question['workload']}",
        table_text(facts["cheapest"]),
        "",
        "Break-even of an owned server (share of the hours in use), against machines of the same shape on demand:",
        table_text(facts["break_even"]),
        "",
        *(f"{name + ':':<11}{path}" for name, path in facts["files"].items()),
    ]
    return "\n".join(lines)


def kept_lines(kept: Mapping[str, Mapping[str, str]]) -> list[str]:
    """A line for each mart that could not be made."""
    return [f"Kept: {table} is of {facts['as_of']}: {facts['reason']}" for table, facts in kept.items()]


def shown_source(source: Mapping[str, Any]) -> dict[str, Any]:
    """A row of `ops.source_status` as it is shown to a person."""
    newest = source["newest_figure_on"]
    return {
        "source": source["source"],
        "status": source["status"],
        "newest_figure": str(newest) if newest else None,
        "rows": source["row_count"],
        "why": (source["detail"] or "")[:110] or None,
    }
