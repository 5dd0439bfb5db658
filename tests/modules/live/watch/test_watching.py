"""Watching a real risk core and a real desk, and `cws watch` and `cws top` on them.

1. What is seen is what the two say and what the journal adds up to, from wherever the watch began.
2. Whoever dies is told of and missed, and seen again when he is back.
3. A frozen one holds nobody up for long; a journal that was altered is said.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import pytest

from modules.live.desk.asking import ByHand
from modules.live.desk.client import DeskClient
from modules.live.watch.alerts import Alerts
from modules.live.watch.tracing import Span, Spans
from modules.live.watch.watcher import Watcher, WatchThread
from modules.workspace import CHECKOUT
from tests.modules.live.watch.pair import Pair, running, until

pytestmark = pytest.mark.slow


@pytest.fixture
def pair() -> Iterator[Pair]:
    with running("riskd", "desk") as pair:
        yield pair


def trade(pair: Pair) -> None:
    now = time.time_ns()
    with DeskClient(pair.place.desk, timeout_s=20.0) as desk:
        assert desk.submit(ByHand("manual", "AAA", 100, "sim", now)).status == "sent"
        assert desk.submit(ByHand("manual", "AAA", 50, "sim", now, 1, "limit", "day", 99.0)).status == "sent"
        assert desk.submit(ByHand("manual", "AAA", 10_000_000, "sim", now, 2)).status == "refused"


def test_1_2_what_is_seen(pair: Pair) -> None:
    watcher, alerts, found = Watcher(pair.place), Alerts(), list[Span]()
    spans = Spans("test")
    watcher.entries_heard.append(lambda entry: found.extend(spans.take(entry)))

    def see() -> set[str]:
        watcher.look(0.02)
        alerts.look(watcher.seen)
        return {a.rule for a in alerts.standing}

    def whole() -> bool:
        see()
        seen = watcher.seen
        return seen.stand is not None and seen.stand.cancel_only is None and seen.status is not None

    assert until(whole) and watcher.seen.mode == "PAPER" and "AAA" in watcher.seen.marks
    trade(pair)
    stand = ["working", "rejected", "filled"]
    assert until(lambda: see() is not None and [o.state.value for o in watcher.seen.orders] == stand)
    late = Watcher(pair.place)
    late.look()
    for seen in (watcher.seen, late.seen):
        assert seen.tally.rulings == {("APPROVE", "WITHIN_LIMITS"): 2, ("REJECT", "ORDER_LOTS"): 1}
        assert [o.state.value for o in seen.orders] == stand and seen.tally.fills["manual"] == 1
        assert seen.paid_micros == {"AAA": 10_000 * 10**6} and seen.tally.asks == {"manual": 3}
    late.close()
    assert [s.name for s in found if s.name.startswith("order")] == ["order AAA", "order AAA"]

    pair.kill("riskd")
    assert until(lambda: {"RISKD_DOWN", "CANCEL_ONLY"} <= see()) and watcher.seen.status is None
    pair.kill("desk")
    assert until(lambda: {"RISKD_DOWN", "DESK_DOWN"} == see()) and watcher.seen.mode == "NONE"
    pair.start("riskd", "desk")
    assert until(lambda: see() == set() and whole())
    assert watcher.seen.orders[0].state.value == "working"
    watcher.close()


def test_3_a_frozen_one_holds_nobody_up(pair: Pair) -> None:
    watcher = Watcher(pair.place)
    assert until(lambda: watcher.look(0.02) is not None and watcher.seen.stand is not None)
    for name in ("riskd", "desk"):
        os.kill(pair.processes[name].pid, signal.SIGSTOP)
    assert until(lambda: watcher.look(0.0) is not None and None not in (watcher.seen.riskd, watcher.seen.desk))
    for name in ("riskd", "desk"):
        os.kill(pair.processes[name].pid, signal.SIGCONT)
    assert until(lambda: watcher.look(0.02) is not None and watcher.seen.riskd is None and watcher.seen.desk is None)
    watcher.close()


def test_3_an_altered_journal_is_said(pair: Pair) -> None:
    trade(pair)
    pair.kill("desk")
    (log,) = pair.place.journal.glob("*.jsonl")
    content = log.read_bytes()
    log.write_bytes(content.replace(b'"lots":50', b'"lots":51', 1))
    assert log.read_bytes() != content
    watcher = Watcher(pair.place)
    watcher.look()
    assert watcher.seen.journal is not None and watcher.seen.tally.fills["manual"] == 1
    watcher.close()


def test_1_listeners_hear_and_slow_ones_are_let_go(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modules.live.watch.watcher.MOST_BEHIND", 4)
    watch = WatchThread(Watcher(pair.place))
    assert until(lambda: watch.seen.stand is not None and watch.seen.stand.cancel_only is None)
    slow, gone = watch.listen(), watch.listen()
    watch.leave(gone)
    for _ in range(3):
        trade(pair)
    assert until(lambda: slow not in watch._listeners)
    heard = [slow.get_nowait() for _ in range(slow.qsize())]
    assert heard[-1] is None and None not in heard[:-1] and len(heard) <= 5 and gone.empty()
    last = watch.listen()
    watch.close()
    assert None in [last.get_nowait() for _ in range(last.qsize())]


def test_cws_watch_and_top(pair: Pair) -> None:
    environment = {**os.environ, "CWS_HOME": str(pair.home), "NO_COLOR": "1"}

    def cws(*argv: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "cli.main", *argv]
        return subprocess.Popen(
            command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    watch = cws("watch", "--port", "0", "--json")
    try:
        assert watch.stdout is not None and watch.stderr is not None
        url = json.loads(watch.stdout.readline())["metrics"]

        def metrics() -> str:
            with urllib.request.urlopen(url, timeout=20) as answer:
                return str(answer.read().decode())

        assert until(lambda: 'cws_up{account="test",component="desk"} 1.0' in metrics())
        top = cws("top", "--json")
        out, err = top.communicate(timeout=300)
        told = json.loads(out)
        assert told["mode"] == "PAPER" and told["orders"] == [] and len(told["risk"]) >= 10, err
        assert cws("top").wait(300) == 2
        pair.kill("desk")
        assert until(lambda: "DESK_DOWN" in metrics())
        line = watch.stderr.readline()
        assert line.startswith("PAPER test CRITICAL DESK_DOWN: ")
        assert json.loads(pair.place.alerts.read_text().splitlines()[0])["rule"] == "DESK_DOWN"
        once = cws("watch", "--once", "--json")
        out, err = once.communicate(timeout=300)
        assert once.returncode == 1 and [a["rule"] for a in json.loads(out)["alerts"]] == ["DESK_DOWN"], err
        watch.send_signal(signal.SIGTERM)
        assert watch.wait(30) == 0
    finally:
        watch.kill()
        watch.communicate()
