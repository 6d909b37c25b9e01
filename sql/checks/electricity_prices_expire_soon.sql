-- severity: warning
-- Within 90 days the newest electricity price of an area is older than the half-year after the one it is for.
SELECT
    e.area,
    max(e.period_to_on) AS newest_period_to_on,
    (max(e.period_to_on) + INTERVAL 270 DAY)::DATE AS expires_on
FROM marts.electricity_price AS e
CROSS JOIN (SELECT max(on_date) AS as_of_on FROM marts.owned_server_cost) AS v
WHERE e.period_to_on IS NOT NULL AND e.consumer_class <> 'wholesale_day_ahead'
GROUP BY e.area, v.as_of_on
HAVING date_diff('day', v.as_of_on, (max(e.period_to_on) + INTERVAL 270 DAY)::DATE) <= 90
