"""Prices in time: observations to intervals, what was known when, exact rolling statistics, and the store that grows by the day.

Belongs here: how a price holds and what follows from that, series by series, so that any set of series can be computed without any
other. Does not belong here: what an observation says (`sources`), judging it (`quality`), the tables' names and types (contracts).
"""
