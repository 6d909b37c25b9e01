"""All marts from the stored answers, on many machines: the same functions as in one process, and the same bytes.

Belongs here: who computes which part of which table, and putting the parts together. Does not belong here: how observations and series
are divided (`pipelines.history.distributed`), what a table says (its model).
"""
