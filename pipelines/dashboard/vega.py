"""Vega, Vega-Lite and their embedding as one plain script, kept from refresh to refresh: bundling takes longer than all pages.

Belongs here: making the script and keeping it. Does not belong here: charts, other scripts.
"""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path

from pipelines.platform.files import write_whole

_HASH = "\n// sha256 "


def vega_script(kept_in: Path) -> str:
    """The script, from the file kept in a folder where that is whole and of the installed version, else made anew and kept."""
    import vl_convert  # noqa: PLC0415  (a large binary module, needed here only)

    file = kept_in / f"vega-{version('vl-convert-python')}.js"
    kept = _whole(file)
    if kept is not None:
        return kept
    # The bundle is a module with names of its own at the top; a page opened from disk may only load plain scripts.
    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    script = f"(() => {{{bundle}}})();\n"
    kept_in.mkdir(parents=True, exist_ok=True)
    write_whole(file, f"{script}{_HASH}{_sha256(script)}\n".encode())
    return script


def _whole(file: Path) -> str | None:
    """The script of a kept file; None where there is none, or where it is not as it was written."""
    try:
        script, _, said = file.read_text(encoding="utf-8").rpartition(_HASH)
    except (OSError, UnicodeDecodeError):
        return None
    return script if said.strip() == _sha256(script) else None


def _sha256(script: str) -> str:
    return hashlib.sha256(script.encode()).hexdigest()
