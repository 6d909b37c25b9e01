-- The formulas of pipelines.economics for analysts: same names, arguments and units. Bad input gives NULL; NaN would pass a comparison.
CREATE MACRO marts.is_amount(x) AS x >= 0 AND isfinite(x::DOUBLE);

CREATE MACRO marts.capital_recovery_factor(rate, years) AS
    CASE
        WHEN NOT (marts.is_amount(rate) AND marts.is_amount(years) AND years > 0) THEN NULL
        WHEN rate = 0 THEN 1 / years::DOUBLE
        ELSE rate / (1 - pow(1 + rate::DOUBLE, -years::DOUBLE))
    END;

CREATE MACRO marts.residual_share(age_years, decline_per_year := 0.14) AS
    CASE
        WHEN marts.is_amount(age_years) AND marts.is_amount(decline_per_year)
            THEN pow(10, -(decline_per_year::DOUBLE * age_years))
    END;

CREATE MACRO marts.usd_per_million_tokens(usd_per_hour, tokens_per_second, utilisation_share := 1.0) AS
    CASE
        WHEN
            marts.is_amount(usd_per_hour) AND marts.is_amount(tokens_per_second) AND tokens_per_second > 0
            AND utilisation_share > 0 AND utilisation_share <= 1
            THEN usd_per_hour::DOUBLE / (tokens_per_second::DOUBLE * 0.0036 * utilisation_share)
    END;

CREATE MACRO marts.effective_cloud_usd_per_hour(
    usd_per_hour, purchase_option, utilisation_share := 1.0, packing_share := 1.0, waste_share := 0.0
) AS
    CASE
        WHEN NOT (
            marts.is_amount(usd_per_hour) AND utilisation_share > 0 AND utilisation_share <= 1 AND packing_share > 0
            AND packing_share <= 1 AND waste_share >= 0 AND waste_share < 1
        ) THEN NULL
        WHEN purchase_option = 'on_demand' THEN usd_per_hour::DOUBLE / packing_share
        WHEN purchase_option = 'spot' THEN usd_per_hour::DOUBLE / ((1 - waste_share::DOUBLE) * packing_share)
        WHEN purchase_option IN ('commitment', 'capacity_block', 'dedicated_month') THEN usd_per_hour::DOUBLE / utilisation_share
    END;

CREATE MACRO marts.blended_api_usd_per_million(
    input_usd, output_usd, input_tokens, output_tokens, cached_input_share := 0.0, cached_input_usd := NULL, batch_factor := 1.0
) AS
    CASE
        WHEN
            marts.is_amount(input_usd) AND marts.is_amount(output_usd) AND marts.is_amount(input_tokens)
            AND marts.is_amount(output_tokens) AND output_tokens > 0 AND cached_input_share >= 0 AND cached_input_share <= 1
            AND (cached_input_usd IS NULL OR marts.is_amount(cached_input_usd)) AND marts.is_amount(batch_factor) AND batch_factor > 0
            THEN batch_factor * (
                input_tokens * (
                    (1 - cached_input_share::DOUBLE) * input_usd
                    + cached_input_share::DOUBLE * coalesce(cached_input_usd::DOUBLE, input_usd::DOUBLE)
                )
                + output_tokens * output_usd::DOUBLE
            ) / (input_tokens::DOUBLE + output_tokens)
    END;

CREATE MACRO marts.break_even_utilisation(fixed_usd_per_hour, variable_usd_per_hour, rented_usd_per_hour) AS
    CASE
        WHEN
            marts.is_amount(fixed_usd_per_hour) AND marts.is_amount(variable_usd_per_hour) AND marts.is_amount(rented_usd_per_hour)
            AND rented_usd_per_hour > variable_usd_per_hour
            AND fixed_usd_per_hour <= rented_usd_per_hour::DOUBLE - variable_usd_per_hour
            THEN fixed_usd_per_hour::DOUBLE / (rented_usd_per_hour::DOUBLE - variable_usd_per_hour)
    END;

CREATE MACRO marts.break_even_hours(capex_usd, rent_usd_per_hour, operate_usd_per_hour) AS
    CASE
        WHEN
            marts.is_amount(capex_usd) AND marts.is_amount(rent_usd_per_hour) AND marts.is_amount(operate_usd_per_hour)
            AND rent_usd_per_hour > operate_usd_per_hour
            THEN capex_usd::DOUBLE / (rent_usd_per_hour::DOUBLE - operate_usd_per_hour)
    END;
