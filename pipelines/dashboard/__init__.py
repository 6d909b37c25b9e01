"""The static dashboard: one page, made from the views of schema `bi` of a version, that opens from disk.

Belongs here: choosing what is shown, charts, the page. Does not belong here: any figure that no view of `bi` holds. The page holds
its JavaScript, from an installed package; nothing on it asks another machine for anything.
"""

from pipelines.dashboard.page import write

__all__ = ["write"]
