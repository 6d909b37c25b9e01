SELECT r.provider, r.region, r.certification, r.is_verified, r.source_url, r.source_on, r.note
FROM raw.reference_region_certification AS r
