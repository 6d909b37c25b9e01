"""The price history: bitemporal (valid time and system time), incremental, with exact rolling windows.

Belongs here: how a price holds in time and what follows from that, series by series, so that any set of series can be computed without
any other. Does not belong here: what an observation says (`sources`), the rules that validate it (`quality`), the tables' names and types
(contracts).
"""
