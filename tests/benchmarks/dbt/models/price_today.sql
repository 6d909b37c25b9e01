-- The latest price of each series.
select *
from {{ source('version', 'price_history') }}
qualify row_number() over (partition by series_id order by valid_from desc) = 1
