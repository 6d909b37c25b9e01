-- Prices in force at an instant: SELECT * FROM marts.price_at('2025-06-22').
CREATE MACRO marts.price_at(instant) AS TABLE
SELECT *
FROM marts.price_history
WHERE valid_from <= instant::TIMESTAMP AND (valid_to IS NULL OR valid_to > instant::TIMESTAMP);
