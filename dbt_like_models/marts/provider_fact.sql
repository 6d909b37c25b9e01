SELECT p.provider, p.headquarters_country, p.parent_group, p.note, p.is_verified, p.source_url, p.source_on
FROM raw.reference_provider_fact AS p
