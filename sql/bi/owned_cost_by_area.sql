-- What an hour of each owned server costs by where it stands, on the day of the version: its fixed and its variable cost with the electricity, space and salaries of the area, which bi.site_cost lists with their sources. Date and age are those of the server's price.
-- stored: it speaks of one day, and weighs each tariff by its age.
WITH placed AS (
    SELECT
        b.*,
        there.electricity_area AS area,
        there.electricity_usd_per_kwh,
        there.electricity_usd_per_kwh / here.electricity_usd_per_kwh AS energy_factor,
        CASE b.cost_part
            WHEN 'energy' THEN energy_factor
            WHEN 'space' THEN there.colocation_usd_per_kw_month / here.colocation_usd_per_kw_month
            WHEN 'staff' THEN there.staff_usd_per_fte_year / here.staff_usd_per_fte_year
            ELSE 1
        END AS factor
    FROM bi.owned_cost_breakdown AS b
    INNER JOIN bi.site_cost AS here ON here.electricity_area = b.electricity_area
    CROSS JOIN bi.site_cost AS there
),

hour AS (
    SELECT
        on_date,
        hardware,
        electricity_area AS of_area,
        area,
        any_value(electricity_usd_per_kwh) AS electricity_usd_per_kwh,
        any_value(energy_factor) AS energy_factor,
        sum(low_fixed_usd_per_hour * factor) AS low_fixed,
        sum(base_fixed_usd_per_hour * factor) AS base_fixed,
        sum(high_fixed_usd_per_hour * factor) AS high_fixed,
        sum(base_fixed_eur_per_hour * factor) AS base_fixed_eur
    FROM placed
    GROUP BY on_date, hardware, electricity_area, area
)

SELECT
    s.on_date,
    s.hardware,
    h.area AS electricity_area,
    s.gpu,
    s.gpu_count,
    s.base_capex_usd,
    h.low_fixed AS low_fixed_usd_per_hour,
    h.base_fixed AS base_fixed_usd_per_hour,
    h.high_fixed AS high_fixed_usd_per_hour,
    s.low_variable_usd_per_hour * h.energy_factor AS low_variable_usd_per_hour,
    s.base_variable_usd_per_hour * h.energy_factor AS base_variable_usd_per_hour,
    s.high_variable_usd_per_hour * h.energy_factor AS high_variable_usd_per_hour,
    h.base_fixed_eur AS base_fixed_eur_per_hour,
    h.electricity_usd_per_kwh,
    s.price_as_of_on,
    s.price_age_days
FROM hour AS h
INNER JOIN marts.owned_server_cost AS s ON s.on_date = h.on_date AND s.hardware = h.hardware AND s.electricity_area = h.of_area
-- Of two areas that a server is priced for, the one that it is asked for is not derived from the other.
QUALIFY row_number() OVER (PARTITION BY s.hardware, h.area ORDER BY h.of_area <> h.area, h.of_area) = 1
ORDER BY s.hardware, h.area
