"""A workload file: what it may hold, the load that it stands for, and what is said of a wrong one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from pipelines.decision.documents import WorkloadError
from pipelines.decision.workload import SHAPES, load_workload
from tests.support.paths import ROOT

GOOD: dict[str, Any] = {
    "name": "a",
    "model": "Llama-3.1-70B",
    "tokens": {"input": 1024, "output": 1024},
    "objective": {"ttft_s": 2, "time_per_output_token_s": 0.05},
    "load": {"output_tokens_per_day": 24e6, "shape": "constant"},
}


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "w.yaml"
    path.write_text(yaml.safe_dump(GOOD | changes))
    return path


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "workloads").glob("*.yaml")), ids=lambda p: p.stem)
def test_the_examples_are_good(path: Path) -> None:
    _, load = load_workload(path)
    assert load.shape == (8760,) and load.max() > 0


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_has_the_mean_that_was_asked_for(tmp_path: Path, shape: str) -> None:
    _, load = load_workload(written(tmp_path, load={"output_tokens_per_day": 24e6, "shape": shape}))
    assert load.mean() == pytest.approx(1e6)
    assert (load >= 0).all()
    assert bool(load.max() > load.mean() * 1.2) is (shape != "constant")


def test_business_hours_are_three_tenths_of_the_year(tmp_path: Path) -> None:
    _, load = load_workload(written(tmp_path, load={"output_tokens_per_day": 24e6, "shape": "business_hours"}))
    assert (load > 0).mean() == pytest.approx(0.298, abs=0.001)
    assert load[7] == 0 and load[8] > 0 and load[17] > 0 and load[18] == 0 and load[5 * 24 + 10] == 0


@pytest.mark.parametrize("hours", [24, 168, 8760])
def test_a_day_a_week_or_a_year_of_hours(tmp_path: Path, hours: int) -> None:
    (tmp_path / "load.csv").write_text("hour,output_tokens_per_hour\n" + "".join(f"{h},{h + 1}\n" for h in range(hours)))
    _, load = load_workload(written(tmp_path, load={"csv": "load.csv"}))
    assert np.array_equal(load, np.resize(np.arange(1, hours + 1), 8760))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("tokens\n1\n", "expected output_tokens_per_hour"),
        ("output_tokens_per_hour\n1\nmany\n", "line 3: output_tokens_per_hour is 'many'"),
        ("output_tokens_per_hour\n-1\n", "line 2: output_tokens_per_hour is '-1'"),
        ("output_tokens_per_hour\nnan\n", "is 'nan'"),
        ("output_tokens_per_hour\n1\n", "1 hours, expected a year"),
        ("output_tokens_per_hour\n" + "0\n" * 24, "0 in every hour"),
    ],
)
def test_a_wrong_load_is_named(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "load.csv").write_text(content)
    with pytest.raises(WorkloadError) as error:
        load_workload(written(tmp_path, load={"csv": "load.csv"}))
    assert said in str(error.value) and "load.csv" in str(error.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"modell": "x"}, "modell: is no field here; write model"),
        ({"tokens": {"input": 0, "output": 1}}, "tokens.input"),
        ({"objective": {"ttft_s": -1, "time_per_output_token_s": 0.05}}, "objective.ttft_s"),
        ({"load": {"output_tokens_per_day": 1e6}}, "expected either csv, or output_tokens_per_day with shape"),
        ({"load": {"output_tokens_per_day": 1e6, "shape": "square"}}, "load.shape"),
        ({"constraints": {"countries": ["France"]}}, "'France'"),
        ({"currency": "GBP"}, "found 'GBP'"),
        ({"horizon_years": 0}, "horizon_years"),
    ],
)
def test_a_wrong_field_is_named_with_its_value(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(WorkloadError) as error:
        load_workload(written(tmp_path, **changes))
    assert said in str(error.value) and "w.yaml" in str(error.value)


def test_what_is_no_yaml_of_fields(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text("- a list")
    with pytest.raises(WorkloadError, match="holds list"):
        load_workload(tmp_path / "w.yaml")
    with pytest.raises(WorkloadError, match="cannot be read"):
        load_workload(tmp_path / "none.yaml")
