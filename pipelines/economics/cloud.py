"""What an hour of use costs on rented capacity, by how it is bought.

Does not belong here: owned servers (`capital`), comparing (`comparison`).
"""

from __future__ import annotations

from typing import Any

from pipelines.economics.guards import NOT_NEGATIVE, POSITIVE, POSITIVE_SHARE, SHARE_BELOW_ONE, Number, guarded, is_expression, quotient

PAID_BY_THE_HOUR_OF_USE = ("on_demand",)
PAID_EVERY_HOUR = ("commitment", "capacity_block", "dedicated_month")
# A twelfth of a year of 8,760 hours.
SECONDS_PER_MONTH = 2_628_000.0
PURCHASE_OPTIONS = (*PAID_BY_THE_HOUR_OF_USE, "spot", *PAID_EVERY_HOUR)


def effective_cloud_usd_per_hour(
    usd_per_hour: Number,
    purchase_option: str,
    utilisation_share: Number = 1.0,
    packing_share: Number = 1.0,
    waste_share: Number = 0.0,
) -> Any:
    """USD per hour of use.

    On demand: price / packing_share, since instances are never filled exactly. What is paid every hour (commitment, capacity block,
    dedicated month): price / utilisation_share. Spot: price / ((1 - waste_share) * packing_share), since interruptions waste time.
    """
    if purchase_option not in PURCHASE_OPTIONS:
        raise ValueError(f"purchase_option is {purchase_option!r}, expected one of {', '.join(PURCHASE_OPTIONS)}")

    def formula() -> Any:
        if purchase_option in PAID_EVERY_HOUR:
            return quotient(usd_per_hour, utilisation_share)
        if purchase_option == "spot":
            return quotient(usd_per_hour, (1 - waste_share) * packing_share)
        return quotient(usd_per_hour, packing_share)

    return guarded(
        formula,
        usd_per_hour=(usd_per_hour, NOT_NEGATIVE),
        utilisation_share=(utilisation_share, POSITIVE_SHARE),
        packing_share=(packing_share, POSITIVE_SHARE),
        waste_share=(waste_share, SHARE_BELOW_ONE),
    )


def spot_waste_share(mean_time_between_interruptions_s: Number, restart_s: Number, checkpoint_s: Number = 0.0) -> Any:
    """Share of time lost to interruptions with the best checkpoint period (Young): tau = sqrt(2*C*M), C/tau + (tau/2 + R)/M.

    Without checkpoints (serving keeps no state) it is R/M. At most 1 is a usable result; above it nothing gets done.
    """
    mean_time = mean_time_between_interruptions_s

    def formula() -> Any:
        without = quotient(restart_s, mean_time)
        if not is_expression(checkpoint_s) and checkpoint_s == 0:
            return without
        # C/tau + tau/2/M with tau = sqrt(2CM) is sqrt(2C/M): the same figure, defined at C = 0 too.
        return quotient(2 * checkpoint_s, mean_time) ** 0.5 + without

    return guarded(
        formula,
        mean_time_between_interruptions_s=(mean_time, POSITIVE),
        restart_s=(restart_s, NOT_NEGATIVE),
        checkpoint_s=(checkpoint_s, NOT_NEGATIVE),
    )


def restart_waste_share(interruptions_per_month: Number, restart_s: Number) -> Any:
    """Share of time lost to restarts at so many interruptions of a machine a month, without checkpoints: N*R / month.

    The same as `spot_waste_share` at the mean time that the rate stands for; a machine that is never interrupted loses nothing.
    """
    return guarded(
        lambda: quotient(interruptions_per_month * restart_s, SECONDS_PER_MONTH),
        interruptions_per_month=(interruptions_per_month, NOT_NEGATIVE),
        restart_s=(restart_s, NOT_NEGATIVE),
    )
