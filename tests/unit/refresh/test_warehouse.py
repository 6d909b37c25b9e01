"""The build files: a table is what was written last, as a frame or as a Parquet file."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from pipelines.catalogue.contracts import ContractError, catalogue
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
            warehouse.attach_parquet(CONTRACT, file)
            assert warehouse.read(CONTRACT).collect().equals(windows(2.0))
    with open_warehouse(tmp_path) as warehouse:
        assert warehouse.select("SELECT mean_usd_per_gpu_hour FROM marts.gpu_price_rolling", dt.date(2026, 1, 1)).collect().item() == 2.0


def test_a_file_of_another_form_is_refused_and_the_table_stays(tmp_path: Path) -> None:
    file = tmp_path / "other.parquet"
    windows(2.0).with_columns(pl.col("window_days").cast(pl.Int32)).write_parquet(file)
    with open_warehouse(tmp_path) as warehouse:
        warehouse.write(CONTRACT, windows(1.0))
        with pytest.raises(ContractError, match="'window_days' is Int32"):
            warehouse.attach_parquet(CONTRACT, file)
        assert warehouse.read(CONTRACT).collect().equals(windows(1.0))
