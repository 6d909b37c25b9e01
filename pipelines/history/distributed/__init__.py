"""Observations, the price history and its windows in parts, on one machine or on a Ray cluster.

Belongs here: how observations and series are divided, the work on a part, and who does it. Does not belong here: judging a batch, keeping
prices and their statistics (`pipelines.history`), the tables of the marts (`pipelines.refresh.distributed`).
"""
