"""`breakeven new-workload` at a terminal: each answer is checked when it is given, and only a file that can be read is written."""

from __future__ import annotations

import os
import pty
import select
import sys
import time
from pathlib import Path

import pytest

from pipelines.decision.workload import load_workload
from tests.support.paths import ROOT

LONGEST_SECONDS = 60


def at_a_terminal(arguments: list[str], answers: list[str]) -> tuple[str, int]:
    """What stands on the terminal in the end, and how the command ended; each answer is typed when its question is there."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-m", "pipelines.cli.main", "new-workload", *arguments])
    shown, left, until = b"", list(answers), time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < until:
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            read = os.read(terminal, 65_536)
        except OSError:  # the other end is closed
            break
        shown += read
        if shown.endswith(b"] ") and left:
            os.write(terminal, left.pop(0).encode() + b"\n")
    else:
        os.kill(pid, 9)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(terminal)
    return shown.decode(), code


def test_an_answer_that_does_not_fit_is_asked_for_again(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    answers = [
        "Chat à Paris",
        "Llama 3.1",
        "Lama-3.3-70B",
        "Llama-3.3-70B",
        "2 048",
        "2048",
        "512",
        "50,000,000",
        "50e6",
        "bureau",
        "diurnal",
        "20%",
        "0.2",
        "12",
        "3",
    ]
    shown, code = at_a_terminal([str(path)], [*answers, "France", "fr", "franc", "eur"])
    assert code == 0, shown
    assert shown.count("expected a number such as 40e6 or 0.05, without separators of thousands") == 3
    for said in (
        "expected 'constant', 'business_hours'",
        "expected at most 10",
        "ISO 3166",
        "expected 'USD' or 'EUR'",
        "w.yaml: written",
        "; write Llama-3.3-70B\r",
    ):
        assert shown.count(said) == 1, said
    assert "model is 'Llama 3.1', expected one of" in shown and "; write Llama-3.1-405B or Llama-3.1-70B" in shown
    workload, _ = load_workload(path)
    assert workload.model == "Llama-3.3-70B"
    assert (workload.name, workload.tokens.input, workload.load.shape, workload.horizon_years) == ("Chat à Paris", 2048, "diurnal", 3)
    assert (workload.constraints.countries, workload.electricity_area, workload.currency) == (("FR",), "FR", "EUR")


def test_work_on_the_input_alone_is_asked_by_its_input(tmp_path: Path) -> None:
    shown, code = at_a_terminal([str(tmp_path / "w.yaml"), "--language", "fr"], ["", "", "", "0", "9e6", "", "", "", "", ""])
    assert code == 0 and "Combien de jetons lus par jour" in shown
    assert load_workload(tmp_path / "w.yaml")[0].load.input_tokens_per_day == 9e6


@pytest.mark.parametrize(("typed", "code", "said"), [("\x03", 130, "stopped"), ("\x04", 2, "nothing was written")])
def test_who_stops_has_no_file(tmp_path: Path, typed: str, code: int, said: str) -> None:
    shown, ended = at_a_terminal([str(tmp_path / "w.yaml")], ["a", typed])
    assert ended == code and said in shown and not (tmp_path / "w.yaml").exists()


def test_what_cannot_be_written_is_said_before_the_first_question(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text("name: mine\n")
    for path, said in ((tmp_path / "w.yaml", "is there already"), (tmp_path / "none" / "w.yaml", "its folder is not there")):
        shown, code = at_a_terminal([str(path)], [])
        assert code == 2 and said in shown and "?" not in shown
    assert (tmp_path / "w.yaml").read_text() == "name: mine\n"
