-- severity: warning
-- Prices of H100 rose through 2026: when the newest one anywhere is older than 60 days, every comparator is a guess about the past.
SELECT
    max(p.price_as_of_on) AS newest_price_on,
    min(p.price_age_days) AS age_days
FROM marts.price_today AS p
WHERE p.gpu LIKE 'h100-%' AND p.purchase_option = 'on_demand'
HAVING min(p.price_age_days) > 60
