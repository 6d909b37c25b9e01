-- severity: warning
-- Two sources that name one machine on the same terms agree to 3%; where they do not, one of them is wrong or speaks of something else.
SELECT
    p.provider,
    p.region,
    p.instance_type,
    p.source,
    p.other_source,
    p.usd_per_gpu_hour,
    p.other_usd_per_gpu_hour
FROM marts.price_disagreement AS p
