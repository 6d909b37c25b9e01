"""One published study, redone with today's prices: owned against rented H100 servers, after Lenovo Press LP2368.

Run it with `marimo run docs/notebooks/own_or_rent.py -- --published data/published/current`, or `marimo edit` to change it. It reads the
published Parquet only. marimo is not a dependency of the project: `uv run --with marimo --with altair marimo run ...`.
"""

import marimo

app = marimo.App(width="medium")


@app.cell
def _():
    from pathlib import Path

    import marimo as mo
    import polars as pl

    published = Path(mo.cli_args().get("published") or "data/published/current")
    breakdown = pl.read_parquet(published / "bi" / "owned_cost_breakdown.parquet")
    market = pl.read_parquet(published / "bi" / "market_today.parquet")
    return breakdown, market, mo, pl


@app.cell
def _(mo):
    mo.md(
        """
        # Own or rent an 8xH100 server: the study of February 2026, today

        Lenovo Press LP2368 (4 February 2026) compares an owned server of eight H100 with renting the like on demand, and finds that the
        server is paid back after 2,720 hours of use (LP2368-1 in `docs/validation.md`); all-in, with interest, staff and space, owning wins
        from 0.19 of the hours (LP2368-6).

        Here stands the same sum with the prices of the published warehouse, each with its age.
        """
    )
    return


@app.cell
def _(breakdown, mo, pl):
    server = breakdown.filter((pl.col("hardware") == "8x-h100-sxm-80") & (pl.col("electricity_area") == "US"))
    parts = server.select("cost_part", "low_fixed_usd_per_hour", "base_fixed_usd_per_hour", "high_fixed_usd_per_hour", "price_age_days")
    mo.vstack([mo.md("## An owned hour, part by part (USD, used or not)"), mo.ui.table(parts)])
    return (server,)


@app.cell
def _(market, mo, pl):
    today = market.row(
        by_predicate=(pl.col("gpu") == "h100-sxm-80")
        & (pl.col("purchase_option") == "on_demand")
        & (pl.col("country_group") == "world")
        & (pl.col("trust_group") == "professional"),
        named=True,
    )
    median, sellers = today["median_usd_per_gpu_hour"], today["seller_count"]
    rent = mo.ui.slider(0.5, 15, 0.01, value=round(median, 2), label=f"USD per GPU-hour (starts at the median of {sellers} sellers)")
    use = mo.ui.slider(0.05, 1, 0.01, value=0.3, label="share of the hours in use")
    mo.vstack([mo.md("## Your own rent and use"), rent, use])
    return rent, use


@app.cell
def _(mo, pl, rent, server, use):
    fixed = server["base_fixed_usd_per_hour"].sum()
    variable = server["base_variable_usd_per_hour"].sum()
    rented = rent.value * 8
    even = fixed / (rented - variable) if rented > variable else None
    own_hour = (fixed + use.value * variable) / use.value
    said = "never" if even is None or even > 1 else f"from {even:.0%} of the hours in use"
    mo.md(
        f"""
        At {rent.value:.2f} USD per GPU-hour owning is cheaper **{said}**; the study had 19%, at the list prices of its day.

        At {use.value:.0%} use an hour of use costs {own_hour:,.2f} USD owned and {rented:,.2f} USD rented (without losses of packing).
        The server's list price is {server["price_age_days"].max()} days old.
        """
    )
    return


if __name__ == "__main__":
    app.run()
