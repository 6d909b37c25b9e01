"""A mart as it is written: rounded, with the products that its contract declares."""

from __future__ import annotations

import polars as pl
import pytest

from pipelines.catalogue.contracts import ContractError, catalogue
from pipelines.catalogue.models import as_written

CONTRACT = catalogue().tables["break_even"]


def row(**other: object) -> pl.LazyFrame:
    schema = {name: kind for name, kind in CONTRACT.polars_schema().items() if name not in CONTRACT.products}
    return pl.LazyFrame([{name: other.get(name) for name in schema}], schema=schema)


def test_a_product_is_that_of_the_figures_as_they_are_written() -> None:
    written = CONTRACT.conform(as_written(row(capex_usd=300_000 / 7, eur_per_usd=1 / 1.1623), CONTRACT)).collect().row(0, named=True)
    assert (written["capex_usd"], written["eur_per_usd"]) == (42857.1428571, 0.860363073217)
    assert written["capex_eur"] == 42857.1428571 * 0.860363073217
    assert written["rented_eur_per_hour"] is None


def test_what_does_not_belong_in_the_table_is_said_by_its_contract() -> None:
    with pytest.raises(ContractError, match="'other' is not in the contract"):
        CONTRACT.conform(as_written(row().with_columns(other=1), CONTRACT))
