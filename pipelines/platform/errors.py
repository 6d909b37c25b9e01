"""The base of the errors that explain themselves.

Belongs here: that one class. Does not belong here: an error of one room (each room has its own, derived from this one).
"""

from __future__ import annotations


class ExplainedError(Exception):
    """Its message is all that a person needs: what is wrong where, and what was expected. Shown without a traceback."""
