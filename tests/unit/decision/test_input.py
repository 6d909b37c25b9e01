"""What a person brings: YAML and CSV as programs and spreadsheets write them, read right or refused with file, line and value."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.cli.main import main
from pipelines.decision.documents import WorkloadError, read_yaml
from pipelines.decision.load_file import read_load
from pipelines.decision.lookups import hint, known_value
from pipelines.decision.new_workload import as_yaml, ask
from pipelines.decision.workload import load_workload

NAME = "output_tokens_per_hour"
WORKLOAD = """
name: a
model: Llama-3.1-70B
tokens: {input: 1024, output: 1024}
objective: {ttft_s: 2, time_per_output_token_s: 0.05}
load: {output_tokens_per_day: 24e6, shape: constant}
"""


def day(first: str, rest: str = "1") -> str:
    return "\n".join([first, *[rest] * 23]) + "\n"


@pytest.mark.parametrize(
    ("content", "first_hour"),
    [
        (f"{NAME}\n" + day("500000"), 500000),
        (f"\ufeff{NAME}\r\n" + day("5e5").replace("\n", "\r\n"), 500000),
        (f"hour;{NAME}\n" + day("0;500000,5", "1;1,25"), 500000.5),
        (f"hour;{NAME};note\n" + day("0;40.000.000;x;", "1;1;"), 40e6),
        (f"hour;{NAME}\n" + day("0;1.234.567,5", "1;7"), 1234567.5),
        (f"hour,{NAME}\n" + day('0,"40,000,000"', "1,1"), 40e6),
        (f"hour,{NAME}\n" + day('0,"1,234.5"', '1,"2,345"'), 1234.5),
        (f"hour,{NAME}\n" + day("0,40 000 000", "1,1"), 40e6),
        (f"hour,{NAME}\n" + day("0,40\u202f000\u00a0000", "1,1"), 40e6),
        (f"hour\t{NAME}\n" + day("0\t40'000", "1\t1"), 40000),
        (f"sep=;\nhour;{NAME}\n" + day("0;12", "1;1"), 12),
        (f"{NAME}\n" + day("0.5") + "\n\n", 0.5),
        (f"{NAME}\r" + day("500000").replace("\n", "\r"), 500000),
        (f"hour;{NAME}\n" + day("0;40\u2009000\u2007000", "1;1"), 40e6),
        (f"hour;{NAME}\n" + day("0;40\u02bc000", "1;1"), 40000),
    ],
)
def test_numbers_are_read_as_they_are_meant(tmp_path: Path, content: str, first_hour: float) -> None:
    (tmp_path / "load.csv").write_bytes(content.encode())
    assert read_load(tmp_path / "w.yaml", "load.csv")[0] == first_hour


def test_unicode_text_of_a_spreadsheet_is_read(tmp_path: Path) -> None:
    (tmp_path / "load.csv").write_bytes((f"hour\t{NAME}\n" + day("0\t12", "1\t1")).encode("utf-16"))
    assert read_load(tmp_path / "w.yaml", "load.csv")[0] == 12


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"hour,{NAME}\n" + day("0,1", "1,1") + "0,40,000,000\n", ("line 26", "4 fields, expected 2", "thousands")),
        (f"{NAME}\n" + day("500000,5"), ("line 2", "2 fields, expected 1")),
        (f"hour,{NAME}\n" + day("0,1", "1"), ("line 3", "1 fields, expected 2")),
        (f"hour,{NAME}\n" + day('0,"40,000"', "1,1"), ("line 2", "'40,000'", "40000 or 40.000")),
        (f"hour;{NAME}\n" + day("0;40.000", "1;1.250"), ("line 2", "'40.000'", "40000 or 40")),
        (f"hour;{NAME}\n" + day("0;1.234,5", "1;1,234.5"), ("line 3", "'1,234.5'", "'1.234,5' in line 2")),
        (f"hour;{NAME}\n" + day("0;1,25", "1;12.5"), ("line 3", "'12.5'")),
        (f"{NAME}\n" + day("1").replace("1\n1\n", "1\n\n1\n", 1), ("line 3", "is empty")),
        (f"hour,{NAME}\n" + day("0,", "1,1"), ("line 2", "is ''")),
        (f"{NAME}\n" + day("NaN"), ("line 2", "'NaN'")),
        (f"{NAME}\n" + day("inf"), ("line 2", "'inf'")),
        (f"{NAME}\n" + day("-5"), ("line 2", "'-5'")),
        (f"{NAME}\n" + day("1e300"), ("line 2", "'1e300'", "1e+13")),
        (f"{NAME}\n" + day("1_000"), ("line 2", "'1_000'")),
        (f"{NAME}\n" + day("\u0661"), ("line 2", "expected a number")),
        (f"{NAME}\n" + "1\n" * 23, ("23 hours",)),
        (f"{NAME}\n" + "1\n" * 8784, ("8784 hours", "29 February")),
        (f"hour;{NAME}\n" + "1;1\n" * 24 + "Total;24\n", ("25 hours", "line 26", "a total")),
        (f"{NAME},{NAME}\n" + day("1,2", "1,2"), ("line 1", "more than once")),
        (f"{NAME}\n" + day('"1'), ("is no CSV",)),
        ("", ("no first line", "expected one that names output_tokens_per_hour")),
    ],
)
def test_a_wrong_load_is_refused_with_line_and_value(tmp_path: Path, content: str, said: tuple[str, ...]) -> None:
    (tmp_path / "load.csv").write_bytes(content.encode())
    with pytest.raises(WorkloadError) as error:
        read_load(tmp_path / "w.yaml", "load.csv")
    for text in ("load.csv", *said):
        assert text in str(error.value)


def hours(*names: object, column: str = "hour") -> str:
    return f"{column},{NAME}\n" + "".join(f"{name},1\n" for name in names)


YEAR = [f"{datetime(2025, 1, 1) + timedelta(hours=n):%Y-%m-%dT%H:%M}" for n in range(8760)]


@pytest.mark.parametrize(
    "content",
    [
        hours(*range(24)),
        hours(*range(1, 25)),
        hours(*(hour % 24 for hour in range(168))),
        hours(*YEAR, column="timestamp"),
        # Clocks go forward in March and back in October.
        hours(*(h for h in YEAR if h != "2025-03-30T02:00"), column="time").replace("2025-10-26T02:00,1\n", "2025-10-26T02:00,1\n" * 2),
        hours(*(f"{h}+0{2 - (h >= '2025-10-26T03')}:00" for h in YEAR if h != "2025-03-30T02:00"), column="time").replace(
            "2025-10-26T02:00+02:00,1\n", "2025-10-26T02:00+02:00,1\n2025-10-26T02:00+01:00,1\n"
        ),
        hours(*reversed(range(24)), column="rank"),
        hours(*("morning" for _ in range(24))),
    ],
)
def test_hours_in_their_order_are_read(tmp_path: Path, content: str) -> None:
    (tmp_path / "load.csv").write_text(content)
    assert read_load(tmp_path / "w.yaml", "load.csv").sum() == 8760


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (hours(*reversed(range(24))), "line 3: is hour '22'"),
        (hours(0, *range(23)), "line 3: is hour '0'"),
        (hours(*range(23), 25), "line 25: is hour '25'"),
        (hours(*reversed(YEAR), column="timestamp"), "line 3: is hour '2025-12-31T22:00'"),
        (hours(YEAR[0], *YEAR[:23], column="Timestamp"), "line 3: is hour '2025-01-01T00:00'"),
        (hours(*YEAR[:84], *YEAR[:84], column="datetime"), "line 86: is hour '2025-01-01T00:00'"),
    ],
)
def test_hours_out_of_their_order_are_refused(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "load.csv").write_text(content)
    with pytest.raises(WorkloadError, match=said):
        read_load(tmp_path / "w.yaml", "load.csv")


def test_a_file_without_a_line_is_said_to_have_none(tmp_path: Path) -> None:
    (tmp_path / "load.csv").write_bytes(b"\n")
    with pytest.raises(WorkloadError, match="has no first line, expected one that names"):
        read_load(tmp_path / "w.yaml", "load.csv")


@given(st.lists(st.integers(0, 10**9), min_size=24, max_size=24).filter(any), st.sampled_from(["{:,}", "{:_}"]), st.sampled_from("., '"))
def test_grouped_numbers_come_back_or_are_refused(
    tmp_path_factory: pytest.TempPathFactory, hours: list[int], style: str, sign: str
) -> None:
    folder = tmp_path_factory.mktemp("load")
    texts = [style.format(h).replace(",", sign).replace("_", sign) for h in hours]
    (folder / "load.csv").write_text(f"hour;{NAME}\n" + "".join(f"{i};{t}\n" for i, t in enumerate(texts)))
    try:
        found = read_load(folder / "w.yaml", "load.csv")
    except WorkloadError as error:
        assert "may be" in str(error)
    else:
        assert np.array_equal(found[:24], np.asarray(hours, dtype=float))


def test_only_files_beside_the_workload_are_read_and_none_is_quoted(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    folder.mkdir()
    (tmp_path / "secret").write_text("root:x:0:0\n")
    (folder / "copied.csv").write_text("root:x:0:0\n")
    (folder / "link.csv").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "pipe.csv")
    for name in (str(tmp_path / "secret"), "../secret", "link.csv", "copied.csv", "pipe.csv", "none.csv", ".", "/dev/zero"):
        with pytest.raises(WorkloadError) as error:
            read_load(folder / "w.yaml", name)
        assert "x:0:0" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &x [1]\nb: *x\n", ("line 2", "alias *x")),
        ("a: " + "[" * 100_000, ("line 1", "nested more than 20 levels")),
        ("name: a\nname: b\n", ("line 2", "name is given a second time", "line 1")),
        ("load: {output_tokens_per_day: 400,000,000, shape: constant}\n", ("line 1", "000", "without separators")),
        ("a: !!python/object:os.system x\n", ("line 1", "tag")),
        ("- a\n", ("holds list",)),
        ("root:x:0:0:root:/root:/bin/bash\n", ("holds text",)),
        ("", ("holds nothing",)),
        ("a: [1\nb: secret word\n", ("line 2", "cannot be read as YAML")),
        ("[a]: 1\n", ("line 1", "key")),
    ],
)
def test_cunning_yaml_is_refused_shortly(tmp_path: Path, text: str, said: tuple[str, ...]) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(text)
    with pytest.raises(WorkloadError) as error:
        read_yaml(path)
    for part in ("w.yaml", *said):
        assert part in str(error.value)
    assert "secret" not in str(error.value) and len(str(error.value)) < 300


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"k{i}: 1" for i in range(5_000)),
        '"\\e[31mred\\a": 1\n',
        f"? {'k' * 100_000}\n: 1\n",
        f"constraints: {{countries: [{', '.join(['XX'] * 5_000)}]}}\n",
        f"precisions: [{'v' * 100_000}]\n",
    ],
)
def test_names_of_a_file_are_shown_shortly_and_do_no_harm(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "\x1b[31mw.yaml"
    path.write_text(text)
    assert main(["decide", str(path)]) == 2
    said = capsys.readouterr().err
    assert "w.yaml" in said and "\x1b" not in said and "\a" not in said and len(said) < 2_200


def test_a_value_that_nobody_knows_is_shown_shortly() -> None:
    with pytest.raises(WorkloadError) as error:
        known_value("constraints.trust_tiers", "v" * 100_000, ("datacenter", "secure"))
    assert "expected one of datacenter, secure" in str(error.value) and len(str(error.value)) < 400


def test_an_alias_bomb_is_small_in_memory_and_in_its_message(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    lines = ["l0: &l0 [x, x]"] + [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 12)]
    path.write_text("\n".join(lines))
    with pytest.raises(WorkloadError, match="alias"):
        load_workload(path)


def test_texts_stay_texts(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_bytes("\ufeffa: [NO, on, Y, 12:30, 2026-01-15, 1e6, 010, true, ~, 5_000]\n".encode())
    assert read_yaml(path) == {"a": ["NO", "on", "Y", "12:30", "2026-01-15", 1e6, 10, True, None, "5_000"]}


def test_norway_is_a_country_and_no_is_still_no(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(WORKLOAD + "constraints: {countries: [NO, SE], spot_allowed: no}\n")
    workload, _ = load_workload(path)
    assert workload.constraints.countries == ("NO", "SE") and workload.constraints.spot_allowed is False


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ("constraints: {countries: [UK]}", "write GB (United Kingdom)"),
        ("constraints: {countries: [XX]}", "ISO 3166"),
        ("constraints: {countries: [false]}", "in quotes"),
        ("constraints: {provider_jurisdictions: [fr]}", "write FR"),
        ("constraints: {capital_budget: 400.000.000}", "without separators"),
        ("constraints: {capital_budget: '400 000'}", "without separators"),
        ("constraints: {capital_budget: 5_000}", "without separators"),
        ("horizon_years: true", "without separators"),
    ],
)
def test_a_value_that_may_be_misread_is_refused(tmp_path: Path, added: str, said: str) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(WORKLOAD + added + "\n")
    with pytest.raises(WorkloadError) as error:
        load_workload(path)
    assert said in str(error.value) and added.split(":", maxsplit=1)[0] in str(error.value)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("name: a", 'name: "a\\e[31mred"'), ("name", "control characters")),
        (("name: a", "name: " + "a" * 1000), ("name", "200 characters")),
        (("24e6", "9" * 5000), ("load.output_tokens_per_day", "finite")),
        (("load: {output_tokens_per_day: 24e6, shape: constant}", 'load: {csv: "a\\0b"}'), ("load.csv", "name of a file")),
        (("name: a", "name: a\nquotes: {servers: [{gpu: g, gpu_count: 8, price: 1e300}]}"), ("quotes.servers.0.price", "1000000000000")),
    ],
)
def test_what_no_terminal_and_no_sum_can_hold_is_refused(tmp_path: Path, changed: tuple[str, str], said: tuple[str, str]) -> None:
    path = tmp_path / "w.yaml"
    assert changed[0] in WORKLOAD
    path.write_text(WORKLOAD.replace(*changed))
    with pytest.raises(WorkloadError) as error:
        load_workload(path)
    for part in said:
        assert part in str(error.value)
    assert len(str(error.value)) < 400 and str(error.value).isprintable()


@pytest.mark.parametrize("tokens", ["1e300", "1e308", ".inf", ".nan", "1e16", "0", "-1"])
def test_loads_out_of_this_world_are_refused(tmp_path: Path, tokens: str) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(WORKLOAD.replace("24e6", tokens))
    with pytest.raises(WorkloadError, match="load"):
        load_workload(path)


def test_ten_answers_make_a_file_that_can_be_read(tmp_path: Path) -> None:
    given = iter(["", "", "", "", "5e6", "diurnal", "0.1", "2", "fr, de", "eur"])
    shown: list[str] = []

    def answer(words: str) -> str:
        shown.append(words)
        return next(given)

    path = tmp_path / "w.yaml"
    path.write_text(as_yaml(ask(answer, pytest.fail)))
    workload, _ = load_workload(path)
    assert len(shown) == 10 and workload.constraints.countries == ("FR", "DE") and workload.currency == "EUR"
    assert workload.load.output_tokens_per_day == 5e6 and workload.horizon_years == 2


@pytest.mark.parametrize(
    ("countries", "currency", "area"),
    [("FR", "EUR", "FR"), ("ca", "USD", "CA"), ("FR, DE", "EUR", "EU27_2020"), ("BR", "USD", None), ("", "USD", None)],
)
def test_a_new_workload_takes_the_tariff_of_its_one_country(tmp_path: Path, countries: str, currency: str, area: str | None) -> None:
    given = iter(["", "", "", "", "", "", "", "", countries, currency])
    path = tmp_path / "w.yaml"
    path.write_text(as_yaml(ask(lambda _: next(given), pytest.fail)))
    assert load_workload(path)[0].electricity_area == area


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("llama-3.1-70b", "Llama-3.1-70B"),
        ("Llama 3.1 70B", "Llama-3.1-70B"),
        ("meta-llama/Llama-3.1-70B-Instruct", "Llama-3.1-70B"),
        ("secnumcloud", "SecNumCloud"),
        ("data center", "datacenter"),
    ],
)
def test_what_was_probably_meant_is_said(asked: str, meant: str) -> None:
    assert hint(asked, ["Llama-3.1-70B", "Qwen3-32B", "SecNumCloud", "datacenter"]) == f"; write {meant}"
    assert hint("something else", ["Llama-3.1-70B", "SecNumCloud"]) == ""


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("H100", "h100-any-80 or h100-nvl-94 or h100-pcie-80 or h100-sxm-80"),
        ("h100 sxm", "h100-sxm-80"),
        ("h100_sxm_80", "h100-sxm-80"),
        ("L4", "l4-24 or l40s-48"),
        ("MI300X", "mi300x-192"),
        ("RTX 4090", "rtx-4090-24"),
    ],
)
def test_a_device_without_its_form_is_said_with_the_forms_that_are_known(asked: str, meant: str) -> None:
    known = ["h100-sxm-80", "h100-pcie-80", "h100-nvl-94", "h100-any-80", "l4-24", "l40s-48", "mi300x-192", "rtx-4090-24"]
    assert hint(asked, known) == f"; write {meant}"
    assert hint("", known) == "" and hint("TPU", known) == ""
