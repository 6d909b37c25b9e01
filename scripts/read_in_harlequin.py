"""Ask in Harlequin's editor, from Harlequin's own environment, what a SQL IDE is asked.

    VENV/bin/python read_in_harlequin.py BREAKEVEN_DUCKDB QUERY < lines

The screen is drawn without a terminal. For every line on standard input the query is run by its key, in one process that stays open; a
line of JSON on standard output tells the first cell, how many rows there are, and the schemas that the tree at the side lists.
"""

import asyncio
import json
import sys

from harlequin.app import Harlequin
from harlequin_duckdb import DuckDbAdapter
from textual.pilot import Pilot

_TRIES, _TRY_SECONDS = 400, 0.05


async def until(pilot: Pilot, found: object) -> object:
    """Wait for what the screen is to show."""
    for _ in range(_TRIES):
        await pilot.pause(_TRY_SECONDS)
        if seen := found():
            return seen
    raise TimeoutError("the screen does not show what was asked")


async def read(app: Harlequin, pilot: Pilot, query: str) -> dict[str, object]:
    """Type the query, press the key that runs it, read the table of results."""

    def fresh() -> object:
        table = app.results_viewer.get_visible_table()
        return table if table is not None and table is not before and table.row_count else None

    before = app.results_viewer.get_visible_table()
    app.editor.focus()
    app.editor.text = query
    await pilot.press("ctrl+j")
    table = await until(pilot, fresh)
    tree = app.data_catalog.database_tree.root.children[0]
    tree.expand()
    schemas = await until(pilot, lambda: [str(schema.label).split()[0] for schema in tree.children])
    return {"day": str(table.get_row_at(0)[0]), "rows": {query: table.row_count}, "schemas": schemas}


async def main() -> None:
    """Open the file read-only; read once for each line."""
    app = Harlequin(DuckDbAdapter(conn_str=[sys.argv[1]], read_only=True), record_history=False)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: app.connection is not None and app.editor is not None)
        while await asyncio.to_thread(sys.stdin.readline):
            # Textual takes standard output; the pipe is its original.
            print(json.dumps(await read(app, pilot, sys.argv[2])), file=sys.__stdout__, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
