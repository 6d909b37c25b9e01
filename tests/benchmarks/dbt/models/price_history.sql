select * from {{ source('version', 'price_history') }}
