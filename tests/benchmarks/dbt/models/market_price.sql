-- The market of each accelerator among professional sellers anywhere, day by day, as days on which a figure changed.
with priced as (
    select
        series_id, seller, gpu, form_factor, purchase_option, usd_per_gpu_hour,
        case
            when commitment_months is null then 'none'
            when commitment_months <= 6 then 'up_to_6_months'
            when commitment_months <= 18 then '7_to_18_months'
            else 'over_18_months'
        end as commitment_class,
        source in ('archive_aggregators_2026', 'gpu_rental_prices', 'gpuhunt', 'skypilot_catalog', 'us_ai_infra') as is_third_party,
        trust_tier in ('datacenter', 'secure') as is_professional,
        least(observed_at::date, date '{{ var('as_of') }}') as seen_on,
        valid_from::date as from_on,
        coalesce(valid_to::date, date '{{ var('as_of') }}' + 1) as expires_on,
        lead(valid_from) over (partition by series_id order by valid_from)::date as following
    from {{ source('version', 'price_history') }}
    where gpu is not null and form_factor is not null
),
by_day as (
    select
        * exclude (following),
        unnest(range(from_on::timestamp, least(following, seen_on + 366, date '{{ var('as_of') }}' + 1)::timestamp, interval 1 day))::date
            as on_date
    from priced
    where usd_per_gpu_hour is not null and is_professional
),
lacking as (
    select distinct series_id from {{ source('version', 'offer_availability') }} where offer_state in ('none', 'on_request', 'unlisted')
),
said as (
    select series_id, stated_on, offer_state from {{ source('version', 'offer_availability') }} semi join lacking using (series_id)
),
judged as (
    select by_day.*, said.offer_state
    from (from by_day semi join lacking using (series_id)) as by_day
    asof left join said on by_day.series_id = said.series_id and by_day.on_date >= said.stated_on
),
offers as (
    select * from by_day anti join lacking using (series_id)
    union all
    select * exclude (offer_state) from judged where coalesce(offer_state, '') not in ('none', 'on_request', 'unlisted')
),
ranked as (
    select *, 2 * is_third_party::int + (on_date >= expires_on)::int as place from offers
),
best as (
    select *
    from ranked
    qualify place = min(place) over (partition by gpu, form_factor, purchase_option, commitment_class, on_date, seller)
),
speaking as (
    select *
    from best
    qualify place % 2 = 0 or max(seen_on) over (partition by gpu, form_factor, purchase_option, commitment_class, on_date, seller) - seen_on <= 45
),
votes as (
    select
        gpu, form_factor, purchase_option, commitment_class, on_date, seller,
        min(usd_per_gpu_hour) as usd_per_gpu_hour, count(*) as offer_count, bool_or(place % 2 = 0) as is_current
    from speaking
    group by all
),
figures as (
    select
        gpu, form_factor, purchase_option, commitment_class, on_date,
        count(*) as seller_count, sum(offer_count)::bigint as offer_count,
        min(usd_per_gpu_hour) as cheapest, quantile_disc(usd_per_gpu_hour, 0.25) as p25, quantile_disc(usd_per_gpu_hour, 0.5) as median,
        quantile_disc(usd_per_gpu_hour, 0.75) as p75, max(usd_per_gpu_hour) as dearest,
        count(*) filter (where not is_current) as last_known_seller_count
    from votes
    group by all
),
compared as (
    select
        *,
        (seller_count, offer_count, cheapest, p25, median, p75, dearest, last_known_seller_count) as figure,
        lag(figure) over market as figure_before,
        lag(on_date) over market as day_before
    from figures
    window market as (partition by gpu, form_factor, purchase_option, commitment_class order by on_date)
)
select * exclude (figure, figure_before, day_before)
from compared
where figure is distinct from figure_before or on_date - day_before is distinct from 1
