"""AWS' long files: which regions a day reads, and what is kept of a file as it arrives, in pieces of any size."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources import aws_offers, aws_savings_plans
from pipelines.sources.lib.aws import regions_of_the_day
from pipelines.sources.lib.errors import ParseError, SourceError
from tests.support.fetching import fetch_context
from tests.support.loopback import loopback
from tests.support.paths import FIXTURES

INDEX = "/offers/v1.0/aws/AmazonEC2/current/region_index.json"


def test_every_region_has_its_day_of_the_week() -> None:
    codes = ["eu-west-3", "us-east-1", "us-west-2-phx-1", "us-gov-west-1", "cn-north-1", *(f"ap-east-{n}" for n in range(9))]
    with loopback({INDEX: [json.dumps({"regions": {code: {} for code in codes}}).encode()]}) as server:
        week = [
            regions_of_the_day(replace(fetch_context(server.url), as_of=dt.date(2026, 11, 23) + dt.timedelta(days=day)), ("eu-west-3",))
            for day in range(7)
        ]
    assert all(day[0] == "eu-west-3" for day in week)
    assert sorted(code for day in week for code in day[1:]) == sorted(["us-east-1", *(f"ap-east-{n}" for n in range(9))])


def test_without_the_index_the_table_of_regions_says_which_there_are() -> None:
    problems: list[str] = []
    with loopback({INDEX: [(404, {}, b"")]}) as server:
        assert len(regions_of_the_day(fetch_context(server.url, problems))) >= 3
    assert len(problems) == 1 and "index of regions" in problems[0]


def test_a_price_list_whose_line_never_ends_is_refused() -> None:
    keep = aws_offers.lines_kept()
    with pytest.raises(SourceError, match="a line of more than"):
        for _ in range(20):
            keep(b" " * (1 << 17))


def test_a_line_that_does_not_fit_the_header_is_no_price() -> None:
    text = (FIXTURES / "aws_offers" / "answer.csv").read_text()
    whole = aws_offers.parse(text.encode())
    [line] = [line for line in text.splitlines() if "p5.48xlarge" in line and '"OnDemand","$61' in line]
    for wrong in (f'{line},"further"', line.rpartition('"RunInstances"')[0] + '"RunInstances"'):
        found = aws_offers.parse(text.replace(line, wrong).encode())
        assert found.height == whole.height - 1
    with pytest.raises(ParseError, match=r"the last line has .* fields, expected .*: it was cut off"):
        aws_offers.parse(f"{text.rstrip()}\n{line},more\n".encode())


def test_a_term_with_a_part_below_zero_is_no_price() -> None:
    text = (FIXTURES / "aws_offers" / "answer.csv").read_text()
    [upfront] = [line for line in text.splitlines() if '"Quantity","630720"' in line]
    hourly = upfront.replace('"Quantity","630720"', '"Hrs","-4.0"')
    found = aws_offers.parse(f"{text.rstrip()}\n{hourly}\n".encode())
    assert found.filter(payment_option="all", commitment_months=36)["native_amount"].to_list() == ["Hrs at -4.0"]


@pytest.mark.parametrize("size", [7, 100, 5_000, 1 << 20])
def test_rates_are_found_in_pieces_of_any_size(shared: Path, size: int) -> None:
    document = json.loads((shared / "examples" / "aws_bulk" / "savingsplan_eu-west-3.json").read_bytes())
    processor = document["terms"]["savingsPlan"][0]["rates"][0] | {
        "discountedUsageType": "EUW3-BoxUsage:m5.large",
        "discountedInstanceType": "m5.large",
    }
    document["terms"]["savingsPlan"][0]["rates"] += [processor] * 50
    content, keep = json.dumps(document, indent=1).encode(), aws_savings_plans.rates_kept()
    kept = b"".join(keep(content[at : at + size]) for at in range(0, len(content), size)) + keep(b"")
    found = aws_savings_plans.parse(kept)
    assert found.select("sku", "region", "payment_option", "commitment_months", "native_amount").rows() == [
        ("p5.48xlarge savings plan", "eu-west-3", "none", 12, "52.1000000000")
    ]


def test_a_body_that_is_no_savings_plan_is_refused() -> None:
    keep = aws_savings_plans.rates_kept()
    with pytest.raises(SourceError, match="no such file"):
        for _ in range(20):
            keep(b" " * (1 << 17))


WORDS = (
    '"RunInstances","Linux","Shared","Used","No License required","USD"',
    '"RunInstances:0002","Linux","Shared","Used","No License required","USD"',
    '"Windows","Shared"',
    "EUW3-BoxUsage:p5.48xlarge",
    "BoxUsage:m5.large",
    "EBS:gp3",
)


@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=4).map(",".join), max_size=20), st.integers(1, 200), st.booleans())
def test_the_lines_of_machines_are_kept_whatever_the_pieces(lines: list[str], size: int, ends: bool) -> None:
    preamble = ["FormatVersion,v1.0", "a", "b", "c", "d", "header"]
    content = "\n".join([*preamble, *lines]).encode() + b"\n" * (ends or not lines)
    keep = aws_offers.lines_kept()
    kept = b"".join(keep(content[at : at + size]) for at in range(0, len(content), size)) + keep(b"")
    assert kept.decode().splitlines() == [*preamble, *(line for line in lines if WORDS[0] in line and WORDS[3] in line)]
