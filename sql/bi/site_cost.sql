-- What an owned server costs by where it stands, on the day of the version: the price of electricity for companies, space and salaries of each area with a known tariff, as decide takes them; what is not known of a country is that of its group. The parts of bi.owned_cost_breakdown are those of US: energy, space and staff of another area are theirs times its price over that of US.
-- stored: it speaks of one day, and weighs each tariff by its age.
WITH day AS (SELECT max(on_date) AS as_of_on FROM marts.owned_server_cost),

rate AS (
    SELECT max_by(units_per_eur, on_date) AS usd_per_eur FROM marts.fx_rate WHERE currency = 'USD' AND on_date <= (SELECT as_of_on FROM day)
),

tariff AS (
    SELECT
        scope AS area,
        base AS usd_per_kwh,
        source_on AS stated_on,
        'assumption' AS source,
        source_detail,
        source_url
    FROM marts.cost_assumption
    WHERE assumption = 'electricity_usd_per_kwh' AND scope IS NOT NULL
    UNION ALL
    -- Of an area's own prices the newest that could be read on the day. Prices of the exchange are nobody's tariff.
    (
        SELECT
            e.area,
            CASE WHEN e.currency = 'EUR' THEN e.native_per_kwh * r.usd_per_eur ELSE e.usd_per_kwh END AS usd_per_kwh,
            e.period_to_on AS stated_on,
            e.source,
            e.source_detail || ', ' || e.consumer_class AS source_detail,
            e.source_url
        FROM marts.electricity_price AS e
        CROSS JOIN rate AS r
        CROSS JOIN day AS d
        WHERE
            e.usd_per_kwh IS NOT NULL
            AND e.consumer_class <> 'wholesale_day_ahead'
            AND coalesce(e.source_on, e.period_to_on, d.as_of_on) <= d.as_of_on
            AND e.area NOT IN (SELECT scope FROM marts.cost_assumption WHERE assumption = 'electricity_usd_per_kwh' AND scope IS NOT NULL)
        QUALIFY row_number() OVER (PARTITION BY e.area ORDER BY e.period_to_on DESC NULLS LAST, source_detail DESC) = 1
    )
),

placed AS (
    SELECT *, CASE WHEN area = 'EU27_2020' THEN 'EU' ELSE split_part(area, '-', 1) END AS country FROM tariff
),

-- The nearest place of which a cost is known: the country, its union, the world, else the United States.
local AS (
    SELECT p.area, a.assumption, a.base, coalesce(a.scope, 'US') AS of_place
    FROM placed AS p
    INNER JOIN marts.cost_assumption AS a
        ON
            a.assumption IN ('colocation_usd_per_kw_month', 'staff_usd_per_fte_year')
            AND (
                a.scope IS NULL
                OR a.scope = p.country
                OR (a.scope = 'EU' AND list_contains(marts.eu_countries(), p.country))
                OR (a.scope = 'world' AND p.country <> 'US')
            )
    QUALIFY
        row_number() OVER (
            PARTITION BY p.area, a.assumption
            ORDER BY CASE WHEN a.scope = p.country THEN 1 WHEN a.scope = 'EU' THEN 2 WHEN a.scope = 'world' THEN 3 ELSE 4 END
        ) = 1
)

SELECT
    p.area AS electricity_area,
    nullif(p.country, 'EU') AS country,
    p.usd_per_kwh AS electricity_usd_per_kwh,
    space.base AS colocation_usd_per_kw_month,
    space.of_place AS colocation_place,
    staff.base AS staff_usd_per_fte_year,
    staff.of_place AS staff_place,
    p.stated_on AS price_as_of_on,
    date_diff('day', p.stated_on, d.as_of_on) AS price_age_days,
    p.source,
    p.source_detail,
    p.source_url
FROM placed AS p
CROSS JOIN day AS d
INNER JOIN local AS space ON space.area = p.area AND space.assumption = 'colocation_usd_per_kw_month'
INNER JOIN local AS staff ON staff.area = p.area AND staff.assumption = 'staff_usd_per_fte_year'
ORDER BY p.area
