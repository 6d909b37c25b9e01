"""What lies in a data folder is spelled in one place."""

from __future__ import annotations

import ast
from pathlib import Path

from pipelines.platform.paths import DataFolder
from tests.support.paths import ROOT

ONE_PLACE = "pipelines/platform/paths.py"


def names() -> set[str]:
    """Every part of every path that `DataFolder` gives."""
    folder = DataFolder(Path())
    paths = [getattr(folder, name) for name, value in vars(DataFolder).items() if isinstance(value, property)]
    return {part for path in paths for part in path.parts}


def spelled(text: str) -> list[str]:
    """Joins of a path by which a module says itself what lies in a data folder."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)):
            continue
        left, right = ast.unparse(node.left), node.right
        last = left.split(".")[-1]
        is_data = last in ("data", "_data") and isinstance(right, ast.Constant | ast.JoinedStr)
        if is_data or (last in ("folder", "_folder", "root") and isinstance(right, ast.Constant) and right.value in names()):
            found.append(ast.unparse(node))
    return found


def test_what_lies_in_a_data_folder_is_spelled_once() -> None:
    # A folder of versions has its own insides.
    own = {ONE_PLACE, "pipelines/publication/versions.py"}
    modules = {str(path.relative_to(ROOT)): path for path in sorted((ROOT / "pipelines").rglob("*.py"))}
    assert {name: found for name, path in modules.items() if name not in own and (found := spelled(path.read_text()))} == {}


def test_a_second_spelling_is_found() -> None:
    assert spelled('path = settings.data / "snapshots"') and spelled('folder / "history.duckdb"') and spelled('self.settings.data / "new"')
    assert not spelled('settings.folders.snapshots / "packs"')
