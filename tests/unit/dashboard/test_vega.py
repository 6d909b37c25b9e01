"""The kept script of Vega is the one that was made, and a damaged or foreign one is made anew."""

from __future__ import annotations

from pathlib import Path

import pytest
import vl_convert

from pipelines.dashboard.vega import vega_script


@pytest.fixture
def bundles(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stands for bundling, which takes seconds; how often it was asked is the point."""
    asked: list[str] = []

    def javascript_bundle(snippet: str) -> str:
        asked.append(snippet)
        return f"const é = {len(asked)};{snippet}"

    monkeypatch.setattr(vl_convert, "javascript_bundle", javascript_bundle)
    return asked


def test_it_is_bundled_once(tmp_path: Path, bundles: list[str]) -> None:
    first = vega_script(tmp_path / "not there yet")
    assert vega_script(tmp_path / "not there yet") == first == "(() => {const é = 1;window.vegaEmbed = vegaEmbed;})();\n"
    assert len(bundles) == 1


@pytest.mark.parametrize("damage", [b"", b"alert(1)", b"\xff\xfe", None])
def test_a_damaged_one_is_made_anew(tmp_path: Path, bundles: list[str], damage: bytes | None) -> None:
    vega_script(tmp_path)
    [file] = tmp_path.iterdir()
    file.write_bytes(file.read_bytes().replace(b"const", b"konst") if damage is None else damage)
    assert "const é = 2" in vega_script(tmp_path)
    assert "const é = 2" in vega_script(tmp_path)
    assert len(bundles) == 2


def test_that_of_another_version_is_left(tmp_path: Path, bundles: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    vega_script(tmp_path)
    monkeypatch.setattr("pipelines.dashboard.vega.version", lambda _: "0.0.1")
    assert "const é = 2" in vega_script(tmp_path)
