"""Breakeven: own or rent the GPUs that serve an open-weight model.

Everything that runs lives here; the tables themselves are declared in `dbt_like_models`, the SQL that people run in `sql`.
Nothing happens at import.
"""
