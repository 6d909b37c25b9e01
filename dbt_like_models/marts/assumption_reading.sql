-- Readings that the cost assumptions rest on or may be held against, with the page of each.
SELECT
    r.reading_number,
    r.assumption,
    r.scope,
    r.low,
    r.base,
    r.high,
    r.assumption_unit,
    r.period,
    r.period_to_on,
    r.is_second_hand,
    r.source_url,
    r.note
FROM raw.reference_assumption_reading AS r
