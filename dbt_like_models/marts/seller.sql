-- Who stands behind each seller and under whose law, with the source and day of what is verified.
SELECT
    f.provider,
    f.headquarters_country,
    f.parent_group,
    f.is_verified,
    f.source_url,
    f.source_on,
    f.note
FROM raw.reference_provider_fact AS f
