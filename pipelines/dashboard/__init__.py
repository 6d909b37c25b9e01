"""The static dashboard: a folder of pages, made from the views of schema `bi` of a version, that opens from disk.

Belongs here: choosing what is shown, charts, the pages. Does not belong here: any figure that no view of `bi` holds. The pages bring their
JavaScript along, from an installed package; nothing on them asks another machine for anything.
"""

from pipelines.dashboard.build import write, write_blocked

__all__ = ["write", "write_blocked"]
