"""What the shipped file holds and what is left of it: published counts, rates and contracts."""

from datetime import date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.costing.throughput_selection import fastest_within
from pipelines.ingest.parse import unite_feed
from pipelines.platform.paths import MODELS_FOLDER
from pipelines.sources import aiconfigurator_serving as serving
from pipelines.sources import archive_throughput_readings
from pipelines.sources.lib.errors import ParseError
from tests.support.fetching import fetch_context
from tests.support.recorded import MODULES
from tests.support.tables import curated, model
from tests.unit.models.staging.conftest import AS_OF, REFERENCES, measured_lineage

ROWS = 5221


def workload(input_tokens: int = 1024, output_tokens: int = 1024, ttft: float = 2.0, per_token: float = 0.05) -> pl.LazyFrame:
    return pl.LazyFrame(
        {
            "workload": ["chat"],
            "input_tokens": [input_tokens],
            "output_tokens": [output_tokens],
            "ttft_limit_s": [ttft],
            "time_per_output_token_limit_s": [per_token],
        }
    )


def test_nothing_is_lost(shipped_raw: pl.DataFrame, shipped: pl.DataFrame) -> None:
    assert shipped_raw.height == shipped.height == ROWS
    assert shipped.get_column("throughput_id").n_unique() == ROWS


def test_published_counts_of_corrections(shipped: pl.DataFrame) -> None:
    inflated = shipped.filter(pl.col("gpu_count_correction").is_not_null())
    assert inflated.height == 426
    assert (inflated.get_column("gpu_count_stated") / inflated.get_column("gpu_count")).unique().sort().to_list() == [2, 4, 8]
    assert shipped.filter(pl.col("model_correction").is_not_null()).height == 490
    assert set(shipped.filter(pl.col("model_correction").is_not_null()).get_column("model")) == {"DeepSeek-R1"}
    assert shipped.filter(pl.col("precision_correction").is_not_null()).height == 366
    assert shipped.filter(pl.col("model").is_null() | pl.col("gpu").is_null()).is_empty()


def test_only_bf16_has_no_number_format(shipped_raw: pl.DataFrame) -> None:
    bare = shipped_raw.filter(pl.col("gemm_quant_mode").is_null())
    assert bare.equals(shipped_raw.filter(pl.col("moe_quant_mode").is_null()))
    assert bare.get_column("precision_as_named").value_counts().sort("count").rows() == [("bf16", 80), (None, 366)]
    assert shipped_raw.filter(pl.col("precision_as_named").is_null()).height == 366


def test_published_counts_of_exclusions(shipped_raw: pl.DataFrame, shipped: pl.DataFrame) -> None:
    late = shipped.filter(pl.col("ttft_s") > 24)
    assert late.height == 125
    assert late.get_column("exclusion_reason").null_count() == 0
    assert shipped.filter(pl.col("exclusion_reason").str.starts_with("gpt-oss-120b on H100")).height == 9
    no_workers = shipped.filter(pl.col("is_disaggregated") & pl.col("gpu_count").is_null())
    assert no_workers.height == 1328
    assert no_workers.get_column("exclusion_reason").null_count() == 0
    own = [c for c in shipped_raw.columns if c not in ("measurement_id", "measurement_source")]
    assert ROWS - shipped_raw.select(own).n_unique() == 696
    usable = shipped.filter(pl.col("exclusion_reason").is_null()).join(shipped_raw, on="measurement_id", suffix="_raw")
    assert usable.height == usable.select(own).n_unique()
    assert shipped.get_column("exclusion_reason").value_counts().filter(pl.col("exclusion_reason").is_null()).item(0, "count") == 3228


def test_low_confidence(shipped_raw: pl.DataFrame, shipped: pl.DataFrame) -> None:
    low = shipped.filter(pl.col("confidence") == "low").join(shipped_raw, on="measurement_id")
    assert low.filter(pl.col("measurement_source").str.contains("wip=True")).height == 234
    rack = low.filter((pl.col("system_as_named") == "gb200") & (pl.col("serving_mode") == "agg") & (pl.col("gpu_count") >= 12))
    assert rack.height == 55


def test_aggregated_sxm_machines_have_at_most_eight_gpus(shipped: pl.DataFrame) -> None:
    usable = shipped.filter(pl.col("exclusion_reason").is_null() & ~pl.col("is_disaggregated") & pl.col("gpu").str.contains("sxm"))
    assert usable.get_column("gpu_count").max() == 8


@pytest.mark.parametrize(("gpu", "rate"), [("h100-sxm-80", 1098), ("h200-sxm-141", 2740), ("b200-sxm-180", 4215)])
def test_published_rates_of_llama_70b(usable: pl.LazyFrame, gpu: str, rate: float) -> None:
    chosen = fastest_within(usable, workload()).collect()
    row = chosen.filter((pl.col("model") == "Llama-3.1-70B") & (pl.col("precision") == "fp8") & (pl.col("gpu") == gpu))
    assert row.height == 1
    assert row.item(0, "output_tokens_per_second_per_gpu") == pytest.approx(rate, abs=0.5)
    assert row.item(0, "concurrency") == (64 if gpu == "h100-sxm-80" else 128)


def test_contracts_hold(shipped_feed: pl.LazyFrame, shipped: pl.DataFrame, usable: pl.LazyFrame) -> None:
    catalogue().feeds["throughput"].conform(shipped_feed)
    for name, frame in {"throughput_measurement": shipped.lazy(), "throughput": usable}.items():
        contract = catalogue().tables[name]
        contract.conform(frame)
        broken = {r.name: frame.filter(~r.good.fill_null(value=True)).collect().height for r in contract.row_rules()}
        assert {name: count for name, count in broken.items() if count} == {}
        assert frame.select(pl.struct(contract.grain).is_duplicated().any()).collect().item() is False


def test_fetch_yields_the_shipped_file(shipped_bytes: bytes) -> None:
    (payload,) = serving.fetch(None)
    assert payload.content == shipped_bytes
    assert payload.url.startswith("package:")
    assert payload.fetched_at == datetime(2026, 4, 27)


def test_cleaning_table_counts_every_row_once(shipped: pl.DataFrame) -> None:
    sql = (MODELS_FOLDER / "marts" / "throughput_cleaning.sql").read_text(encoding="utf-8")
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA staging")
        connection.register("measurement", shipped.to_arrow())
        connection.execute("CREATE TABLE staging.throughput_measurement AS FROM measurement")
        counts = connection.sql(sql).fetchall()
    handled = {handling: sum(n for _, h, _, n in counts if h == handling) for handling in ("used", "excluded", "corrected")}
    assert handled["used"] + handled["excluded"] == ROWS
    assert handled["corrected"] == 426 + 490 + 366
    assert len({row[:3] for row in counts}) == len(counts)


def test_published_on_is_the_newest_day_that_the_rows_name(shipped_raw: pl.DataFrame) -> None:
    text = shipped_raw.get_column("measurement_source")
    days = [text.str.extract(p).str.to_date("%Y-%m-%d", strict=False).max() for p in (r"measured=(\d{4}-\d\d-\d\d)", r"dump/(\S{10});")]
    assert days == [date(2026, 4, 22), date(2026, 4, 27)]
    assert max(days) == serving.SOURCE.published_on


def test_parse_refuses_other_shapes(shipped_raw: pl.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="not readable as Parquet"):
        serving.parse(b"no parquet")
    shipped_raw.write_parquet(tmp_path / "renamed.parquet")
    with pytest.raises(ParseError, match="columns are"):
        serving.parse((tmp_path / "renamed.parquet").read_bytes())


def test_references_know_every_model_and_device_in_use(shipped: pl.DataFrame) -> None:
    known = curated("reference_model").select("model", "total_parameters", "active_parameters").collect()
    used = shipped.select("model").unique().join(known, on="model", how="left")
    assert used.null_count().sum_horizontal().item() == 0
    aliases = curated("reference_model_alias").select("model").unique()
    assert aliases.join(known.lazy(), on="model", how="anti").collect().is_empty()
    assert shipped.get_column("prefill_roof_tokens_per_second").null_count() == shipped.get_column("gpu_count").null_count()


def test_devices_that_the_sweep_lacks_have_a_dated_measurement_without_a_network() -> None:
    [payload] = archive_throughput_readings.fetch(fetch_context("", []))
    name = "archive_throughput_readings"
    module = MODULES[name]
    fed = unite_feed("throughput", {name: measured_lineage(module.parse(payload.content))}, {name: module}, catalogue())
    inputs = {f"reference_{table}": curated(f"reference_{table}") for table in REFERENCES}
    found = model("staging", "throughput_measurement")(all_throughput=fed, **inputs, as_of=AS_OF).collect()
    measured = found.filter(pl.col("exclusion_reason").is_null() & pl.col("gpu").is_not_null() & pl.col("model").is_not_null())
    assert {
        "a100-sxm-80", "l40s-48", "mi300x-192", "mi325x-256", "mi355x-288", "rtx-pro-6000-workstation-96", "h100-nvl-94",
    } <= set(measured.get_column("gpu"))  # fmt: skip
    of_mi325x = measured.filter(pl.col("gpu") == "mi325x-256").sort("model", "scenario")
    assert of_mi325x.select("model", "scenario", "precision", "gpu_count", "measured_on", "output_tokens_per_second").rows() == [
        ("Llama-2-70B", "MLPerf Offline", "fp8", 8.0, date(2025, 9, 9), 34520.4),
        ("Llama-2-70B", "MLPerf Server", "fp8", 8.0, date(2025, 9, 9), 32027.6),
        ("Mixtral-8x7B", "MLPerf Offline", "fp8", 8.0, date(2025, 9, 9), 68781.4),
        ("Mixtral-8x7B", "MLPerf Server", "fp8", 8.0, date(2025, 9, 9), 59783.6),
    ]
    assert of_mi325x.get_column("source_url").str.contains("inference_results_v5.1").all()
