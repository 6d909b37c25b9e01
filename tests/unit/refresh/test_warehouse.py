"""The build files: a table is what was written last, as a frame or as a Parquet file."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from pipelines.catalogue.contracts import ContractError, catalogue
from pipelines.catalogue.models import models
from pipelines.refresh.warehouse import open_warehouse

CONTRACT = catalogue().tables["gpu_price_rolling"]


def windows(mean: float) -> pl.DataFrame:
    row = {
        "series_id": "0" * 16,
        "on_date": dt.date(2026, 1, 1),
        "window_days": 7,
        **dict.fromkeys([c for c in CONTRACT.column_names if c.endswith("_usd_per_gpu_hour")], mean),
        "last_covered_on": dt.date(2026, 1, 1),
        "last_observed_on": dt.date(2026, 1, 1),
        "covered_share": 1.0,
        "change_count": 0,
    }
    return pl.DataFrame([row], schema=CONTRACT.polars_schema())


def test_a_file_and_a_frame_take_each_others_place(tmp_path: Path) -> None:
    file = tmp_path / "it's here.parquet"
    windows(2.0).write_parquet(file)
    with open_warehouse(tmp_path) as warehouse:
        for _ in range(2):
            warehouse.write(CONTRACT, windows(1.0))
            assert warehouse.read(CONTRACT).collect().equals(windows(1.0))
            warehouse.attach_parquet(CONTRACT, [file])
            assert warehouse.read(CONTRACT).collect().equals(windows(2.0))
    with open_warehouse(tmp_path) as warehouse:
        assert warehouse.select("SELECT mean_usd_per_gpu_hour FROM marts.gpu_price_rolling", dt.date(2026, 1, 1)).collect().item() == 2.0


def test_a_file_of_another_form_is_refused_and_the_table_stays(tmp_path: Path) -> None:
    file = tmp_path / "other.parquet"
    windows(2.0).with_columns(pl.col("window_days").cast(pl.Int32)).write_parquet(file)
    with open_warehouse(tmp_path) as warehouse:
        warehouse.write(CONTRACT, windows(1.0))
        with pytest.raises(ContractError, match="'window_days' is Int32"):
            warehouse.attach_parquet(CONTRACT, [file])
        assert warehouse.read(CONTRACT).collect().equals(windows(1.0))


def test_the_anomalies_of_a_million_prices_fit_into_memory(tmp_path: Path) -> None:
    """A year and more of a few thousand series: at the limit of the small queries of a refresh this one ended every refresh."""
    contract = catalogue().tables["price_history"]
    number = pl.int_range(1_000_000, dtype=pl.Int64, eager=True)
    hours = pl.duration(hours=number % 400 * 20)
    since = pl.lit(dt.datetime(2025, 11, 23))
    said = {
        "series_id": (number // 400).cast(pl.String).str.zfill(16),
        "provider": "seller " + (number // 400 % 7).cast(pl.String),
        "source": "source " + (number // 400 % 3).cast(pl.String),
        "gpu": pl.lit("h100-sxm-80"),
        "valid_from": since + hours,
        "valid_to": since + hours + pl.duration(hours=20),
        "observed_at": pl.lit(dt.datetime(2026, 11, 23)),
        **dict.fromkeys(("usd_per_hour", "native_amount"), 2.0 + number * 7 % 11),
    }
    columns = [said.get(name, pl.lit(None)) for name in contract.column_names]
    rows = pl.select(c.cast(kind).alias(name) for c, (name, kind) in zip(columns, contract.polars_schema().items(), strict=True))
    rows.write_parquet(tmp_path / "price_history.parquet", row_group_size=102_400)
    with open_warehouse(tmp_path) as warehouse:
        warehouse.attach_parquet(contract, [tmp_path / "price_history.parquet"])
        found = warehouse.select(str(models()["price_anomaly"].sql), dt.date(2026, 11, 23)).collect()
    assert found.height
    assert set(found.get_column("anomaly_kind")) <= {"jump", "shift", "ended"}
