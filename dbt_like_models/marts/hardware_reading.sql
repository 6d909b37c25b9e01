-- What pages of the last years report that hardware costs, new and used, beside the quotes that owning is computed from.
SELECT
    r.reading_number,
    r.hardware_as_named,
    r.gpu,
    r.hardware_kind,
    r.gpu_count,
    r.condition,
    r.native_amount::DOUBLE AS native_amount,
    r.currency,
    r.is_tax_included,
    r.vendor,
    r.price_on,
    r.date_precision,
    (r.price_on + INTERVAL 365 DAY)::DATE AS expires_on,
    r.source_url,
    r.note
FROM raw.reference_hardware_reading AS r
