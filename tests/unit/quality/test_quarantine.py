"""Decisions about quarantined rows: what is open, who decided what and why, and a released row as a row of its table again."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.cli.main import main
from pipelines.publication.ops import OpsRecorder, read_ops
from pipelines.quality.quarantine import DECISIONS, QuarantineError, decision_row, find, open_rows, released_keys
from pipelines.quality.row_rules import check_rows

CONTRACT = catalogue().tables["currency_rate_reading"]
AT = dt.datetime(2026, 11, 26, 12)
RATE = {
    "source": "ecb_fx",
    "currency": "USD",
    "on_date": dt.date(2026, 11, 25),
    "units_per_eur": Decimal("11.6"),
    "is_superseded": False,
    "first_stated_at": AT,
    "last_stated_at": AT,
    "rate_to_neighbours_ratio": 10.0,
    "rate_to_second_source_ratio": None,
    "rate_to_last_second_ratio": None,
    "second_source_age_days": None,
    "precedence": 100,
    "known_from": dt.datetime(2026, 11, 25),
    "source_detail": "a file",
    "source_url": "https://example.org",
    "licence": "public",
    "snapshot_sha256": "0" * 64,
}

OTHER = {**RATE, "units_per_eur": Decimal("12.6")}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder whose record has one quarantined row, met by two runs."""
    bad = check_rows(CONTRACT, pl.LazyFrame([RATE], schema=CONTRACT.polars_schema()), may_quarantine=True).quarantined
    for run in ("first", "second"):
        rows = ({"table_name": CONTRACT.table, "quarantine_number": n, **row} for n, row in enumerate(bad.to_dicts()))
        OpsRecorder(tmp_path / "ops", run).append("quarantine", rows)
    monkeypatch.setenv("BREAKEVEN_DATA", str(tmp_path))
    return tmp_path


def decisions(data: Path) -> pl.DataFrame:
    return read_ops(data / "ops", catalogue())[DECISIONS]


def listed(capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, str]]:
    assert main(["quarantine", "list", "--json", *options]) == 0
    found: list[dict[str, str]] = json.loads(capsys.readouterr().out)
    return found


def test_a_row_is_listed_once_released_with_name_time_and_reason_and_passes_when_stated_again(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (row,) = listed(capsys)
    assert (row["rule"], row["state"]) == ("near_its_neighbours", "open")
    assert main(["quarantine", "show", row["row_id"][:6]]) == 0
    assert json.loads(capsys.readouterr().out)["row_json"]["units_per_eur"] == "11.60000000"
    assert main(["quarantine", "release", row["row_id"], "--reason", "confirmed by telephone"]) == 0
    capsys.readouterr()
    assert listed(capsys) == [] and listed(capsys, "--all")[0]["state"] == "released"
    (decided,) = decisions(data).to_dicts()
    assert decided["reason"] == "confirmed by telephone" and decided["decided_by"]
    again = pl.LazyFrame([{**RATE, "last_stated_at": AT + dt.timedelta(days=1)}, OTHER], schema=CONTRACT.polars_schema())
    checked = check_rows(CONTRACT, again, may_quarantine=True, released=released_keys(decisions(data), CONTRACT.table))
    assert checked.good["units_per_eur"].to_list() == [Decimal("11.6")]
    assert checked.quarantined.height == 1, "another statement is another question"


def test_the_newest_decision_counts(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = listed(capsys)
    for verb in ("release", "hold"):
        assert main(["quarantine", verb, row["row_id"], "--reason", "a person looked at it"]) == 0
    capsys.readouterr()
    assert listed(capsys, "--all")[0]["state"] == "held"
    assert released_keys(decisions(data), CONTRACT.table).is_empty()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["release", "zzz", "--reason", "x"], "no row in quarantine"), (["hold", "", "--reason", " "], "needs a reason")],
)
def test_what_cannot_be_done_is_said(data: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    assert main(["quarantine", *arguments]) == 1
    assert said in capsys.readouterr().out
    assert decisions(data).is_empty()


def test_an_id_that_fits_several_rows_is_refused() -> None:
    rows = [{"row_id": "abc1"}, {"row_id": "abd2"}]
    assert find(rows, "abc") == {"row_id": "abc1"}
    with pytest.raises(QuarantineError, match="2 rows in quarantine have"):
        find(rows, "ab")


def test_without_decisions_every_row_is_open_once() -> None:
    ops = catalogue().tables
    bad = pl.DataFrame(
        {
            "run_id": ["1", "2"],
            "table_name": ["t"] * 2,
            "quarantine_number": [0, 0],
            "row_key": ["k"] * 2,
            "rule": ["r"] * 2,
            "reason": ["w"] * 2,
            "row_json": ["{}"] * 2,
        }
    )
    rows = open_rows(bad, pl.DataFrame(schema=ops[DECISIONS].polars_schema()))
    assert [row["state"] for row in rows] == ["open"]
    assert decision_row(rows[0], "held", "seen", AT)["decided_at"] == AT
