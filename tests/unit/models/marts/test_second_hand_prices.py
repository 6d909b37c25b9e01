"""Second-hand lists beside what sellers say: from recorded answers, through every step of a refresh, to prices that disagree."""

from __future__ import annotations

import datetime as dt
import json
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.history.series import series_key
from pipelines.ingest.parse import with_facts
from pipelines.ingest.scaffold import stored_answers
from tests.support.recorded import MODULES
from tests.support.tables import AT, PRICE_REFERENCES, curated, model, with_lineage

GPUHUNT = "instance_name,location,price,gpu_count,gpu_name,gpu_memory,spot\n"
SKYPILOT = "InstanceType,AcceleratorName,AcceleratorCount,Price,Region,SpotPrice\n"


def gpuhunt(cloud: str, line: str) -> tuple[str, bytes]:
    document = {"cloud": cloud, "version": f"{AT:%Y%m%d}-1", "csv": f"{GPUHUNT}{line},False\n"}
    return "gpuhunt", json.dumps(document).encode()


def skypilot(cloud: str, line: str) -> tuple[str, bytes]:
    document = {"cloud": cloud, "read_at": f"{AT:%Y-%m-%dT%H:%M:%SZ}", "vms_csv": f"{SKYPILOT}{line},\n"}
    return "skypilot_catalog", json.dumps(document).encode()


def observed(name: str, contents: list[bytes]) -> pl.LazyFrame:
    module = MODULES[name]
    raw = with_lineage(pl.concat(module.parse(content) for content in contents))
    assert module.normalise is not None
    feed = module.normalise(raw.with_columns(source=pl.lit(name)) if module.shares_table else raw)
    return with_facts(feed, module, "observation")


def disagreements(first_hand: str, second_hand: tuple[str, bytes]) -> list[dict[str, Any]]:
    feeds = [observed(first_hand, [path.read_bytes() for path in stored_answers(first_hand)]), observed(second_hand[0], [second_hand[1]])]
    none = pl.LazyFrame(schema={"currency": pl.String, "on_date": pl.Date, "usd_per_unit": pl.String})
    known = model("staging", "price_observation")(
        all_observation=pl.concat(feeds, how="diagonal"),
        **{name: curated(name) for name in PRICE_REFERENCES},
        currency_rate=none,
        as_of=AT.date(),
        reference_observations=pl.LazyFrame(schema=catalogue().tables["price_observation"].polars_schema()),
    ).collect()
    history = SimpleNamespace(reference_observations=lambda: known, series=lambda: known.lazy().unique(series_key()))
    return (
        model("marts", "price_disagreement")(history=history, reference_gpu=curated("reference_gpu"), as_of=AT.date()).collect().to_dicts()
    )


# First-hand source, its price per GPU, and how a second-hand list would write that machine for an amount an hour.
PAIRS = {
    "oci by gpuhunt": ("oci", 9.5, 8, lambda usd: gpuhunt("oci", f"BM.GPU.H100.8,us-ashburn-1,{usd},8,H100,80")),
    "oci by SkyPilot": ("oci", 9.5, 8, lambda usd: skypilot("oci", f"BM.GPU.H100.8,H100,8,{usd},us-ashburn-1")),
    "verda by gpuhunt": ("verda", 3.15, 1, lambda usd: gpuhunt("verda", f"1H100.80S.30V,FIN-01,{usd},1,H100,80")),
    "verda by SkyPilot": ("verda", 3.15, 1, lambda usd: skypilot("verda", f"1H100.80S.30V,H100,1.0,{usd},FIN-03")),
    "lambda by gpuhunt": ("lambda_page", 6.1, 8, lambda usd: gpuhunt("lambdalabs", f"gpu_8x_b200_sxm6,us-east-1,{usd},8,B200,180")),
    "lambda by SkyPilot": ("lambda_page", 6.1, 8, lambda usd: skypilot("lambda", f"gpu_8x_b200_sxm6,B200,8.0,{usd},us-east-1")),
    "lambda's service by SkyPilot": ("lambda", 3.09375, 8, lambda usd: skypilot("lambda", f"gpu_8x_h100_sxm5,H100,8.0,{usd},asia-south-1")),
    "nebius by gpuhunt": ("nebius", 3.75, 8, lambda usd: gpuhunt("nebius", f"gpu-h100-sxm 8gpu-128vcpu-1600gb,eu-north1,{usd},8,H100,80")),
    "nebius by SkyPilot": ("nebius", 3.75, 8, lambda usd: skypilot("nebius", f"gpu-h100-sxm_8gpu-128vcpu-1600gb,H100,8.0,{usd},eu-north1")),
    "gcp by gpuhunt": ("gcp_billing", 11.557, 8, lambda usd: gpuhunt("gcp", f"a3-highgpu-8g,europe-west9,{usd},8,H100,80")),
    "runpod by SkyPilot": ("runpod", 3.5, 2, lambda usd: skypilot("runpod", f"2x_H100-SXM_SECURE,H100-SXM,2.0,{usd},CZ")),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_a_second_hand_price_that_differs_is_found_and_one_that_agrees_is_not(pair: str) -> None:
    first_hand, per_gpu, count, as_listed = PAIRS[pair]
    assert disagreements(first_hand, as_listed(per_gpu * count * 1.02)) == []
    [found] = disagreements(first_hand, as_listed(per_gpu * count * 1.05))
    assert {found["source"], found["other_source"]} == {first_hand, as_listed(0)[0]}
    assert sorted([found["usd_per_gpu_hour"], found["other_usd_per_gpu_hour"]]) == pytest.approx([per_gpu, per_gpu * 1.05])


def test_community_hosts_are_not_held_against_data_centres() -> None:
    _, per_gpu, _, _ = PAIRS["runpod by SkyPilot"]
    listed = skypilot("runpod", f"1x_H100-SXM_COMMUNITY,H100-SXM,1.0,{per_gpu},CZ")
    [found] = disagreements("runpod", listed)
    assert found["trust_tier"] == "community" and found["usd_per_gpu_hour"] == 2.5


def test_a_list_of_weeks_ago_is_of_another_time() -> None:
    name, content = PAIRS["oci by gpuhunt"][3](99)
    old = content.replace(f"{AT:%Y%m%d}-1".encode(), f"{AT - dt.timedelta(days=20):%Y%m%d}-1".encode())
    assert disagreements("oci", (name, old)) == []
