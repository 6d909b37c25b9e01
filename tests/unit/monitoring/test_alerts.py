"""One message when something begins, one when it is over; delivered as each receiver wants it; no address is ever shown."""

from __future__ import annotations

import datetime as dt
import email
import email.header
import json
import logging
import socket
from pathlib import Path

import pytest

from pipelines.cli.main import main
from pipelines.monitoring.channels import URLS_VARIABLE, AlertError, send
from pipelines.monitoring.events import BreakEven, MarketFacts, Message, WatchedAnswer, changes, conditions
from pipelines.monitoring.state import RefreshState
from pipelines.monitoring.watch import look_and_tell
from pipelines.platform.settings import Settings
from tests.support.receivers import mail_server, web_hook
from tests.support.tables import AT
from tests.unit.monitoring.test_state import publish, recorded

MESSAGE = Message("refresh:failed", "Refresh failed", "the disk is full\nFree some space, then refresh again.")
SLACK = "?:message=text&:title=&:version=&:type=&:attachments="


def source(status: str = "ok", **other: object) -> dict[str, object]:
    return {"source": "azure_retail", "status": status, "detail": None, "is_bundled": False, "last_good_fetch_at": AT, **other}


def keys(state: RefreshState, now: dt.datetime = AT) -> list[str]:
    return [message.key for message in conditions(state, MarketFacts(), now, 3, 30)]


@pytest.mark.parametrize("outcome", ["failed", "blocked", "interrupted"])
def test_a_refresh_that_did_not_end_well(outcome: str) -> None:
    last = {"outcome": outcome, "detail": "why"}
    [message] = conditions(RefreshState(None, last, None), MarketFacts(), AT, 3, 30)
    assert message.key == f"refresh:{outcome}" and "why" in message.body and "refresh again" in message.body


def test_figures_too_old_damaged_or_lost() -> None:
    problems = ["the last good refresh is 30 hours old, expected at most 26; see", "published marts/x.parquet is missing; do"]
    assert keys(RefreshState(None, None, None, problems=problems, losses=["gone"])) == ["refresh:old", "published:1", "snapshots:lost"]


def test_a_mart_that_is_of_an_earlier_day() -> None:
    kept = {"marts.gpu": {"as_of": "2026-11-20", "reason": "ValueError: x"}}
    [message] = conditions(RefreshState({"kept_marts": kept}, None, None), MarketFacts(), AT, 3, 30)
    assert message.key == "kept:marts.gpu" and message.title == "marts.gpu is of 2026-11-20" and "ValueError: x" in message.body


def test_sources_that_are_not_well_or_silent() -> None:
    well = [source(), source("offline"), source("skipped_no_credential", last_good_fetch_at=None), source("not_tried")]
    assert keys(RefreshState(None, None, None, sources=well)) == []
    assert keys(RefreshState(None, None, None, sources=[source("stale")])) == ["source:azure_retail:stale"]
    later = AT + dt.timedelta(days=3)
    assert keys(RefreshState(None, None, None, sources=[source("offline")]), now=later) == ["source:azure_retail:silent"]


@pytest.mark.parametrize(("day", "said"), [("2026-12-15", []), ("2026-12-16", ["30 days"]), ("2027-01-15", ["have expired"])])
def test_figures_that_expire(day: str, said: list[str]) -> None:
    facts = MarketFacts(dt.date.fromisoformat(day), newest_on={"hardware": dt.date(2026, 1, 15)})
    found = conditions(RefreshState(None, None, None), facts, AT, 3, 30)
    assert len(found) == len(said) and all(words in message.title for words, message in zip(said, found, strict=True))


def test_an_answer_that_flips_and_a_line_that_is_crossed() -> None:
    def at(share: float | None) -> MarketFacts:
        return MarketFacts(AT.date(), "owned b200", (BreakEven("k", "8x", 0.3, share),))

    assert changes(at(0.2), None, {}) == [] and changes(at(0.2), "owned b200", {"k": "below"}) == []
    assert changes(at(None), "owned b200", {"k": "below"}) == []
    assert [m.key for m in changes(at(0.4), "spot h100", {"k": "below"})] == ["answer", "line:k"]


def test_an_answer_to_a_watched_workload_that_turns_or_that_there_is_none_to() -> None:
    def at(kind: str | None, **unanswered: str) -> MarketFacts:
        way = None if kind is None else f"{kind} it"
        return MarketFacts(AT.date(), answers={"w.yaml": WatchedAnswer("Chat", kind, way, "lean", AT.date())}, unanswered=unanswered)

    before = {"w.yaml": {"kind": "own", "way": "own it", "as_of": "2026-11-01"}}
    assert changes(at("own"), None, {}, before) == changes(at("spot"), None, {}, {}) == []
    [turned] = changes(at("spot"), None, {}, before)
    assert turned.key == "workload:w.yaml"
    for said in ("it was 'own it' as of 2026-11-01", "it is 'spot it' (lean)", "breakeven decide w.yaml --compare 2026-11-01"):
        assert said in turned.body
    assert "it is 'nothing'" in changes(at(None), None, {}, before)[0].body
    [none] = conditions(RefreshState(None, None, None), at("own", other="model is 'x'"), AT, 3, 30)
    assert none.key == "workload:other:unanswered" and "model is 'x'" in none.body


def test_one_message_when_it_begins_and_one_when_it_is_over(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    publish(tmp_path, "one")
    recorded(tmp_path, "one", 1, "published")
    recorded(tmp_path, "two", 2, "failed")
    with web_hook() as (port, got):
        environment = {URLS_VARIABLE: f"json://127.0.0.1:{port}/plain"}
        for _ in range(3):
            look_and_tell(settings, environment, AT)
        assert [(path, said["title"], said["type"]) for path, said in got] == [("/plain", "Breakeven: Refresh failed", "warning")]
        assert "refresh again" in got[0][1]["message"]
        publish(tmp_path, "three")
        recorded(tmp_path, "three", 3, "published")
        for _ in range(3):
            look_and_tell(settings, environment, AT)
        assert [said["title"] for _, said in got[1:]] == ["Breakeven: over: Refresh failed"] and got[1][1]["type"] == "success"
        # A memory that cannot be read any more costs one message told twice, no error.
        (tmp_path / "alerts.json").write_text("{]")
        assert look_and_tell(settings, environment, AT).begun == []


def test_each_receiver_gets_its_own_form() -> None:
    with web_hook() as (port, got), mail_server() as (mail_port, mails):
        urls = [
            f"json://127.0.0.1:{port}/plain",
            f"json://127.0.0.1:{port}/services/slack{SLACK}",
            f"mailto://127.0.0.1:{mail_port}?from=breakeven@example.org&to=ops@example.org&mode=insecure&format=text",
        ]
        assert send(MESSAGE, {URLS_VARIABLE: " ".join(urls)}) == []
    assert got[0][1]["title"] == "Breakeven: Refresh failed" and "Free some space" in got[0][1]["message"]
    assert list(got[1][1]) == ["text"] and "Free some space" in got[1][1]["text"]
    [mail] = mails
    assert "Breakeven: Refresh failed" in mail and "To: ops@example.org" in mail and "Free some space" in mail


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def mail_url(port: int) -> str:
    return f"mailto://ops:THE-SECRET@127.0.0.1:{port}?from=breakeven@example.org&to=ops@example.org&mode=insecure&format=text"


@pytest.mark.parametrize(
    "fault", ["refuses the password", "refuses the sender", "refuses the reader", "refuses the text", "says nothing", "is not there"]
)
def test_a_mail_server_that_takes_nothing_is_said_and_holds_nobody_up(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    commands = {"refuses the password": "AUTH", "refuses the sender": "MAIL", "refuses the reader": "RCPT", "refuses the text": "DATA"}
    answers = {commands[fault]: "550 not here"} if fault in commands else None
    with mail_server(answers, is_silent=fault == "says nothing") as (port, mails), web_hook() as (hook, got):
        address = mail_url(free_port() if fault == "is not there" else port)
        assert send(MESSAGE, {URLS_VARIABLE: f"{address} json://127.0.0.1:{hook}/plain"}) == ["mailto"]
        assert mails == [] and len(got) == 1
    assert "not delivered to address 1 of BREAKEVEN_ALERT_URLS (mailto)" in caplog.text and "THE-SECRET" not in caplog.text


def test_nothing_that_others_wrote_becomes_a_header_of_a_mail_or_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    title = "Source x is failed\r\nBcc: everyone@example.org\r\n\r\n<b>hello</b>"
    with mail_server() as (port, mails):
        assert send(Message("k", title, "body\r\nCc: other@example.org é"), {URLS_VARIABLE: mail_url(port)}) == []
    assert all("\n" not in record.getMessage() for record in caplog.records if record.name == "breakeven")
    headers = email.message_from_string(mails[0])
    assert headers["To"] == "ops@example.org" and headers["Bcc"] is None and headers["Cc"] is None
    assert str(email.header.make_header(email.header.decode_header(headers["Subject"]))).startswith("Breakeven: Source x is failed")


def test_no_address_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with web_hook(status=500) as (port, _):
        assert send(MESSAGE, {URLS_VARIABLE: f"json://me:THE-SECRET@127.0.0.1:{port}/THE-SECRET"}) == ["json"]
    with pytest.raises(AlertError, match=r"address 1 \(nonsense\)") as raised:
        send(MESSAGE, {URLS_VARIABLE: "nonsense://THE-SECRET"})
    assert "THE-SECRET" not in caplog.text + str(raised.value)


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("BREAKEVEN_DATA", str(tmp_path))
    recorded(tmp_path, "two", 2, "failed")
    assert main(["alerts", "--dry-run", "--json"]) == 0
    assert "refresh:failed" in [m["key"] for m in json.loads(capsys.readouterr().out)["begun"]]
    assert not (tmp_path / "alerts.json").exists()
    assert main(["alerts"]) == 0 and "new: Refresh failed" in capsys.readouterr().out
    assert main(["alerts"]) == 0 and capsys.readouterr().out == "nothing new\n"
    monkeypatch.setenv(URLS_VARIABLE, "nonsense://x")
    assert main(["alerts", "--test"]) == 2
