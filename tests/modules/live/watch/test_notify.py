"""Where alerts are told: a receiver that fails holds nothing up, and is complained of."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from modules.live.watch import notify
from modules.live.watch.alerts import Alert
from modules.live.watch.notify import LogSink, WebhookSink

ALERT = Alert(
    rule="KILLED", severity="critical", subject="kill", sentence="the kill switch is latched: ada", remedy="find out",
    account="test", mode="PAPER", since_ns=1,
)  # fmt: skip


@pytest.fixture
def complaints() -> list[str]:
    return []


def test_the_log_is_json_lines_and_does_not_grow_for_ever(
    tmp_path: Path, complaints: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = LogSink(tmp_path / "live" / "test" / "alerts.jsonl", complaints.append)
    log.tell([ALERT, ALERT])
    lines = [json.loads(line) for line in log.path.read_text().splitlines()]
    assert [line["rule"] for line in lines] == ["KILLED", "KILLED"] and lines[0]["remedy"] == "find out"
    assert stat.S_IMODE(log.path.parent.stat().st_mode) == 0o700
    monkeypatch.setattr(notify, "MOST_LOG_BYTES", 10)
    log.tell([ALERT])
    assert len(log.path.read_text().splitlines()) == 1 and log.path.with_suffix(".1").exists()
    assert complaints == []


def test_a_disk_that_takes_nothing_is_complained_of(tmp_path: Path, complaints: list[str]) -> None:
    (tmp_path / "file").write_text("")
    LogSink(tmp_path / "file" / "alerts.jsonl", complaints.append).tell([ALERT])
    assert len(complaints) == 1 and "alerts.jsonl" in complaints[0]


def test_the_webhook_tries_again(
    httpserver: HTTPServer, complaints: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "PAUSE_S", 0.0)
    answers = iter([500, 429, 200, 200])
    bodies = []

    def answer(request: Request) -> Response:
        bodies.append(request.get_json())
        return Response(status=next(answers))

    httpserver.expect_request("/hook", method="POST").respond_with_handler(answer)
    hook = WebhookSink(httpserver.url_for("/hook"), complaints.append)
    hook.tell([ALERT, ALERT])
    hook.close(20.0)
    assert len(bodies) == 4 and complaints == []
    assert bodies[0]["text"] == "PAPER test CRITICAL KILLED: the kill switch is latched: ada"
    assert bodies[0]["alert"]["since_ns"] == 1


def test_a_webhook_that_is_gone_holds_nothing_up(complaints: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "PAUSE_S", 0.0)
    hook = WebhookSink("http://127.0.0.1:9/hook", complaints.append)
    hook.tell([ALERT])
    hook.close(20.0)
    assert len(complaints) == 1 and "the kill switch" in complaints[0]
