"""Tokens: rates, cost per million, energy, and the roofs that physics puts over every measurement.

Does not belong here: what an hour of capacity costs (`capital`, `cloud`).
"""

from __future__ import annotations

from typing import Any

import polars as pl

from pipelines.economics.guards import AT_LEAST_ONE, NOT_NEGATIVE, POSITIVE, POSITIVE_SHARE, SHARE, Number, guarded, is_expression, quotient

# One token per second for an hour is 3,600 tokens: 0.0036 million.
MILLION_TOKENS_PER_HOUR = 0.0036


def usd_per_million_tokens(usd_per_hour: Number, tokens_per_second: Number, utilisation_share: Number = 1.0) -> Any:
    """Cost of a million tokens: usd_h / (tok_s * 0.0036 * u).

    `tokens_per_second` must be the rate of the same thing that `usd_per_hour` pays for: a node's price goes with the node's rate, a
    GPU's with one GPU's.
    """
    return guarded(
        lambda: quotient(usd_per_hour, tokens_per_second * MILLION_TOKENS_PER_HOUR * utilisation_share),
        usd_per_hour=(usd_per_hour, NOT_NEGATIVE),
        tokens_per_second=(tokens_per_second, POSITIVE),
        utilisation_share=(utilisation_share, POSITIVE_SHARE),
    )


def output_tokens_per_second(concurrency: Number, output_tokens: Number, ttft_s: Number, tpot_s: Number) -> Any:
    """Output rate of a run at constant concurrency: c*OSL / (TTFT + TPOT*(OSL-1)).

    `ttft_s` time to the first token, `tpot_s` time per output token after it, both in seconds; at least one of them above 0.
    """

    def formula() -> Any:
        return quotient(concurrency * output_tokens, ttft_s + tpot_s * (output_tokens - 1))

    return guarded(
        formula,
        concurrency=(concurrency, POSITIVE),
        output_tokens=(output_tokens, AT_LEAST_ONE),
        ttft_s=(ttft_s, POSITIVE),
        tpot_s=(tpot_s, NOT_NEGATIVE),
    )


def blended_api_usd_per_million(
    input_usd: Number,
    output_usd: Number,
    input_tokens: Number,
    output_tokens: Number,
    cached_input_share: Number = 0.0,
    cached_input_usd: Number | None = None,
    batch_factor: Number = 1.0,
) -> Any:
    """Price of a million tokens of the workload's own mix of input and output, not of a fixed 3:1.

    `input_usd`, `output_usd`, `cached_input_usd` per million tokens; without a cached price cached input costs as input does.
    `batch_factor` multiplies all (0.5 where a batch API halves the price). Work on the input alone has `output_tokens` 0.
    """

    def formula() -> Any:
        if not is_expression(input_tokens, output_tokens) and input_tokens + output_tokens == 0:
            raise ValueError(f"output_tokens is {output_tokens!r} beside input_tokens 0, expected some of either")
        cached = input_usd if cached_input_usd is None else cached_input_usd
        of_input = (1 - cached_input_share) * input_usd + cached_input_share * cached
        total = input_tokens + output_tokens
        usd = quotient(batch_factor * (input_tokens * of_input + output_tokens * output_usd), total)
        return pl.when(total > 0).then(usd) if is_expression(total) else usd

    return guarded(
        formula,
        input_usd=(input_usd, NOT_NEGATIVE),
        output_usd=(output_usd, NOT_NEGATIVE),
        input_tokens=(input_tokens, NOT_NEGATIVE),
        output_tokens=(output_tokens, NOT_NEGATIVE),
        cached_input_share=(cached_input_share, SHARE),
        cached_input_usd=(cached_input_usd, NOT_NEGATIVE),
        batch_factor=(batch_factor, POSITIVE),
    )


def joules_per_token(power_w: Number, tokens_per_second: Number) -> Any:
    """Energy of a token: W / (tok/s). Joules."""
    return guarded(
        lambda: quotient(power_w, tokens_per_second), power_w=(power_w, NOT_NEGATIVE), tokens_per_second=(tokens_per_second, POSITIVE)
    )


def decode_roof_tokens_per_second(memory_bytes_per_s: Number, active_parameters: Number, bytes_per_parameter: Number) -> Any:
    """Most tokens per second that one sequence can decode: every active weight is read once a token. Without speculation."""
    return guarded(
        lambda: quotient(memory_bytes_per_s, active_parameters * bytes_per_parameter),
        memory_bytes_per_s=(memory_bytes_per_s, POSITIVE),
        active_parameters=(active_parameters, POSITIVE),
        bytes_per_parameter=(bytes_per_parameter, POSITIVE),
    )


def prefill_roof_tokens_per_second(flops_per_s: Number, active_parameters: Number) -> Any:
    """Most tokens per second that can be prefilled: two operations per active weight and token."""
    return guarded(
        lambda: quotient(flops_per_s, 2 * active_parameters),
        flops_per_s=(flops_per_s, POSITIVE),
        active_parameters=(active_parameters, POSITIVE),
    )
