"""The rooms of the house, from what imports what: how many there are, how they are stacked, how much they are tied to each other."""

from __future__ import annotations

import ast
import graphlib
from collections import defaultdict
from pathlib import Path

from tests.support.paths import ROOT

# Imports that only the type checker sees tie rooms just as much: a reader has to follow them.
MOST_ROOMS, MOST_FLOORS, MOST_ARROWS = 24, 9, 60
MOST_LINES_OF_A_MODULE, MOST_LINES_OF_A_CLASS = 400, 200

Arrows = dict[str, dict[str, list[str]]]


def modules() -> list[Path]:
    return sorted([*(ROOT / "pipelines").rglob("*.py"), *(ROOT / "dbt_like_models").rglob("*.py")])


def room_of(parts: tuple[str, ...]) -> str | None:
    """The folder below `pipelines`, or the module that stands beside the folders; all models are one room."""
    if parts[0] == "dbt_like_models":
        return parts[0]
    return parts[1] if parts[0] == "pipelines" and len(parts) > 1 else None


def imported(path: Path) -> list[tuple[str, ...]]:
    """Dotted names that a module imports, with what it takes from them: `from a.b import c` may mean the module a.b.c."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found += [(*node.module.split("."), alias.name) for alias in node.names]
    return found


def arrows() -> Arrows:
    """From room to room, with the modules that draw the arrow. The models are found by looking, by the room `catalogue`."""
    found: Arrows = defaultdict(lambda: defaultdict(list))
    for path in modules():
        parts = path.relative_to(ROOT).with_suffix("").parts
        own = room_of(parts)
        if own in (None, "__init__"):
            continue
        assert own is not None
        found[own].update({})
        for name in imported(path):
            other = room_of(name)
            if (
                other is not None
                and other != own
                and ((ROOT / "pipelines" / other).is_dir() or (ROOT / "pipelines" / f"{other}.py").is_file())
            ):
                found[own][other].append(str(path.relative_to(ROOT)))
    return found


def floors(found: Arrows) -> dict[str, int]:
    """The floor of each room: one above the highest that it stands on."""
    height: dict[str, int] = {}
    for room in graphlib.TopologicalSorter({room: set(others) for room, others in found.items()}).static_order():
        height[room] = 1 + max((height[other] for other in found.get(room, {})), default=0)
    return height


def test_rooms_floors_and_arrows() -> None:
    found = arrows()
    height = floors(found)  # raises CycleError, which names the circle
    drawn = sum(len(others) for others in found.values())
    plan = "\n".join(f"{height[room]} {room} -> {', '.join(sorted(found[room]))}" for room in sorted(found, key=lambda r: (-height[r], r)))
    assert len(found) <= MOST_ROOMS, plan
    assert max(height.values()) <= MOST_FLOORS, plan
    assert drawn <= MOST_ARROWS, f"{drawn} arrows\n{plan}"


def test_no_module_and_no_class_is_too_long() -> None:
    too_long = []
    for path in modules():
        text = path.read_text(encoding="utf-8")
        if len(text.splitlines()) > MOST_LINES_OF_A_MODULE:
            too_long.append(f"{path.relative_to(ROOT)}: {len(text.splitlines())} lines")
        too_long += [
            f"{path.relative_to(ROOT)}: class {node.name}"
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.ClassDef) and (node.end_lineno or 0) - node.lineno >= MOST_LINES_OF_A_CLASS
        ]
    assert too_long == []
