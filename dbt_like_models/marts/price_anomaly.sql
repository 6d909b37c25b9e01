-- What stands out in the last 90 days of the price history: jumps of a series, shifts of many at once, series that end, machines that
-- nobody mapped, sources whose prices never move.
WITH day AS (SELECT CAST(getvariable('as_of') AS DATE) AS as_of_on),

-- Of each series what never changes; the windows over all prices carry no more than they compare.
series AS (
    SELECT h.series_id, min(h.provider) AS provider, min(h.gpu) AS gpu
    FROM marts.price_history AS h
    GROUP BY h.series_id
),

prices AS (
    SELECT
        h.series_id,
        h.source,
        CAST(h.valid_from AS DATE) AS on_date,
        CAST(h.valid_to AS DATE) AS ended_on,
        h.usd_per_hour,
        lag(h.usd_per_hour) OVER by_time AS before_usd_per_hour,
        lead(h.valid_from) OVER by_time IS NULL AS is_last
    FROM marts.price_history AS h
    WINDOW by_time AS (PARTITION BY h.series_id ORDER BY h.valid_from)
),

-- Logarithms: a doubling and a halving weigh the same.
moves AS (
    SELECT
        *,
        ln(usd_per_hour / before_usd_per_hour) AS move
    FROM prices
    WHERE before_usd_per_hour > 0 AND usd_per_hour > 0 AND usd_per_hour <> before_usd_per_hour
),

usual AS (SELECT series_id, count(*) AS move_count, median(abs(move)) AS usual_move FROM moves GROUP BY series_id),

recent AS (
    SELECT m.*, s.provider, s.gpu
    FROM moves AS m
    INNER JOIN series AS s USING (series_id)
    CROSS JOIN day AS d
    WHERE m.on_date > d.as_of_on - 90
),

-- Beyond six times its usual move, where there are eight to say what is usual, and by half at least.
jumps AS (
    SELECT
        'jump' AS anomaly_kind,
        m.on_date,
        m.provider,
        m.source,
        m.gpu,
        m.series_id,
        CAST(1 AS BIGINT) AS series_count,
        exp(m.move) AS price_ratio,
        'from ' || printf('%.4f', m.before_usd_per_hour) || ' to ' || printf('%.4f', m.usd_per_hour) || ' USD per hour' AS detail
    FROM recent AS m
    INNER JOIN usual AS u USING (series_id)
    WHERE
        abs(m.move) > ln(1.5)
        AND abs(m.move) > CASE WHEN u.move_count >= 8 THEN 6 * u.usual_move ELSE 0 END
),

by_day AS (
    SELECT m.source, m.provider, m.on_date, count(*) AS series_count, median(m.move) AS common_move
    FROM recent AS m
    GROUP BY m.source, m.provider, m.on_date
),

-- Ten series and more that move by one factor on one day: a unit, a currency, or a seller that changed its list.
shifts AS (
    SELECT
        'shift' AS anomaly_kind,
        b.on_date,
        b.provider,
        b.source,
        CAST(NULL AS VARCHAR) AS gpu,
        CAST(NULL AS VARCHAR) AS series_id,
        count(*) AS series_count,
        exp(b.common_move) AS price_ratio,
        count(*) || ' of ' || b.series_count || ' prices that moved did so by one factor' AS detail
    FROM by_day AS b
    INNER JOIN recent AS m
        ON b.source = m.source AND b.provider = m.provider AND b.on_date = m.on_date AND abs(m.move - b.common_move) <= 0.01
    WHERE b.series_count >= 10 AND abs(b.common_move) > 0.02
    GROUP BY b.on_date, b.provider, b.source, b.common_move, b.series_count
    HAVING count(*) >= 0.8 * b.series_count
),

ends AS (
    SELECT
        'ended' AS anomaly_kind,
        i.ended_on AS on_date,
        s.provider,
        i.source,
        s.gpu,
        CAST(NULL AS VARCHAR) AS series_id,
        count(*) AS series_count,
        CAST(NULL AS DOUBLE) AS price_ratio,
        'no source shows them any more' AS detail
    FROM prices AS i
    INNER JOIN series AS s USING (series_id)
    CROSS JOIN day AS d
    WHERE i.is_last AND i.ended_on > d.as_of_on - 90 AND i.ended_on <= d.as_of_on
    GROUP BY i.ended_on, s.provider, i.source, s.gpu
),

unmapped AS (
    SELECT
        'unmapped' AS anomaly_kind,
        max(CAST(i.valid_from AS DATE)) AS on_date,
        i.provider,
        i.source,
        CAST(NULL AS VARCHAR) AS gpu,
        CAST(NULL AS VARCHAR) AS series_id,
        count(DISTINCT i.series_id) AS series_count,
        CAST(NULL AS DOUBLE) AS price_ratio,
        'no accelerator is known of ' || coalesce(i.instance_type, 'machines without a type') AS detail
    FROM marts.price_history AS i
    CROSS JOIN day AS d
    WHERE i.gpu IS NULL AND (i.valid_to IS NULL OR CAST(i.valid_to AS DATE) > d.as_of_on - 90)
    GROUP BY i.provider, i.source, i.instance_type
),

per_series AS (
    SELECT
        h.provider,
        h.source,
        h.series_id,
        min(h.native_amount) = max(h.native_amount) AS is_still,
        min(CAST(h.valid_from AS DATE)) AS since_on,
        max(CAST(h.observed_at AS DATE)) AS seen_on
    FROM marts.price_history AS h
    GROUP BY h.provider, h.source, h.series_id
),

-- Half a year of at least ten prices without one move: a page that nobody tends, or a copy.
still AS (
    SELECT
        'never_moves' AS anomaly_kind,
        max(p.seen_on) AS on_date,
        p.provider,
        p.source,
        CAST(NULL AS VARCHAR) AS gpu,
        CAST(NULL AS VARCHAR) AS series_id,
        count(*) AS series_count,
        CAST(NULL AS DOUBLE) AS price_ratio,
        'no price moved in ' || date_diff('day', min(p.since_on), max(p.seen_on)) || ' days' AS detail
    FROM per_series AS p
    GROUP BY p.provider, p.source
    HAVING count(*) >= 10 AND bool_and(p.is_still) AND date_diff('day', min(p.since_on), max(p.seen_on)) >= 180
)

SELECT * FROM jumps
UNION ALL BY NAME
SELECT * FROM shifts
UNION ALL BY NAME
SELECT * FROM ends
UNION ALL BY NAME
SELECT * FROM unmapped
UNION ALL BY NAME
SELECT * FROM still
ORDER BY on_date, anomaly_kind, provider, source, gpu, series_id, detail
