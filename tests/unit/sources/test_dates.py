"""A date that decides whether a row holds, or when: one that cannot be read puts its row aside, with what stands there."""

from __future__ import annotations

import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.ingest.scaffold import stored_answers
from pipelines.quality.row_rules import Checked, check_rows
from pipelines.sources.lib.dates import instant, instant_of
from tests.support.recorded import MODULES
from tests.support.tables import AT, with_lineage

ODD = "20/13/2026"
PERIOD = (
    f"<Period><timeInterval><start>{ODD}</start><end>2026-11-23T23:00Z</end></timeInterval><resolution>PT60M</resolution>"
    "<Point><position>1</position><price.amount>50.00</price.amount></Point></Period>"
)
# Source, what stands in its stored answer, and the same with an odd date.
STATED = [
    ("azure_retail", '"effectiveStartDate": "2026-06-01T00:00:00Z"', f'"effectiveStartDate": "{ODD}"'),
    (
        "azure_retail",
        '"effectiveStartDate": "2026-06-01T00:00:00Z"',
        f'"effectiveStartDate": "2026-06-01T00:00:00Z", "effectiveEndDate": "{ODD}"',
    ),
    ("aws_offers", '"2026-09-01"', f'"{ODD}"'),
    ("aws_spot", '"2026-11-20T10:00:00+00:00"', f'"{ODD}"'),
    ("deepinfra", '"deprecated": null', f'"deprecated": "{ODD}"'),
    ("eia_electricity", '"period": "2026-08"', f'"period": "{ODD}"'),
    ("entsoe", "</TimeSeries>", f"{PERIOD}</TimeSeries>"),
    ("gcp_billing", '"effectiveTime": "2026-11-20T08:00:00Z"', f'"effectiveTime": "{ODD}"'),
    ("gpu_rental_prices", '"fetched_at": "2026-11-20T06:24:26.240Z"', f'"fetched_at": "{ODD}"'),
    ("hyperstack", '"value": "1.45"', f'"value": "1.45", "end_time": "{ODD}"'),
    ("litellm", '"mode": "chat"', f'"mode": "chat", "deprecation_date": "{ODD}"'),
    ("openrouter", '"pricing"', f'"expiration_date": "{ODD}", "pricing"'),
    ("us_ai_infra", "2026-08-01,lambda", f"{ODD},lambda"),
    ("us_ai_infra_power", "250.0,2026-03", f"250.0,{ODD}"),
    ("us_ai_infra_power", "2026-06-19,AK", f"{ODD},AK"),
]


def checked(name: str, old: str, new: str) -> Checked:
    text = stored_answers(name)[0].read_text(encoding="utf-8")
    assert old in text
    module, contract = MODULES[name], catalogue().tables[MODULES[name].table]
    raw = with_lineage(module.parse(text.replace(old, new).encode()), AT, "0" * 64)
    if module.shares_table:
        raw = raw.select(pl.lit(name).alias("source"), pl.all())
    return check_rows(contract, contract.conform(raw.lazy()), may_quarantine=True)


@pytest.mark.parametrize(("name", "old", "new"), STATED)
def test_a_row_with_a_date_that_cannot_be_read_is_put_aside_with_it(name: str, old: str, new: str) -> None:
    before = checked(name, old, old)
    after = checked(name, old, new)
    named = after.quarantined.filter(pl.col("row_json").str.replace_all(r"\\\\", "").str.contains(ODD, literal=True))
    assert named.height >= 1 and named.height == after.quarantined.height - before.quarantined.height
    # An older reading may stand in the place of one that nobody can date.
    assert before.good.height - named.height <= after.good.height <= before.good.height


def test_a_measurement_of_no_day_is_put_aside() -> None:
    last = '"median_tpot": 0.03\n  },\n  "date": '
    found = checked("inferencex", f'{last}"2026-10-01"', f'{last}"{ODD}"')
    assert set(found.quarantined["rule"]) == {"measured_on_not_null"} and found.good.height > 0


@pytest.mark.parametrize(
    "text",
    ["2026-06-01", "2026-06-01T00:00:00Z", "2026-06-01T02:00:00+02:00", "2026-06-01 00:00:00", "2026-06-01T00:00:00.000", ODD, "soon"],
)
def test_one_text_is_read_as_a_column_is(text: str) -> None:
    one, column = instant(text), pl.select(instant_of(pl.lit(text))).item()
    assert (one and one.replace(tzinfo=None)) == column and (column is None) == (text in (ODD, "soon"))
