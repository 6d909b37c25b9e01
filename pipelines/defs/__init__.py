"""Dagster's view of the refresh, thin: each file turns what other modules do into assets, a job, a schedule, sensors, resources.

Does not belong here: logic. Imported by `definitions` and `cli` only.
"""
