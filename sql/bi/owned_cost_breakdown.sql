-- What an hour of an owned server is made of, on the day of the version: capital, energy, space, maintenance and staff, as a part that is paid whether the server is used or not and a part that grows with its use. The parts sum to marts.owned_server_cost.
-- stored: it speaks of one day, and weighs each server in five parts.
WITH day AS (SELECT max(on_date) AS on_date FROM marts.owned_server_cost),

-- As in the costing: low is the end of each assumption that makes tokens cheap.
assumption AS (
    SELECT a.assumption, a.scope, b.band, CASE b.band WHEN 'base' THEN a.base WHEN 'low' THEN a.cheap ELSE a.dear END AS amount
    FROM (
        SELECT
            *,
            CASE WHEN more_costs_more THEN low ELSE high END AS cheap,
            CASE WHEN more_costs_more THEN high ELSE low END AS dear
        FROM marts.cost_assumption
    ) AS a
    CROSS JOIN (VALUES ('low'), ('base'), ('high')) AS b (band)
),

for_all AS (PIVOT (SELECT assumption, band, amount FROM assumption WHERE scope IS NULL) ON assumption IN (
    'network_share', 'life_years', 'residual_decline_per_year', 'discount_rate', 'maintenance_share', 'colocation_usd_per_kw_month',
    'idle_share_of_load', 'staff_fte_per_node', 'staff_usd_per_fte_year'
) USING max(amount) GROUP BY band),

server AS (
    SELECT
        s.*,
        b.band,
        CASE b.band WHEN 'low' THEN s.low_capex_usd WHEN 'base' THEN s.base_capex_usd ELSE s.high_capex_usd END AS capex,
        CASE b.band WHEN 'low' THEN s.low_load_kw WHEN 'base' THEN s.base_load_kw ELSE s.high_load_kw END AS load_kw,
        CASE b.band
            WHEN 'low' THEN s.low_variable_usd_per_hour WHEN 'base' THEN s.base_variable_usd_per_hour ELSE s.high_variable_usd_per_hour
        END AS energy_of_use
    FROM marts.owned_server_cost AS s
    INNER JOIN day USING (on_date)
    CROSS JOIN (VALUES ('low'), ('base'), ('high')) AS b (band)
    WHERE s.base_fixed_usd_per_hour IS NOT NULL
),

hour AS (
    SELECT
        s.*,
        marts.residual_share(a.life_years, a.residual_decline_per_year) AS residual,
        marts.capital_recovery_factor(a.discount_rate, a.life_years) AS recovery,
        s.capex * ((1 - residual) * recovery + residual * a.discount_rate) / 8760 AS capital,
        s.energy_of_use * a.idle_share_of_load / (1 - a.idle_share_of_load) AS energy,
        a.colocation_usd_per_kw_month * s.load_kw * 12 / 8760 AS space,
        s.capex / (1 + a.network_share) * a.maintenance_share / 8760 AS maintenance,
        a.staff_fte_per_node * a.staff_usd_per_fte_year / 8760 AS staff
    FROM server AS s
    INNER JOIN for_all AS a USING (band)
),

part AS (
    UNPIVOT (SELECT hardware, electricity_area, band, energy_of_use, capital, energy, space, maintenance, staff FROM hour)
    ON capital, energy, space, maintenance, staff INTO NAME cost_part VALUE fixed
),

band AS (
    SELECT
        hardware,
        electricity_area,
        cost_part,
        max(fixed) FILTER (band = 'low') AS low_fixed,
        max(fixed) FILTER (band = 'base') AS base_fixed,
        max(fixed) FILTER (band = 'high') AS high_fixed,
        max(CASE WHEN cost_part = 'energy' THEN energy_of_use ELSE 0 END) FILTER (band = 'base') AS base_variable
    FROM part
    GROUP BY hardware, electricity_area, cost_part
),

rate AS (
    SELECT max_by(1 / units_per_eur, on_date) AS eur_per_usd FROM marts.fx_rate WHERE currency = 'USD' AND on_date <= (SELECT on_date FROM day)
)

SELECT
    s.on_date,
    s.hardware,
    s.electricity_area,
    b.cost_part,
    s.gpu,
    s.gpu_count,
    b.low_fixed AS low_fixed_usd_per_hour,
    b.base_fixed AS base_fixed_usd_per_hour,
    b.high_fixed AS high_fixed_usd_per_hour,
    b.base_variable AS base_variable_usd_per_hour,
    b.base_fixed / s.base_fixed_usd_per_hour AS fixed_cost_share,
    b.base_fixed * r.eur_per_usd AS base_fixed_eur_per_hour,
    s.price_as_of_on,
    s.price_age_days,
    s.is_power_estimated,
    s.is_price_estimated
FROM band AS b
INNER JOIN marts.owned_server_cost AS s USING (hardware, electricity_area)
INNER JOIN day USING (on_date)
CROSS JOIN rate AS r
ORDER BY s.hardware, s.electricity_area, b.cost_part
