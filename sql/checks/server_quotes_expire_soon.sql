-- severity: warning
-- Within 90 days the newest quote of a server is a year old, or it became so lately: owning it then rests on a last known price.
SELECT
    h.hardware,
    max(h.price_on) AS newest_quote_on,
    (max(h.price_on) + INTERVAL 365 DAY)::DATE AS expires_on,
    date_diff('day', v.as_of_on, (max(h.price_on) + INTERVAL 365 DAY)::DATE) AS days_left
FROM marts.hardware_price AS h
CROSS JOIN (SELECT max(on_date) AS as_of_on FROM marts.owned_server_cost) AS v
WHERE h.hardware_kind = 'server'
GROUP BY h.hardware, v.as_of_on
HAVING date_diff('day', v.as_of_on, (max(h.price_on) + INTERVAL 365 DAY)::DATE) BETWEEN -365 AND 90
