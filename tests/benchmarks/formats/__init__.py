"""Four marts by month as a version and the next one: ours, a DuckLake, Iceberg tables, each from the same Parquet files.

Belongs here: a module for each way, with its steps. Does not belong here: what is asserted, and the page (`test_formats`). Only `ours`
imports the project: the others run in a Python that has not got it.
"""
