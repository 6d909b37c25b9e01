"""Queries that several pages share. All read schema `bi` and say the rate of their day, so that the page can speak in euros.

Does not belong here: a query of one page.
"""

# What a page opens with where it has the choice.
QUESTION = {"model": "Llama-3.1-70B", "precision": "fp8", "workload": "business_hours_1024_1024", "group": "world"}

TODAY = "(SELECT max(as_of_on) FROM bi.data_age)"
# The euro rate of the day of the version, and of every day.
RATE = "(SELECT max_by(1 / units_per_eur, on_date) AS eur_per_usd FROM marts.fx_rate WHERE currency = 'USD')"
RATES = "(SELECT on_date AS rate_on, 1 / units_per_eur AS eur_per_usd FROM marts.fx_rate WHERE currency = 'USD')"

OPTION = "CASE WHEN purchase_option = 'commitment' THEN 'commitment_' || commitment_months || '_months' ELSE purchase_option END"
# Commitments by class of their length, as the market is counted.
CLASSED_OPTION = "CASE WHEN purchase_option = 'commitment' THEN 'commitment_' || commitment_class ELSE purchase_option END"
CLASS = """CASE WHEN commitment_months IS NULL THEN 'none' WHEN commitment_months <= 6 THEN 'up_to_6_months'
    WHEN commitment_months <= 18 THEN '7_to_18_months' ELSE 'over_18_months' END"""

GROUPS_SHOWN = "('world', 'EU', 'US', 'FR', 'DE', 'FI', 'NL', 'GB')"

# Quartiles of fewer sellers say nothing.
FEWEST_FOR_QUARTILES = 4
QUARTILES_OF_ENOUGH = ", ".join(
    f"if(seller_count >= {FEWEST_FOR_QUARTILES}, {q}_usd_per_gpu_hour, NULL) AS {q}_usd_per_gpu_hour" for q in ("p25", "p75")
)

OWN_OR_RENT = f"""
    SELECT o.* EXCLUDE (on_date, base_eur_per_million_output_tokens) REPLACE ({QUARTILES_OF_ENOUGH}), r.eur_per_usd
    FROM bi.own_or_rent AS o CROSS JOIN {RATE} AS r WHERE country_group IN {GROUPS_SHOWN} ORDER BY ALL
"""

WAYS = f"""
    SELECT w.* EXCLUDE (on_date, base_eur_per_million_output_tokens, base_usd_per_gpu_hour, output_tokens_per_second_per_gpu), r.eur_per_usd
    FROM bi.ways AS w CROSS JOIN {RATE} AS r WHERE country_group IN {GROUPS_SHOWN} ORDER BY country_group, model, precision, workload, place
"""

HEALTH = "SELECT * EXCLUDE (as_of_on, last_good_fetch_at) FROM bi.data_health ORDER BY is_bundled, source"

# Which countries a group consists of; no row: anywhere.
GROUPS = """
    SELECT 'EU' AS country_group, unnest(marts.eu_countries()) AS country
    UNION ALL SELECT country, country FROM (SELECT DISTINCT country FROM bi.price_today WHERE country IS NOT NULL) ORDER BY ALL
"""
