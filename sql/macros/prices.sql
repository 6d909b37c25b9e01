-- Table macros. `warehouse` is the name under which the file is attached: its own, `breakeven`, unless it was given another.

-- Prices in force at an instant: SELECT * FROM marts.price_at('2025-06-22').
CREATE MACRO marts.price_at(instant, warehouse := 'breakeven') AS TABLE
SELECT *
FROM query_table(warehouse || '.marts.price_history')
WHERE valid_from <= instant::TIMESTAMP AND (valid_to IS NULL OR valid_to > instant::TIMESTAMP);

-- What this warehouse said at one time about prices at another: SELECT * FROM marts.price_known('2025-06-24', '2025-07-01').
CREATE MACRO marts.price_known(instant, known_at, warehouse := 'breakeven') AS TABLE
SELECT *
FROM query_table(warehouse || '.marts.price_history_versions')
WHERE
    valid_from <= instant::TIMESTAMP
    AND (valid_to IS NULL OR valid_to > instant::TIMESTAMP)
    AND known_from <= known_at::TIMESTAMP
    AND (known_to IS NULL OR known_to > known_at::TIMESTAMP);
