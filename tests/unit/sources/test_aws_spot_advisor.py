"""How often spot machines are taken back: the advisor's bands, as shares and as rates."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.economics import restart_waste_share, spot_waste_share
from pipelines.ingest.scaffold import stored_answers
from pipelines.platform.paths import MODELS_FOLDER
from pipelines.publication.reader import rows
from pipelines.quality.row_rules import check_rows
from tests.support.recorded import MODULES
from tests.support.tables import AT, with_lineage

NAME = "aws_spot_advisor"


def stored() -> pl.DataFrame:
    return MODULES[NAME].parse(stored_answers(NAME)[0].read_bytes())


def mart(raw: pl.LazyFrame, as_of: dt.date) -> list[dict[str, Any]]:
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA raw")
        connection.register("read", raw.collect().to_arrow())
        connection.execute(f"CREATE TABLE raw.{NAME} AS SELECT * FROM read")
        connection.execute(f"SET VARIABLE as_of = DATE '{as_of}'")
        return rows(connection, (MODELS_FOLDER / "marts" / "spot_interruption.sql").read_text())


def test_bands_are_shares_of_linux_machines_with_accelerators() -> None:
    columns = ("region", "instance_type", "interruption_band", "least_interrupted_share_per_month", "greatest_interrupted_share_per_month")
    assert stored().select(*columns, "saving_share_stated").rows() == [
        ("eu-central-1", "g6.xlarge", "15-20%", 0.15, 0.2, None),
        ("eu-central-1", "p5.48xlarge", "<5%", 0.0, 0.05, 0.33),
        ("us-east-1", "g6.xlarge", "not known: 7", None, None, 0.48),
        ("us-east-1", "p4d.24xlarge", "5-10%", 0.05, 0.1, 0.61),
        ("us-east-1", "p5.48xlarge", ">20%", 0.2, None, 0.5),
    ]


def test_a_band_that_nobody_knows_is_put_aside_and_no_other_row() -> None:
    checked = check_rows(catalogue().tables[NAME], with_lineage(stored()), may_quarantine=True)
    assert checked.quarantined.height == 1 and checked.good.height == 4


def test_the_file_of_2025(shared: Path) -> None:
    found = MODULES[NAME].parse((shared / "fixtures" / "aws" / "spot-advisor-data_2025-06-28.json").read_bytes())
    assert found.height > 300 and set(found.get_column("interruption_band")) == {"<5%", "5-10%", "10-15%", "15-20%", ">20%"}
    one = found.filter((pl.col("region") == "us-east-1") & pl.col("instance_type").is_in(["p4d.24xlarge", "p5.48xlarge", "p5en.48xlarge"]))
    assert dict(one.sort("instance_type").select("instance_type", "interruption_band").rows()) == {
        "p4d.24xlarge": "10-15%",
        "p5.48xlarge": ">20%",
        "p5en.48xlarge": "<5%",
    }


def test_shares_become_rates_and_the_last_band_has_no_upper_end() -> None:
    good = with_lineage(stored().filter(pl.col("least_interrupted_share_per_month").is_not_null()))
    rates = [f"{band}_interruptions_per_month" for band in ("low", "base", "high")]
    found = {(r["region"], r["instance_type"]): [r[name] for name in rates] for r in mart(good, AT.date())}
    assert found["us-east-1", "p4d.24xlarge"] == pytest.approx([-math.log(0.95), -math.log(0.925), -math.log(0.9)])
    assert found["eu-central-1", "p5.48xlarge"] == pytest.approx([0.0, -math.log(0.975), -math.log(0.95)])
    assert found["us-east-1", "p5.48xlarge"] == [pytest.approx(-math.log(0.8)), None, None]


@pytest.mark.parametrize(("days", "count"), [(365, 4), (366, 0)])
def test_a_reading_of_more_than_a_year_is_none(days: int, count: int) -> None:
    good = with_lineage(stored().filter(pl.col("least_interrupted_share_per_month").is_not_null()))
    assert len(mart(good, AT.date() + dt.timedelta(days))) == count


def test_a_rate_wastes_what_its_mean_time_wastes() -> None:
    assert restart_waste_share(2.0, 300.0) == pytest.approx(spot_waste_share(2_628_000.0 / 2, 300.0), rel=1e-12)
    assert restart_waste_share(0.0, 300.0) == 0.0
    assert pl.select(restart_waste_share(pl.lit(-1.0), 300.0)).item() is None
    with pytest.raises(ValueError, match="interruptions_per_month is -1"):
        restart_waste_share(-1.0, 300.0)
