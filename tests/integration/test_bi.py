"""Schema `bi` as published: commented, typed as declared, also as Parquet, and usable where the file is attached."""

from __future__ import annotations

import duckdb
import pyarrow.parquet as pq
import pytest

from pipelines.catalogue.published_sql import bi_views, macros
from pipelines.decision import reading
from pipelines.decision.local_costs import with_local_costs
from tests.support.cli import Cli

TYPES = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "double": "DOUBLE",
    "decimal": "DECIMAL(18,8)",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}


def test_every_column_and_macro_is_commented_and_typed(published: duckdb.DuckDBPyConnection) -> None:
    found = published.execute(
        "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() WHERE schema_name = 'bi' ORDER BY ALL"
    ).fetchall()
    declared = sorted((v.name, c.name, TYPES[c.type], c.comment) for v in bi_views().values() for c in v.columns)
    assert found == declared and len(found) > 150
    uncommented = "SELECT count(*) FROM duckdb_columns() WHERE schema_name IN ('marts', 'ops', 'bi') AND comment IS NULL"
    assert published.execute(uncommented).fetchall() == [(0,)]
    said = dict(
        published.execute(
            "SELECT DISTINCT function_name, comment FROM duckdb_functions() WHERE schema_name = 'marts' AND NOT internal"
        ).fetchall()
    )
    assert said == {macro.name: macro.comment for macro in macros()}


def test_a_stored_view_has_the_rows_of_its_statement(published: duckdb.DuckDBPyConnection) -> None:
    stored = [view for view in bi_views().values() if view.is_stored]
    assert {"ways", "own_or_rent"} <= {view.name for view in stored}
    for view in stored:
        [(made_of,)] = published.execute(
            "SELECT sql FROM duckdb_views() WHERE schema_name = 'bi' AND view_name = ?", [view.name]
        ).fetchall()
        assert "marts." not in made_of
        for one, other in ((f"FROM bi.{view.name}", f"({view.sql})"), (f"({view.sql})", f"FROM bi.{view.name}")):
            assert published.execute(f"{one} EXCEPT ALL {other}").fetchall() == [], view.name
        assert published.execute(f"FROM bi.{view.name}").fetchall() == published.execute(view.sql).fetchall()


def test_a_site_costs_what_decide_takes(published: duckdb.DuckDBPyConnection) -> None:
    found = {row["electricity_area"]: row for row in published.sql("FROM bi.site_cost").pl().to_dicts()}
    assert {"US", "FR", "EU27_2020", "GB", "CA-QC", "US-VA"} <= found.keys()
    rate = "SELECT max_by(units_per_eur, on_date) FROM marts.fx_rate WHERE currency = 'USD'"
    [(usd_per_eur, as_of)] = published.execute(f"SELECT ({rate}), max(on_date) FROM marts.owned_server_cost").fetchall()
    assumed = reading._assumptions(published)
    for area, row in found.items():
        tariff = reading._electricity(published, area, assumed, usd_per_eur, as_of)
        local = with_local_costs(assumed, area)
        assert row["electricity_usd_per_kwh"] == pytest.approx(tariff.band["base"]), area
        # An assumption has a day here alone.
        assert tariff.on in (None, row["price_as_of_on"]) and tariff.stands_in_for is None, area
        for name in ("colocation_usd_per_kw_month", "staff_usd_per_fte_year"):
            assert row[name] == local[name, None].band["base"], (area, name)


def test_parquet_of_the_views_says_units_and_meaning(archive: Cli, published: duckdb.DuckDBPyConnection) -> None:
    for name, view in bi_views().items():
        schema = pq.read_schema(archive.current / "bi" / f"{name}.parquet")
        assert schema.names == [column.name for column in view.columns]
        for column in view.columns:
            facts = schema.field(column.name).metadata
            assert (facts[b"unit"].decode(), facts[b"description"].decode()) == (column.unit, column.description)
        (rows,) = published.execute(f"SELECT count(*) FROM bi.{name}").fetchall()[0]
        assert pq.read_metadata(archive.current / "bi" / f"{name}.parquet").num_rows == rows > 0, name


@pytest.mark.parametrize("alias", ["breakeven", "prices"])
def test_views_and_macros_work_where_the_file_is_attached(archive: Cli, alias: str) -> None:
    with duckdb.connect() as session:
        session.execute(f"ATTACH '{archive.current / 'breakeven.duckdb'}' AS {alias} (READ_ONLY)")
        for name in bi_views():
            assert session.execute(f"SELECT count(*) FROM {alias}.bi.{name}").fetchall()[0][0] > 0
        assert session.execute(f"SELECT {alias}.marts.break_even_utilisation(10, 2, 42)").fetchall() == [(0.25,)]
        other = "" if alias == "breakeven" else f", warehouse := '{alias}'"
        held = session.execute(f"SELECT count(*) FROM {alias}.marts.price_at('2026-06-15'{other})").fetchall()
        known = session.execute(f"SELECT count(*) FROM {alias}.marts.price_known('2026-06-15', '2026-11-01'{other})").fetchall()
        assert held[0][0] > 0 and known[0][0] > 0


def test_the_parts_of_an_owned_hour_sum_to_it(published: duckdb.DuckDBPyConnection) -> None:
    sums = published.execute(
        """
        SELECT hardware, s.low_fixed_usd_per_hour, s.base_fixed_usd_per_hour, s.high_fixed_usd_per_hour, s.base_variable_usd_per_hour,
               sum(b.low_fixed_usd_per_hour), sum(b.base_fixed_usd_per_hour), sum(b.high_fixed_usd_per_hour),
               sum(b.base_variable_usd_per_hour),
               sum(fixed_cost_share), count(*)
        FROM bi.owned_cost_breakdown AS b
        INNER JOIN marts.owned_server_cost AS s USING (on_date, hardware, electricity_area)
        GROUP BY ALL
        """
    ).fetchall()
    assert len(sums) >= 5
    for _, low, base, high, variable, *parts, share, count in sums:
        assert parts == pytest.approx([low, base, high, variable], rel=1e-9)
        assert (share, count) == (pytest.approx(1), 5)


def test_a_server_is_owned_where_its_group_is(published: duckdb.DuckDBPyConnection) -> None:
    asked = """
        SELECT DISTINCT country_group, own_electricity_area FROM bi.own_or_rent
        WHERE own_server IS NOT NULL AND country_group IN ('world', 'EU', 'FR', 'US')
    """
    assert set(published.execute(asked).fetchall()) == {("world", "US"), ("EU", "EU27_2020"), ("FR", "FR"), ("US", "US")}
    # Of the hour that bi.owned_cost_by_area says, and where the mart itself has one, of that.
    wrong = """
        SELECT w.country_group, w.model FROM bi.ways AS w
        INNER JOIN bi.owned_cost_by_area AS h ON h.gpu = w.gpu AND h.electricity_area = w.country AND h.gpu_count = 8
        WHERE w.way = 'own' AND abs(
            (h.base_fixed_usd_per_hour + w.utilisation_share * h.base_variable_usd_per_hour) / 8 / w.base_usd_per_gpu_hour - 1
        ) > 1e-6
    """
    assert published.execute(wrong).fetchall() == []
    same = """
        SELECT count(*), max(abs(h.base_fixed_usd_per_hour / s.base_fixed_usd_per_hour - 1)) < 1e-9
        FROM bi.owned_cost_by_area AS h INNER JOIN marts.owned_server_cost AS s USING (on_date, hardware, electricity_area)
    """
    [(servers, agrees)] = published.execute(same).fetchall()
    assert servers > 5 and agrees


def test_the_answer_is_the_cheapest_way(published: duckdb.DuckDBPyConnection) -> None:
    wrong = published.execute(
        """
        SELECT * FROM bi.own_or_rent
        WHERE base_usd_per_million_output_tokens IS DISTINCT FROM least(
            own_usd_per_million_output_tokens, rent_usd_per_million_output_tokens, commit_usd_per_million_output_tokens,
            buy_usd_per_million_output_tokens
        ) OR saving_share < 0 OR (rival_answer IS NULL) <> (saving_share IS NULL) OR (seller_count = 0) <> (sellers IS NULL)
          OR (break_even_utilisation_share < utilisation_share AND answer <> 'own' AND rent_usd_per_million_output_tokens IS NOT NULL
              AND commit_usd_per_million_output_tokens IS NULL)
        """
    ).fetchall()
    assert wrong == []
    assert (
        published.execute("SELECT count(*) FROM bi.own_or_rent WHERE country_group = 'world' AND rival_answer IS NOT NULL").fetchall()[0][0]
        > 20
    )


def test_a_price_that_stayed_is_no_move(published: duckdb.DuckDBPyConnection) -> None:
    assert published.execute("SELECT count(*) FROM bi.what_moved WHERE abs(change_ratio) <= 0.0005").fetchall() == [(0,)]
    assert published.execute("SELECT count(*) FROM bi.what_moved").fetchall()[0][0] > 50


def test_sovereignty_and_the_market_count_the_same_sellers(published: duckdb.DuckDBPyConnection) -> None:
    both = """
        FROM bi.sovereignty AS s INNER JOIN bi.market_today AS m
            ON m.gpu = s.gpu AND m.purchase_option = s.option AND m.trust_group = 'professional' AND m.country_group = CASE s.requirement
                WHEN 'anywhere' THEN 'world' WHEN 'in_the_eu' THEN 'EU' WHEN 'in_france' THEN 'FR' END
    """
    differ = f"""
        SELECT s.gpu, s.option, s.requirement {both}
        WHERE s.seller_count <> m.seller_count OR abs(s.least_usd_per_gpu_hour / m.cheapest_usd_per_gpu_hour - 1) > 1e-6
            OR abs(s.median_usd_per_gpu_hour / m.median_usd_per_gpu_hour - 1) > 1e-6
    """
    assert published.execute(differ).fetchall() == []
    assert published.execute(f"SELECT count(DISTINCT s.requirement), count(*) > 20 {both}").fetchall() == [(3, True)]


def test_a_requirement_that_nobody_meets_is_said(published: duckdb.DuckDBPyConnection) -> None:
    asked = """
        SELECT count(*), count(DISTINCT requirement), count(*) FILTER (seller_count = 0 AND requirement = 'anywhere'),
               count(*) FILTER ((seller_count = 0) <> (least_usd_per_gpu_hour IS NULL)), count(DISTINCT (gpu, option))
        FROM bi.sovereignty
    """
    [(rows, requirements, nowhere, inconsistent, markets)] = published.execute(asked).fetchall()
    assert (requirements, nowhere, inconsistent, rows) == (7, 0, 0, 7 * markets)


def test_what_stands_in_the_eu_is_said_where_it_is_certain(published: duckdb.DuckDBPyConnection) -> None:
    found = published.execute(
        "SELECT DISTINCT country, countries, is_in_the_eu FROM bi.price_today WHERE country IS NOT NULL OR countries IS NOT NULL"
    ).fetchall()
    union = set(published.execute("SELECT marts.eu_countries()").fetchall()[0][0])
    for country, countries, is_in_the_eu in found:
        may_be = set((country or countries).split(", "))
        assert is_in_the_eu is (True if may_be <= union else None if may_be & union else False), (country, countries)
    assert {is_in_the_eu for *_, is_in_the_eu in found} == {True, False, None}
    unknown = "SELECT count(*) FROM bi.price_today WHERE country IS NULL AND countries IS NULL AND is_in_the_eu IS NOT NULL"
    assert published.execute(unknown).fetchall() == [(0,)]


def test_the_ways_are_those_of_the_answer(published: duckdb.DuckDBPyConnection) -> None:
    differ = """
        SELECT * FROM bi.ways AS w INNER JOIN bi.own_or_rent AS o USING (country_group, model, precision, workload)
        WHERE w.place = 1 AND (w.base_usd_per_million_output_tokens, w.option) <> (o.base_usd_per_million_output_tokens, o.option)
    """
    assert published.execute(differ).fetchall() == []
    asked = "SELECT count(*) FILTER (way = 'spot'), count(*) FILTER (way = 'on_demand'), bool_and(price_age_days IS NOT NULL) FROM bi.ways"
    spot, on_demand, dated = published.execute(asked).fetchall()[0]
    assert spot > 5 and on_demand > 5 and dated
