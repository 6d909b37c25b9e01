"""The first connected day, through the real command: one source is asked, held against its recorded answer, and its bodies are kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.ingest.scaffold import stored_answers
from tests.support.cli import Cli
from tests.support.loopback import loopback

ANSWER = stored_answers("voltage_park")[0].read_bytes()
PATH = "/bare-metal/locations"


def environment(url: str, source: str = "VOLTAGE_PARK") -> dict[str, str]:
    return {f"BREAKEVEN_SOURCE_{source}_BASE_URL": url}


def test_a_live_answer_as_recorded_is_read_and_kept(tmp_path: Path) -> None:
    cli = Cli(tmp_path / "data")
    with loopback({PATH: [ANSWER]}) as server:
        done = cli("sources", "test", "voltage_park", "--live", environment=environment(server.url))
        probed = cli("sources", "--probe", "voltage_park", "--json", environment=environment(server.url))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fields of the recorded answer that are missing: none" in done.stdout
    [kept] = [line.removeprefix("kept: ") for line in done.stdout.splitlines() if line.startswith("kept: ")]
    assert Path(kept).read_bytes() == ANSWER and tmp_path in Path(kept).parents
    found = json.loads(probed.stdout)
    assert (found["status"], found["missing_columns"], found["unknown_columns"]) == ("ok", [], [])
    assert (found["missing_fields"], found["new_fields"]) == ([], [])


def test_a_renamed_field_is_named_whether_or_not_it_can_be_read(tmp_path: Path) -> None:
    cli = Cli(tmp_path / "data")
    changes = {
        b'"gpu_model"': (b'"model"', 1, ["results[].specs_per_node.gpu_model"], ["results[].specs_per_node.model"]),
        b'"has_next"': (b'"more"', 0, ["has_next"], ["more"]),
    }
    for old, (new, code, missing, added) in changes.items():
        with loopback({PATH: [ANSWER.replace(old, new)]}) as server:
            done = cli("sources", "test", "voltage_park", "--live", "--json", environment=environment(server.url))
            probed = cli("sources", "--probe", "voltage_park", "--json", environment=environment(server.url))
        found = json.loads(done.stdout)
        assert (done.returncode, found["missing_fields"], found["new_fields"]) == (code, missing, added), done.stderr
        # What could not be read is kept too: it is to be looked at.
        assert Path(found["bodies"][0]).read_bytes() == ANSWER.replace(old, new)
        said = json.loads(probed.stdout)
        assert (probed.returncode, said["missing_fields"], said["new_fields"]) == (code, missing, added)


@pytest.mark.parametrize("arguments", [("sources", "test", "lambda", "--live"), ("sources", "--probe", "lambda")])
def test_without_its_key_it_says_which(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = Cli(tmp_path / "data")(*arguments)
    assert done.returncode == 1 and "LAMBDA_API_KEY" in done.stdout + done.stderr


def test_an_answer_that_repeats_the_key_is_not_kept(tmp_path: Path) -> None:
    cli = Cli(tmp_path / "data")
    echo = b'{"data": {"gpu_8x_h100_sxm5": {"instance_type": {"name": "PLANTED-secret-key-of-ours"}}}}'
    with loopback({"/instance-types": [echo]}) as server:
        key = {"LAMBDA_API_KEY": "PLANTED-secret-key-of-ours", **environment(server.url, "LAMBDA")}
        for arguments in (("sources", "test", "lambda", "--live"), ("sources", "--probe", "lambda")):
            done = cli(*arguments, environment=key)
            assert done.returncode == 1 and "PLANTED" not in done.stdout + done.stderr
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"PLANTED" in path.read_bytes()]
