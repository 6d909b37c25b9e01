"""Pure formulas of owning, renting and serving: no I/O, and nothing of ours imported.

Each closed formula is written once and takes floats or polars expressions: on floats bad input raises ValueError naming the
argument, in expressions it gives NULL.
"""

from pipelines.economics.capital import (
    OnPremServer,
    annual_capital_cost,
    annual_write_off,
    capital_recovery_factor,
    node_power_kw,
    on_prem_usd_per_hour,
    operating_usd_per_hour,
    residual_share,
)
from pipelines.economics.cloud import effective_cloud_usd_per_hour, restart_waste_share, spot_waste_share
from pipelines.economics.comparison import break_even_hours, break_even_utilisation, npv_payback_months
from pipelines.economics.forward import implied_forward_usd, implied_yearly_factor
from pipelines.economics.hybrid import HybridPlan, IntegerPlan, hybrid_plan
from pipelines.economics.serving import (
    blended_api_usd_per_million,
    decode_roof_tokens_per_second,
    joules_per_token,
    output_tokens_per_second,
    prefill_roof_tokens_per_second,
    usd_per_million_tokens,
)

__all__ = [
    "HybridPlan",
    "IntegerPlan",
    "OnPremServer",
    "annual_capital_cost",
    "annual_write_off",
    "blended_api_usd_per_million",
    "break_even_hours",
    "break_even_utilisation",
    "capital_recovery_factor",
    "decode_roof_tokens_per_second",
    "effective_cloud_usd_per_hour",
    "hybrid_plan",
    "implied_forward_usd",
    "implied_yearly_factor",
    "joules_per_token",
    "node_power_kw",
    "npv_payback_months",
    "on_prem_usd_per_hour",
    "operating_usd_per_hour",
    "output_tokens_per_second",
    "prefill_roof_tokens_per_second",
    "residual_share",
    "restart_waste_share",
    "spot_waste_share",
    "usd_per_million_tokens",
]
