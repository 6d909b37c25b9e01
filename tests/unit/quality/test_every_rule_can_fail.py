"""Every rule of the page of rules has an input here that breaks it; a rule without one fails these tests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import duckdb
import polars as pl
import pytest

from pipelines.catalogue.contracts import Contract, catalogue
from pipelines.catalogue.rules import RowRule
from pipelines.platform.paths import SQL_FOLDER
from pipelines.quality import source_rules
from pipelines.quality.documentation import PATH, every_rule, render
from pipelines.quality.results import RuleResult, anchor, as_check_results
from pipelines.quality.row_rules import check_rows
from pipelines.quality.sql_checks import load_sql_checks

CHECKS = load_sql_checks(SQL_FOLDER / "checks")
TABLES = {c.table: c for layer in ("raw", "staging", "marts") for c in catalogue().layer(layer)}
ROW_RULES = [(c, rule) for c in TABLES.values() for rule in c.row_rules()]
BAND = {"least_usd_per_gpu_hour": Decimal("0.8"), "greatest_usd_per_gpu_hour": Decimal(15)}
DAY, NEXT = dt.datetime(2026, 6, 1), dt.datetime(2026, 6, 2)

# A row that breaks the rule, and one like it that keeps it.
QUARTILES = [f"{name}_usd_per_gpu_hour" for name in ("cheapest", "p25", "median", "p75", "dearest")]
JUDGED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "raw.aws_instance_types.type_is_in_our_table": ({"is_in_our_table": False}, {"is_in_our_table": True}),
    "raw.aws_spot_advisor.band_is_known": (
        {"least_interrupted_share_per_month": None, "greatest_interrupted_share_per_month": None},
        {"least_interrupted_share_per_month": 0.2, "greatest_interrupted_share_per_month": None},
    ),
    "raw.aws_spot.plain_linux": ({"product_description": "Windows"}, {"product_description": "Linux/UNIX"}),
    "raw.azure_retail.asked_for_dollars": ({"currency": "EUR"}, {"currency": "USD"}),
    "raw.azure_retail.dates_can_be_read": ({"native_amount": "6.98 with effective_end soon"}, {"native_amount": "6.98"}),
    "raw.offer.dates_can_be_read": ({"native_amount": "6.98 with ends_on soon"}, {"native_amount": "6.98"}),
    "raw.token_offer.end_is_a_day": (
        {"price_remark": "served in fp8; until '2026-13-01'"},
        {"price_remark": "served in fp8; until 2026-12-01"},
    ),
    "raw.mlperf_inference.round_is_known": ({"benchmark_round": "v9.9"}, {"benchmark_round": "v5.1"}),
    "raw.gpu_rental_prices.amount_is_a_number": ({"native_amount": "on request"}, {"native_amount": "2.49"}),
    "raw.gpu_rental_prices.read_before_it_was_fetched": (
        {"read_at": dt.datetime(2026, 6, 3), "fetched_at": DAY},
        {"read_at": DAY, "fetched_at": NEXT},
    ),
    "raw.skypilot_catalog.read_before_it_was_fetched": (
        {"read_at": dt.datetime(2026, 6, 3), "fetched_at": DAY},
        {"read_at": DAY, "fetched_at": NEXT},
    ),
    "raw.offer.read_before_it_was_fetched": (
        {"read_on": dt.date(2026, 6, 3), "fetched_at": DAY},
        {"read_on": dt.date(2026, 6, 1), "fetched_at": NEXT},
    ),
    "raw.azure_retail.product_is_of_a_known_form": ({"product_name": "NC Gaming"}, {"product_name": "Virtual Machines NC Series"}),
    "marts.market_price.every_seller_has_an_offer": (
        {"offer_count": 1, "seller_count": 2, "last_known_seller_count": 0},
        {"offer_count": 2, "seller_count": 2, "last_known_seller_count": 1},
    ),
    "marts.market_price.quartiles_in_order": (
        dict(zip(QUARTILES, (1.0, 3.0, 2.0, 4.0, 5.0), strict=True)),
        dict(zip(QUARTILES, (1.0, 2.0, 2.0, 4.0, 5.0), strict=True)),
    ),
    "raw.electricity_reading.nobody_is_paid_to_use_it": (
        {"consumer_class": "non_household", "native_per_kwh": "0"},
        {"consumer_class": "wholesale_day_ahead", "native_per_kwh": "-0.01"},
    ),
    "raw.electricity_reading.within_the_limits_of_exchanges": ({"native_per_kwh": "41.2"}, {"native_per_kwh": "-0.5"}),
    "raw.reference_electricity_quote.nobody_is_paid_to_use_it": (
        {"consumer_class": "non_household", "native_per_kwh": "-0.01"},
        {"consumer_class": "non_household", "native_per_kwh": "0.01"},
    ),
    "marts.electricity_price.nobody_is_paid_to_use_it": (
        {"consumer_class": "non_household", "native_per_kwh": 0.0},
        {"consumer_class": "wholesale_day_ahead", "native_per_kwh": -0.01},
    ),
    "raw.offer.machine_is_whole": ({"native_amount": "without A3 Instance Ram"}, {"native_amount": "92.456"}),
    "staging.price_observation.placeholder_is_no_price": (
        {"gpu_as_named": "B300 (imputed)", "source_detail": "a list"},
        {"gpu_as_named": "B300", "source_detail": "transcription of derived/csv/prices.csv, no estimates"},
    ),
    "staging.throughput_measurement.estimate_is_marked": (
        {"source_detail": "Projected from H100", "is_estimated": False},
        {"source_detail": "Projected from H100", "is_estimated": True},
    ),
    "raw.token_offer.amounts_are_numbers": (
        {"native_per_million_input_tokens": "0.5", "native_per_million_output_tokens": '{"units": 1, "nanos": -150000000}'},
        {"native_per_million_input_tokens": "0.5", "native_per_million_output_tokens": "1"},
    ),
    "raw.offer.amount_is_a_number": ({"native_amount": "-5"}, {"native_amount": "2.95"}),
    "raw.reference_cost_assumption.pue_is_that_of_a_data_centre": (
        {"assumption": "pue", "low": 0.9, "high": 1.8},
        {"assumption": "pue", "low": 1.0, "high": 2.5},
    ),
    "raw.reference_cost_assumption.share_is_a_share": (
        {"assumption_unit": "share of server price", "low": 10.0, "high": 23.0},
        {"assumption_unit": "share of server price", "low": 0.0, "high": 1.0},
    ),
    "raw.reference_cost_assumption.packing_is_above_none": (
        {"assumption": "whole_machine_packing_share", "low": 0.0},
        {"assumption": "packing_share", "low": 0.05},
    ),
    "raw.reference_cost_assumption.band_in_order": ({"low": 2.0, "base": 1.0, "high": 3.0}, {"low": 1.0, "base": 1.0, "high": 3.0}),
    "raw.reference_provider_fact.verified_has_a_source": ({"is_verified": True}, {"is_verified": False}),
    "raw.reference_region_certification.verified_has_a_source": ({"is_verified": True}, {"is_verified": False}),
    "staging.currency_rate_reading.near_its_neighbours": ({"rate_to_neighbours_ratio": 1.11}, {"rate_to_neighbours_ratio": 1.09}),
    "staging.currency_rate_reading.agrees_with_the_second_source": (
        {"rate_to_second_source_ratio": 1.002},
        {"rate_to_second_source_ratio": 1.0005},
    ),
    "staging.currency_rate_reading.near_the_last_of_the_second_source": (
        {"rate_to_last_second_ratio": 10.0, "second_source_age_days": 27},
        {"rate_to_last_second_ratio": 1.13, "second_source_age_days": 27},
    ),
    "staging.currency_rate_reading.is_not_revised": ({"is_superseded": True}, {"is_superseded": False}),
    "staging.price_observation.priced_in_usd": ({}, {"usd_per_hour": Decimal(1)}),
    "staging.price_observation.gpu_hour_in_range": ({"usd_per_gpu_hour": Decimal(9999)}, {"usd_per_gpu_hour": Decimal(2)}),
    "staging.price_observation.outside_the_band_of_the_device": (
        {"usd_per_gpu_hour": Decimal("0.39"), **BAND},
        {"usd_per_gpu_hour": Decimal("22.5"), **BAND},
    ),
    "staging.price_observation.far_from_own_past": (
        {"own_series_count": 5, "price_to_own_ratio": 5.1},
        {"own_series_count": 4, "price_to_own_ratio": 5.1},
    ),
    "staging.price_observation.far_from_median": (
        {"median_seller_count": 5, "price_to_median_ratio": 5.1},
        {"median_seller_count": 5, "price_to_median_ratio": 5.0},
    ),
    "staging.price_observation.far_from_few": (
        {"median_seller_count": 4, "price_to_median_ratio": 5.1},
        {"median_seller_count": 4, "price_to_median_ratio": 5.0},
    ),
    "raw.reference_gpu_price_band.band_in_order": (
        {"least_usd_per_gpu_hour": "2", "greatest_usd_per_gpu_hour": "1"},
        {"least_usd_per_gpu_hour": "1", "greatest_usd_per_gpu_hour": "2"},
    ),
    "staging.price_observation.spot_not_above_on_demand": (
        {"purchase_option": "spot", "native_amount": Decimal(2), "on_demand_native_amount": Decimal(1)},
        {"purchase_option": "spot", "native_amount": Decimal("9.9898"), "on_demand_native_amount": Decimal("9.98976")},
    ),
    "staging.price_observation.commitment_not_above_on_demand": (
        {"purchase_option": "commitment", "native_amount": Decimal(2), "on_demand_native_amount": Decimal(1)},
        {"purchase_option": "commitment", "native_amount": Decimal(1), "on_demand_native_amount": Decimal(1)},
    ),
    "staging.price_observation.commitment_saves": (
        {"purchase_option": "commitment", "native_amount": Decimal(1), "on_demand_native_amount": Decimal(1)},
        {"purchase_option": "commitment", "native_amount": Decimal("0.9"), "on_demand_native_amount": Decimal(1)},
    ),
    "staging.price_observation.memory_fits_the_device": ({"is_gpu_conflict": True}, {"is_gpu_conflict": False}),
    "staging.price_observation.correction_is_still_needed": ({"is_correction_obsolete": True}, {"is_correction_obsolete": False}),
    "raw.reference_price_correction.corrects_something": ({"expect": "a", "corrected": "a"}, {"expect": "a", "corrected": "b"}),
    "raw.reference_price_correction.ends_after_it_begins": (
        {"holds_from_on": dt.date(2026, 1, 2), "holds_until_on": dt.date(2026, 1, 2)},
        {"holds_from_on": dt.date(2026, 1, 2), "holds_until_on": dt.date(2026, 1, 3)},
    ),
    "staging.price_observation.one_amount_at_once": ({"amount_count": 2}, {"amount_count": 1}),
    "staging.price_observation.commitment_has_months": (
        {"purchase_option": "commitment"},
        {"purchase_option": "commitment", "commitment_months": 3},
    ),
    "staging.throughput_measurement.usable_row_is_complete": ({}, {"exclusion_reason": "not stated"}),
    "staging.token_price_observation.input_price_in_range": (
        {"usd_per_million_input_tokens": Decimal(15000)},
        {"usd_per_million_input_tokens": Decimal(1)},
    ),
    "staging.token_price_observation.output_price_in_range": (
        {"usd_per_million_output_tokens": Decimal("0.0001")},
        {"usd_per_million_output_tokens": Decimal(1)},
    ),
    "staging.token_price_observation.near_other_sellers": ({"price_to_sellers_ratio": 11.0}, {"price_to_sellers_ratio": 9.0}),
    "staging.token_price_observation.input_near_other_sellers": (
        {"input_price_to_sellers_ratio": 0.013},
        {"input_price_to_sellers_ratio": 0.09},
    ),
    "staging.token_price_observation.cached_input_not_above_input": (
        {"model": "m", "usd_per_million_cached_input_tokens": Decimal(75), "usd_per_million_input_tokens": Decimal("0.15")},
        {"model": "m", "usd_per_million_cached_input_tokens": Decimal("0.15"), "usd_per_million_input_tokens": Decimal("0.15")},
    ),
    "staging.token_price_observation.cached_and_batch_of_one_order": (
        {"model": "m", "usd_per_million_batch_output_tokens": Decimal("0.0004"), "usd_per_million_output_tokens": Decimal("0.8")},
        {"model": "m", "usd_per_million_cached_input_tokens": Decimal("0.003"), "usd_per_million_input_tokens": Decimal("0.15")},
    ),
    "staging.token_price_observation.input_and_output_of_one_order": (
        {"model": "m", "usd_per_million_input_tokens": Decimal(880), "usd_per_million_output_tokens": Decimal("0.88")},
        {"model": "m", "usd_per_million_input_tokens": Decimal("0.2"), "usd_per_million_output_tokens": Decimal("0.88")},
    ),
    "staging.token_price_observation.batch_not_above_standard": (
        {"model": "m", "usd_per_million_batch_output_tokens": Decimal(2), "usd_per_million_output_tokens": Decimal(1)},
        {"model": "m", "usd_per_million_batch_output_tokens": Decimal("0.5"), "usd_per_million_output_tokens": Decimal(1)},
    ),
    "marts.break_even.a_figure_or_a_reason": ({}, {"reason_no_figure": "no price"}),
    "marts.cost_per_token.band_in_order": (
        {f"{end}_usd_per_million_output_tokens": value for end, value in (("low", 2.0), ("base", 1.0), ("high", 3.0))},
        {f"{end}_usd_per_million_output_tokens": value for end, value in (("low", 1.0), ("base", 1.0), ("high", 3.0))},
    ),
    "marts.cost_per_token.harmonic_identity": (
        {f"base_usd_per_million_{kind}_tokens": value for kind, value in (("total", 0.3), ("input", 0.182), ("output", 1.452))},
        {f"base_usd_per_million_{kind}_tokens": value for kind, value in (("total", 1.0), ("input", 2.0), ("output", 2.0))},
    ),
    "marts.cost_per_token.a_figure_or_a_reason": ({}, {"reason_no_figure": "no price"}),
    "marts.gpu_price_rolling.mean_between_extremes": (
        {"mean_usd_per_gpu_hour": 3.0, "min_usd_per_gpu_hour": 1.0, "max_usd_per_gpu_hour": 2.0},
        {"mean_usd_per_gpu_hour": 1.5, "min_usd_per_gpu_hour": 1.0, "max_usd_per_gpu_hour": 2.0},
    ),
    "marts.hardware_price.band_in_order": (
        {"low_usd": 2.0, "base_usd": 1.0, "high_usd": 3.0},
        {"low_usd": 1.0, "base_usd": 1.0, "high_usd": 3.0},
    ),
    "marts.owned_server_cost.band_in_order": (
        {f"{end}_fixed_usd_per_hour": value for end, value in (("low", 2.0), ("base", 1.0), ("high", 3.0))},
        {f"{end}_fixed_usd_per_hour": value for end, value in (("low", 1.0), ("base", 1.0), ("high", 3.0))},
    ),
    "marts.owned_server_cost.a_figure_or_a_reason": ({}, {"reason_no_figure": "no price"}),
    "marts.price_history.per_gpu_times_count_is_per_machine": (
        {"usd_per_gpu_hour": 98.32, "gpu_count": 8.0, "usd_per_hour": 98.32},
        {"usd_per_gpu_hour": 12.29, "gpu_count": 8.0, "usd_per_hour": 98.32},
    ),
    "marts.price_history_versions.known_for_a_while": (
        {"known_from": DAY, "known_to": DAY},
        {"known_from": DAY, "known_to": NEXT},
    ),
    "marts.price_history_versions.interval_is_not_empty": (
        {"valid_from": DAY, "valid_to": DAY},
        {"valid_from": DAY, "valid_to": NEXT},
    ),
    "marts.rented_price.band_in_order": (
        {f"{end}_usd_per_gpu_hour": value for end, value in (("low", 2.0), ("base", 1.0), ("high", 3.0))},
        {f"{end}_usd_per_gpu_hour": value for end, value in (("low", 1.0), ("base", 1.0), ("high", 3.0))},
    ),
    "marts.rented_price.age_is_not_negative": ({"price_age_days": -1}, {"price_age_days": 0}),
}

# Tables of marts that a query of sql/checks finds fault with.
BROKEN_TABLES: dict[str, dict[str, str]] = {
    "commitment_is_not_dearer_for_longer": {
        "price_history": "SELECT 'aws' AS provider, 'r' AS region, 't' AS instance_type, 'linux' AS operating_system, 'shared' AS tenancy,"
        " NULL::VARCHAR AS payment_option, m AS commitment_months, m::DOUBLE AS usd_per_hour, NULL::TIMESTAMP AS valid_to"
        " FROM (VALUES (12), (36)) AS t(m)"
    },
    "every_figure_can_be_traced": {
        "cost_per_token": "SELECT DATE '2026-06-01' AS on_date, 'rent' AS option, 'm' AS model, 'gone' AS price_series_id,"
        " NULL::VARCHAR AS throughput_id, 1.0 AS base_usd_per_million_output_tokens, NULL AS reason_no_figure, 's' AS price_source",
        "price_history": "SELECT 'there' AS series_id",
        "throughput": "SELECT 'there' AS throughput_id",
    },
    "low_base_high_are_in_order": {
        "cost_per_token": "SELECT DATE '2026-06-01' AS on_date, 'rent' AS option, 'm' AS model, 2.0 AS low_usd_per_million_output_tokens,"
        " 1.0 AS base_usd_per_million_output_tokens, 3.0 AS high_usd_per_million_output_tokens"
    },
    "no_price_is_shown_as_newer_than_it_is": dict.fromkeys(
        ("cost_per_token", "break_even"),
        "SELECT DATE '2026-06-01' AS on_date, 's' AS price_series_id, DATE '2026-06-02' AS price_as_of_on, 1 AS price_age_days",
    ),
    "price_intervals_do_not_overlap": {
        "price_history": "SELECT 's' AS series_id, d::TIMESTAMP AS valid_from, NULL::TIMESTAMP AS valid_to"
        " FROM (VALUES (DATE '2026-06-01'), (DATE '2026-06-02')) AS t(d)"
    },
    "rolling_mean_lies_between_least_and_greatest": {
        "gpu_price_rolling": "SELECT 's' AS series_id, DATE '2026-06-01' AS on_date, 30 AS window_days, 3.0 AS mean_usd_per_gpu_hour,"
        " 1.0 AS min_usd_per_gpu_hour, 2.0 AS max_usd_per_gpu_hour, 1.5 AS last_usd_per_gpu_hour"
    },
    "rolling_windows_nest": {
        "gpu_price_rolling": "SELECT 's' AS series_id, DATE '2026-06-01' AS on_date, w AS window_days, w::DOUBLE AS min_usd_per_gpu_hour,"
        " 9.0 AS max_usd_per_gpu_hour FROM (VALUES (7), (30)) AS t(w)"
    },
}

ANOMALY = "SELECT '{kind}' AS anomaly_kind, DATE '2026-06-01' AS on_date, 'p' AS provider, 's' AS source, 1 AS series_count,"
ANOMALY += " 2.0 AS price_ratio, 'found' AS detail"
DAY_OF_VERSION = "SELECT DATE '2026-06-01' AS on_date"
# The winner of the day before is only last known on the next, at the same price, and another takes its place.
WINNER = (
    "SELECT d AS on_date, 30 AS window_days, 'm' AS model, 'fp8' AS precision, 'w' AS workload, 'spot' AS option, p AS provider,"
    " 'US' AS country, 'g' AS gpu, u AS base_usd_per_million_output_tokens, b AS price_basis, DATE '2026-05-01' AS price_as_of_on,"
    " 30 AS price_age_days FROM (VALUES (DATE '2026-05-31', 'old', 1.0, 'window'), (DATE '2026-05-31', 'other', 2.0, 'window'),"
    " (DATE '2026-06-01', 'old', 3.0, 'last_known'), (DATE '2026-06-01', 'other', 2.0, 'window')) AS t(d, p, u, b)"
)
BROKEN_TABLES |= {
    "electricity_prices_expire_soon": {
        "electricity_price": "SELECT 'FR' AS area, 'non_household' AS consumer_class, DATE '2025-06-30' AS period_to_on",
        "owned_server_cost": DAY_OF_VERSION,
    },
    "inputs_stay_near_their_past": {
        "electricity_price": "SELECT 'FR' AS area, 'non_household' AS consumer_class, d AS period_to_on, NULL::DATE AS source_on,"
        " p::DOUBLE AS usd_per_kwh FROM (VALUES (DATE '2025-06-30', 0.1), (DATE '2025-12-31', 0.1)) AS t(d, p)",
        "token_price": "SELECT 'seller' AS provider, 'llama' AS model_as_named, 's' AS source, 'm' AS model, d AS valid_from_on,"
        " 1.0 AS usd_per_million_input_tokens, 2.0 AS usd_per_million_output_tokens, c AS usd_per_million_cached_input_tokens,"
        " NULL::DOUBLE AS usd_per_million_batch_input_tokens, NULL::DOUBLE AS usd_per_million_batch_output_tokens"
        " FROM (VALUES (NULL::DATE, 0.1), (DATE '2026-03-01', 1.1)) AS t(d, c)",
        "assumption_reading": "SELECT 'pue' AS assumption, 'world' AS scope, 1.56 AS base, DATE '2024-12-31' AS period_to_on",
        "cost_assumption": "SELECT 'pue' AS assumption, 1.54 AS base",
        "hardware_price": "SELECT '8x-h100' AS hardware, 'server' AS hardware_kind, DATE '2026-01-15' AS price_on, 250000.0 AS base_usd",
        "throughput": "SELECT 'llama' AS model, 'fp8' AS precision, 'h100' AS gpu, 8 AS gpu_count, 'vllm' AS engine,"
        " FALSE AS is_disaggregated, 1024 AS input_tokens, 1024 AS output_tokens, 64 AS concurrency, NULL AS scenario,"
        " DATE '2026-01-15' AS measured_on, 100.0 AS output_tokens_per_second_per_gpu",
    },
    "h100_prices_are_recent": {
        "price_today": "SELECT 'h100-sxm-80' AS gpu, 'on_demand' AS purchase_option, DATE '2026-03-01' AS price_as_of_on,"
        " 92 AS price_age_days"
    },
    "no_winner_changes_by_age": {"cost_per_token": WINNER},
    "server_quotes_expire_soon": {
        "hardware_price": "SELECT '8x-h100' AS hardware, 'server' AS hardware_kind, DATE '2025-07-01' AS price_on",
        "owned_server_cost": DAY_OF_VERSION,
    },
    "prices_move_as_before": {"price_anomaly": ANOMALY.format(kind="shift")},
    "every_machine_has_its_accelerator": {"price_anomaly": ANOMALY.format(kind="unmapped")},
    "sources_agree_on_prices": {
        "price_disagreement": "SELECT 'aws' AS provider, 'r' AS region, 't' AS instance_type, 'a' AS source, 'b' AS other_source,"
        " 1.0 AS usd_per_gpu_hour, 2.0 AS other_usd_per_gpu_hour"
    },
}

BROKEN_SOURCES: dict[str, Callable[[], RuleResult]] = {
    "snapshot_is_good": lambda: source_rules.unusable_snapshot("ParseError: no rows"),
    "payloads_can_be_read": lambda: source_rules.payloads_can_be_read("page 2: ParseError", count=1, rows=10),
    "rows_at_least": lambda: source_rules.rows_at_least(least=10, rows=2),
    "row_count_against_last": lambda: source_rules.row_count_against_last(before=10, now=6),
    "not_suddenly_empty": lambda: source_rules.not_suddenly_empty(rows=0, before=10, as_of_before="2026-06-01"),
    "can_be_made": lambda: source_rules.could_not_be_made(rows=7, as_of_before="2026-06-01", why="ValueError: x"),
    "near_its_last_release": lambda: one(
        source_rules.near_its_last_release(
            TABLES["raw.reference_workload"],
            row(TABLES["raw.reference_workload"], {"workload": "w", "utilisation_share": 0.4}),
            row(TABLES["raw.reference_workload"], {"workload": "w", "utilisation_share": 40.0}),
        )
    ),
    "figure_count_against_last": lambda: source_rules.figure_count_against_last(before=10, now=6),
    "gives_a_figure": lambda: source_rules.gives_a_figure(rows=10, usable=0),
}


def one(verdicts: list[RuleResult]) -> RuleResult:
    (verdict,) = verdicts
    return verdict


def row(contract: Contract, values: dict[str, Any]) -> pl.DataFrame:
    """One row that is unknown but for these values."""
    schema = contract.polars_schema()
    return pl.DataFrame({name: pl.Series([values.get(name)], dtype=kind) for name, kind in schema.items()})


def derived_bad_value(contract: Contract, rule: RowRule) -> tuple[str, Any]:
    """The column that a derived rule looks at, with a value that breaks it."""
    column = next(c for c in contract.columns if rule.name.startswith(f"{c.name}_") and rule.name.removeprefix(f"{c.name}_") in ENDINGS)
    return column.name, ENDINGS[rule.name.removeprefix(f"{column.name}_")](column)


ENDINGS: dict[str, Callable[[Any], Any]] = {
    "not_null": lambda _: None,
    "finite": lambda _: float("nan"),
    "minimum": lambda c: (Decimal if c.type == "decimal" else int if c.type == "integer" else float)(c.minimum - 1),
    "above": lambda c: (Decimal if c.type == "decimal" else int if c.type == "integer" else float)(c.exclusive_minimum),
    "maximum": lambda c: (Decimal if c.type == "decimal" else int if c.type == "integer" else float)(c.maximum + 1),
    "allowed": lambda _: "no such word",
    "pattern": lambda _: "\n",
}


@pytest.mark.parametrize(("contract", "rule"), [pytest.param(c, r, id=f"{c.table}.{r.name}") for c, r in ROW_RULES])
def test_every_row_rule_is_broken_by_its_bad_row(contract: Contract, rule: RowRule) -> None:
    if rule.name == "key_is_unique":
        good, bad = row(contract, {}), pl.concat([row(contract, {})] * 2)
    elif rule.is_derived:
        name, value = derived_bad_value(contract, rule)
        bad = row(contract, {name: value})
        good = None if rule.name.endswith("_not_null") else row(contract, {})
    else:
        assert f"{contract.table}.{rule.name}" in JUDGED, "give the rule a bad row and a good one in JUDGED"
        bad, good = (row(contract, values) for values in JUDGED[f"{contract.table}.{rule.name}"])
    assert bad.select(rule.broken).to_series().all()
    assert good is None or not good.select(rule.broken).to_series().any()


def test_no_bad_row_is_left_of_a_rule_that_is_gone() -> None:
    assert {f"{c.table}.{r.name}" for c, r in ROW_RULES if not r.is_derived} == JUDGED.keys()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_every_sql_check_finds_its_broken_tables(check: Any) -> None:
    assert check.name in BROKEN_TABLES, "give the check tables that break it in BROKEN_TABLES"
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA marts")
        connection.execute("SET VARIABLE as_of = DATE '2026-06-01'")
        for name, sql in BROKEN_TABLES[check.name].items():
            connection.execute(f"CREATE TABLE marts.{name} AS {sql}")
        assert connection.execute(f"SELECT count(*) FROM ({check.sql})").fetchall() != [(0,)]
        for name in BROKEN_TABLES[check.name]:
            connection.execute(f"DELETE FROM marts.{name}")
        assert connection.execute(f"SELECT count(*) FROM ({check.sql})").fetchall() == [(0,)]


@pytest.mark.parametrize("rule", source_rules.SOURCE_RULES, ids=lambda rule: rule.name)
def test_every_source_rule_can_fail(rule: source_rules.SourceRule) -> None:
    if rule.name == "must_have":
        contract = TABLES["raw.azure_retail"]
        assert contract.must_have is not None
        (verdict,) = source_rules.must_have(contract, row(contract, {}))
    else:
        verdict = BROKEN_SOURCES[rule.name]()
    assert (verdict.rule, verdict.passed, verdict.severity, verdict.declared_effect) == (rule.name, False, rule.severity, rule.effect)
    assert verdict.failing_count > 0


def test_too_large_a_share_of_bad_rows_rejects_the_rest() -> None:
    contract = TABLES["staging.price_observation"]
    checked = check_rows(contract, row(contract, {}).lazy(), may_quarantine=True, share_effect="set_aside")
    assert checked.rejects and not checked.blocks and checked.quarantined.height == 1


def test_the_page_of_rules_is_up_to_date_and_names_every_rule_once() -> None:
    rules = list(every_rule(catalogue(), CHECKS))
    anchors = [anchor(rule.table, rule.rule) for rule in rules]
    assert len(anchors) == len(set(anchors))
    assert all(rule.reason for rule in rules)
    assert PATH.read_text() == render(rules), "run make docs"


def test_severity_and_effect_are_recorded_as_declared() -> None:
    contract = TABLES["staging.price_observation"]
    bad = row(contract, {"median_seller_count": 5, "price_to_median_ratio": 6.0, "usd_per_hour": Decimal(1)})
    recorded = {r["rule"]: r for r in as_check_results(contract.table, check_rows(contract, bad.lazy(), may_quarantine=True).results)}
    far = recorded["far_from_median"]
    assert (far["severity"], far["effect"], far["is_passed"], far["failing_count"]) == ("critical", "quarantined", False, 1)
    assert far["rule_reference"] == "docs/quality-rules.md#staging.price_observation.far_from_median"
    assert recorded["commitment_saves"]["effect"] == "warned"
    assert recorded["gpu_hour_in_range"]["unknown_count"] == 1


def test_a_row_that_nothing_could_judge_is_counted() -> None:
    contract = TABLES["staging.price_observation"]
    unknown = row(contract, {"usd_per_hour": Decimal(1), "purchase_option": None})
    judged = row(contract, {"usd_per_hour": Decimal(1), "usd_per_gpu_hour": Decimal(1)})
    assert check_rows(contract, pl.concat([unknown, judged]).lazy(), may_quarantine=True).not_judged_count == 1
