"""Price sources: one module per raw table, found by looking at this folder.

Belongs here: what a source is (`SOURCE`), how its bytes are fetched (`fetch`) and read (`parse`), and how its rows become rows
of a provider-neutral feed (`normalise`). Does not belong here: storage, scheduling, checks, anything about other sources.
"""
