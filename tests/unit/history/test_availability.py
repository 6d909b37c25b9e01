"""What a whole answer of its source no longer lists is unlisted from that day on, until it is listed again; of nothing else is it said."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest

from pipelines.catalogue.contracts import catalogue
from pipelines.history.availability import WholeAnswer, statements_after

KEY = list(catalogue().keys["series"])
LIMIT_DAYS = 45
# Name of the source, day of the last observation, and how good the source is.
Known = tuple[str, str, int, int]


def at(day: int) -> dt.datetime:
    return dt.datetime(2026, 1, 1, 6) + dt.timedelta(days=day - 1)


def key_of(*skus: str) -> pl.DataFrame:
    schema = {name: pl.Int64 if name == "commitment_months" else pl.String for name in KEY}
    return pl.DataFrame(
        [
            {**dict.fromkeys(KEY), "provider": "a_cloud", "seller": sku.split("_at_")[1] if "_at_" in sku else "a_cloud", "sku": sku}
            for sku in skus
        ],
        schema=schema,
    )


class Fold:
    """The statements after each of several days. A day names what each source lists, with the stock that it states."""

    def __init__(self) -> None:
        self.statements = pl.DataFrame(schema=catalogue().tables["availability_statement"].polars_schema())
        self._last: dict[tuple[str, str], dict[str, Any]] = {}

    def day(self, day: int, *, precedence: int = 100, source: str = "a_source", is_whole: bool = True, **stock: str | None) -> Fold:
        for sku in stock:
            self._last[source, sku] = {
                **key_of(sku).row(0, named=True),
                "source": source,
                "last_confirmed_at": at(day),
                "precedence": precedence,
                "staleness_limit_days": LIMIT_DAYS,
            }
        schema = catalogue().tables["reference_observation"].polars_schema()
        reference = pl.DataFrame([{**dict.fromkeys(schema), **row} for row in self._last.values()], schema=schema)
        feed = catalogue().feed_schema("observation")
        seen = [{**dict.fromkeys(feed), **self._last[source, sku], "stock": said} for sku, said in stock.items()]
        observed = pl.DataFrame(seen, schema=feed)
        answers = [WholeAnswer(source, at(day), key_of(*stock))] if is_whole else []
        self.statements = statements_after(self.statements, observed, answers, reference, at(day).date())
        return self

    def said(self, sku: str) -> list[tuple[int, str | None]]:
        own = self.statements.filter(pl.col("sku") == sku)
        return [((day - at(1).date()).days + 1, said) for day, said in own.select("stated_on", "offer_state").rows()]


def test_what_is_listed_every_day_needs_no_word() -> None:
    assert Fold().day(1, h100=None).day(2, h100=None).statements.is_empty()


def test_what_is_no_longer_listed_is_so_from_the_first_day_on_and_said_once() -> None:
    fold = Fold().day(1, h100=None, l4=None).day(3, l4=None).day(4, l4=None)
    assert fold.said("h100") == [(3, "unlisted")] and fold.said("l4") == []
    assert fold.day(9, l4=None, h100=None).said("h100") == [(3, "unlisted"), (9, None)]
    assert fold.day(11, l4=None).said("h100") == [(3, "unlisted"), (9, None), (11, "unlisted")]


def test_a_seller_of_whom_a_list_says_nothing_at_all_is_not_judged_by_it() -> None:
    fold = Fold().day(1, h100_at_one=None, h100_at_other=None, l4_at_other=None).day(2, l4_at_other=None)
    assert fold.said("h100_at_other") == [(2, "unlisted")] and fold.said("h100_at_one") == []


def test_a_source_that_failed_or_answered_in_part_withdraws_nothing() -> None:
    fold = Fold().day(1, h100=None, l4=None).day(2, l4=None, is_whole=False).day(3, is_whole=False)
    assert fold.said("h100") == []
    # Long after: the first whole answer settles it, however old the price is by then.
    assert fold.day(200, l4=None).said("h100") == [(200, "unlisted")]


def test_another_source_withdraws_nothing_and_brings_nothing_back_while_the_better_one_speaks() -> None:
    fold = Fold().day(1, h100=None).day(1, source="hub", precedence=200, h100=None, l4=None)
    assert fold.day(2, source="hub", precedence=200, l4=None).said("h100") == []
    fold.day(3, l4=None).day(3, source="hub", precedence=200, h100="available")
    assert fold.said("h100") == [(3, "unlisted")]
    # The seller's own page has said nothing of it for so long that the history takes the hub's price: so does this.
    later = 1 + LIMIT_DAYS
    assert fold.day(later, source="hub", precedence=200, h100=None).said("h100") == [(3, "unlisted")]
    assert fold.day(later + 1, source="hub", precedence=200, h100=None).said("h100") == [(3, "unlisted"), (later + 1, None)]


def test_stock_is_said_from_the_day_on_which_it_changes() -> None:
    fold = Fold().day(1, h100="available").day(2, h100="available").day(3, h100="none").day(4, h100=None).day(5, h100="scarce")
    assert fold.said("h100") == [(1, "available"), (3, "none"), (5, "scarce")]
    assert fold.day(6, l4=None).day(7, h100="none", l4=None).said("h100")[3:] == [(6, "unlisted"), (7, "none")]


def test_what_is_said_twice_on_a_day_is_said_last() -> None:
    assert Fold().day(1, h100="none").day(1, h100="available").said("h100") == [(1, "available")]


@pytest.mark.parametrize(("left", "withdrawn"), [(13, 0), (14, 6), (15, 5)])
def test_an_answer_that_lost_a_part_of_its_list_withdraws_nothing(left: int, withdrawn: int) -> None:
    # 20 of which more than 30% and more than ten would go: at most six do.
    names = [f"h{n:02}" for n in range(20)]
    many = [f"{name}-{n}" for name in names for n in range(2)]
    fold = Fold().day(1, **dict.fromkeys(many)).day(2, **dict.fromkeys(many[: 2 * left]))
    assert fold.statements.height == 2 * withdrawn
    # What it still does not list when its limit has passed is withdrawn then.
    fold.day(2 + LIMIT_DAYS, **dict.fromkeys(many[: 2 * left]))
    assert fold.statements.height == 2 * (20 - left)


def test_the_order_of_rows_changes_nothing() -> None:
    def folded(names: Sequence[str]) -> pl.DataFrame:
        return Fold().day(1, **dict.fromkeys(names, "none")).day(2, **dict.fromkeys(names[1:])).statements

    names = ["a100", "h100", "l4"]
    assert folded(names).filter(pl.col("sku") == "h100").equals(folded([*names[:1], *reversed(names[1:])]).filter(pl.col("sku") == "h100"))
