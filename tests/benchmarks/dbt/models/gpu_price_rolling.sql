-- Time-weighted statistics of each series over 7, 30 and 90 days, of the days on which it has a price.
with pieces as (
    select
        series_id, on_day::date as on_date, usd_per_gpu_hour::double as usd,
        epoch(least(until, on_day + interval 1 day)) - epoch(greatest(valid_from, on_day)) as seconds
    from (
        select *, unnest(range(date_trunc('day', valid_from), until, interval 1 day)) as on_day
        from (
            select
                series_id, usd_per_gpu_hour, valid_from,
                least(coalesce(valid_to, 'infinity'), date '{{ var('as_of') }}' + interval 1 day) as until
            from {{ source('version', 'price_history') }}
            where usd_per_gpu_hour is not null
        )
    )
),
days as (
    select
        series_id, on_date, sum(usd * seconds) as total, sum(usd * usd * seconds) as squares, sum(seconds) as seconds, min(usd) as least,
        max(usd) as greatest
    from pieces
    where seconds > 0
    group by all
)
{% for days in [7, 30, 90] %}
select
    series_id, on_date, {{ days }} as window_days, sum(total) over w / sum(seconds) over w as mean_usd_per_gpu_hour,
    sqrt(greatest(sum(squares) over w / sum(seconds) over w - (sum(total) over w / sum(seconds) over w) ** 2, 0)) as volatility,
    min(least) over w as min_usd_per_gpu_hour, max(greatest) over w as max_usd_per_gpu_hour
from days
window w as (partition by series_id order by on_date range between interval {{ days - 1 }} days preceding and current row)
{{ 'union all' if not loop.last }}
{% endfor %}
