-- Two intervals of a series at one instant would count its price twice in every mean.
SELECT
    a.series_id,
    a.valid_from,
    a.next_from,
    a.valid_to
FROM (
    SELECT
        series_id,
        valid_from,
        valid_to,
        lead(valid_from) OVER (PARTITION BY series_id ORDER BY valid_from) AS next_from
    FROM marts.price_history
) AS a
WHERE a.next_from < coalesce(a.valid_to, 'infinity'::TIMESTAMP) OR a.valid_to <= a.valid_from
