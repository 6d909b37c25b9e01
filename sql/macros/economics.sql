-- The formulas of pipelines.economics for analysts: same names, arguments and units. Bad input gives NULL. An amount lies between 0 and
-- 1e308, which neither NaN nor infinity does. No macro calls another, so that all work in an attached file too.

-- Share of a capital that is paid each year to recover it with interest: rate per year, years; per year.
CREATE MACRO marts.capital_recovery_factor(rate, years) AS
    CASE
        WHEN NOT (rate BETWEEN 0 AND 1e308 AND years BETWEEN 0 AND 1e308 AND years > 0) THEN NULL
        WHEN rate = 0 THEN 1 / years::DOUBLE
        ELSE rate / (1 - pow(1 + rate::DOUBLE, -years::DOUBLE))
    END;

-- Share of its price that hardware keeps after age_years; the decline is in orders of magnitude per year.
CREATE MACRO marts.residual_share(age_years, decline_per_year := 0.14) AS
    CASE
        WHEN age_years BETWEEN 0 AND 1e308 AND decline_per_year BETWEEN 0 AND 1e308
            THEN pow(10, -(decline_per_year::DOUBLE * age_years))
    END;

-- USD per million tokens of a machine that costs usd_per_hour, makes tokens_per_second and is in use utilisation_share of the time.
CREATE MACRO marts.usd_per_million_tokens(usd_per_hour, tokens_per_second, utilisation_share := 1.0) AS
    CASE
        WHEN
            usd_per_hour BETWEEN 0 AND 1e308 AND tokens_per_second BETWEEN 0 AND 1e308 AND tokens_per_second > 0
            AND utilisation_share > 0 AND utilisation_share <= 1
            THEN usd_per_hour::DOUBLE / (tokens_per_second::DOUBLE * 0.0036 * utilisation_share)
    END;

-- USD per hour of use of rented capacity by purchase option, with idle hours, imperfect packing and interruptions.
CREATE MACRO marts.effective_cloud_usd_per_hour(
    usd_per_hour, purchase_option, utilisation_share := 1.0, packing_share := 1.0, waste_share := 0.0
) AS
    CASE
        WHEN NOT (
            usd_per_hour BETWEEN 0 AND 1e308 AND utilisation_share > 0 AND utilisation_share <= 1 AND packing_share > 0
            AND packing_share <= 1 AND waste_share >= 0 AND waste_share < 1
        ) THEN NULL
        WHEN purchase_option = 'on_demand' THEN usd_per_hour::DOUBLE / packing_share
        WHEN purchase_option = 'spot' THEN usd_per_hour::DOUBLE / ((1 - waste_share::DOUBLE) * packing_share)
        WHEN purchase_option IN ('commitment', 'capacity_block', 'dedicated_month') THEN usd_per_hour::DOUBLE / utilisation_share
    END;

-- USD per million tokens of an API in the workload's own mix of input and output; prices per million tokens.
CREATE MACRO marts.blended_api_usd_per_million(
    input_usd, output_usd, input_tokens, output_tokens, cached_input_share := 0.0, cached_input_usd := NULL, batch_factor := 1.0
) AS
    CASE
        WHEN
            input_usd BETWEEN 0 AND 1e308 AND output_usd BETWEEN 0 AND 1e308 AND input_tokens BETWEEN 0 AND 1e308
            AND output_tokens BETWEEN 0 AND 1e308 AND input_tokens + output_tokens > 0
            AND cached_input_share >= 0 AND cached_input_share <= 1
            AND (cached_input_usd IS NULL OR cached_input_usd BETWEEN 0 AND 1e308) AND batch_factor BETWEEN 0 AND 1e308 AND batch_factor > 0
            THEN batch_factor * (
                input_tokens * (
                    (1 - cached_input_share::DOUBLE) * input_usd
                    + cached_input_share::DOUBLE * coalesce(cached_input_usd::DOUBLE, input_usd::DOUBLE)
                )
                + output_tokens * output_usd::DOUBLE
            ) / (input_tokens::DOUBLE + output_tokens)
    END;

-- Share of the hours from which owning is cheaper than renting, all in USD per machine-hour; NULL where renting is cheaper at any use.
CREATE MACRO marts.break_even_utilisation(fixed_usd_per_hour, variable_usd_per_hour, rented_usd_per_hour) AS
    CASE
        WHEN
            fixed_usd_per_hour BETWEEN 0 AND 1e308 AND variable_usd_per_hour BETWEEN 0 AND 1e308 AND rented_usd_per_hour BETWEEN 0 AND 1e308
            AND rented_usd_per_hour > variable_usd_per_hour
            AND fixed_usd_per_hour <= rented_usd_per_hour::DOUBLE - variable_usd_per_hour
            THEN fixed_usd_per_hour::DOUBLE / (rented_usd_per_hour::DOUBLE - variable_usd_per_hour)
    END;

-- Hours after which the capital is paid back by the saving, without interest; NULL where there is no saving.
CREATE MACRO marts.break_even_hours(capex_usd, rent_usd_per_hour, operate_usd_per_hour) AS
    CASE
        WHEN
            capex_usd BETWEEN 0 AND 1e308 AND rent_usd_per_hour BETWEEN 0 AND 1e308 AND operate_usd_per_hour BETWEEN 0 AND 1e308
            AND rent_usd_per_hour > operate_usd_per_hour
            THEN capex_usd::DOUBLE / (rent_usd_per_hour::DOUBLE - operate_usd_per_hour)
    END;
