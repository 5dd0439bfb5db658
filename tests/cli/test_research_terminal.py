"""`cws research` at a terminal: a real one (a pseudo-terminal), with somebody who answers, and somebody who leaves.

1. A question is put with its answers offered; a number chooses one.
2. Ctrl-C ends with 130, says how to go on, and what is gone on with is the same research.
3. Without a terminal nothing is asked: the research waits, and is answered later.
"""

from __future__ import annotations

import os
import pty
import re
import select
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.asking import chosen
from cli.research_progress import Board, Row
from harness.drafters.port import Spent
from harness.progress import Step, cost_words
from tests.cli.conftest import Cws

SOURCE = Path(__file__).resolve().parents[2]
TEXT = "stocks with high volatility"
A_HAND_S = 0.5
"""As soon as a hand types what it saw. A Ctrl-C in the instant before a prompt reads is seen at the next key."""


def at_a_terminal(argv: Sequence[str], wait_for: bytes, keys: bytes, *, seconds: float = 240.0) -> tuple[int, str]:
    """Exit code and screen of a command that is typed at once it shows `wait_for`."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS="120", LINES="50", PYTHONPATH=str(SOURCE))
        os.chdir(SOURCE)
        os.execv(sys.executable, [sys.executable, "-m", "cli.main", *argv])
    screen, typed, end = b"", False, time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                screen += os.read(terminal, 1 << 16)
            except OSError:  # the other end is closed
                break
        if not typed and re.search(wait_for, screen):
            time.sleep(A_HAND_S)
            os.write(terminal, keys)
            typed = True
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", screen).decode()


@pytest.mark.slow
def test_1_a_question_is_answered_by_its_number() -> None:
    code, screen = at_a_terminal(["research", TEXT, "--spec-only"], rb"\n> |\r> ", b"2\r")
    assert code == 0, screen
    assert "1  they outperform   (Enter)" in screen and "2  they underperform" in screen
    assert "direction: low does better" in screen and "answer: they underperform" in screen
    assert "by: researcher" in screen and "nothing spent" in screen


@pytest.mark.slow
def test_2_ctrl_c_leaves_what_can_be_gone_on_with(cws: Cws) -> None:
    code, screen = at_a_terminal(["research", TEXT, "--spec-only"], rb"\n> |\r> ", b"\x03")
    assert code == 130, screen
    named = re.search(r"go on with: cws research --resume (research-[0-9A-Za-z-]+)", screen)
    assert named is not None, screen
    done = cws("research", "--resume", named[1], "--answer", "they underperform", "--json")
    assert done.code == 0, done.out
    assert (done.json["research_id"], done.json["status"]) == (named[1], "specified")
    again = cws("research", "--resume", "last", "--json").json
    assert again["specification"] == done.json["specification"]


@pytest.mark.slow
def test_3_elsewhere_it_waits(cws: Cws) -> None:
    waits = cws("research", TEXT, "--spec-only", "--json")
    assert (waits.code, waits.json["resumable"]) == (2, True)
    research_id = waits.json["research_id"]
    still = cws("research", "--resume", research_id, "--json")
    assert (still.code, still.json["question"]) == (2, waits.json["question"])
    assumed = cws("research", "--resume", research_id, "--yes", "--json")
    assert assumed.code == 0
    assert [a["answer"] for a in assumed.json["defaulted"]] == [waits.json["defaults"][0]]
    instead = cws("research", "stocks will do something", "--spec-only", "--yes", "--json")
    assert instead.code == 2 and "another claim" in instead.json["question"]


MEANT = [("", "a"), ("2", "b"), ("3", "3"), ("they fall", "they fall"), ("q", None), ("QUIT", None), ("0", "0")]


@pytest.mark.parametrize(("said", "meant"), MEANT)
def test_what_was_typed_is_what_is_meant(said: str, meant: str | None) -> None:
    assert chosen(said, ("a", "b")) == meant
    assert chosen("", ()) is None


def test_the_board_folds_steps_into_rows() -> None:
    board = Board({name: Row() for name in ("scan", "draft")})
    spent = Spent(calls=2, tokens=1_234, cost_usd=0.5)
    board.take(Step(node="scan", state="begins"))
    board.take(Step(node="scan", state="finds", words="us20"))
    board.take(Step(node="draft", state="begins", spent=spent))
    board.take(Step(node="draft", state="waits", words="an answer", spent=spent))
    assert (board.rows["scan"].state, board.rows["scan"].words, board.rows["scan"].began) == ("finds", "us20", None)
    assert board.rows["draft"].began is not None and board.rows["draft"].words == "an answer"
    board.rest()
    assert board.rows["draft"].state == "finds" and board.spent == spent
    assert cost_words(spent) == "2 calls, 1,234 tokens, $0.50" and cost_words(Spent()) == ""


@pytest.mark.parametrize(
    "argv",
    [
        (),
        ("a text", "--resume", "last"),
        ("a text", "--spec", "spec.yaml"),
        ("a text", "--answer", "yes"),
        ("--resume", "last"),
        ("--resume", "../../etc"),
        ("--resume", "last", "--llm", "offline"),
        ("--resume", "last", "--data", "us5"),
        ("--spec", "nowhere.yaml"),
        ("a text", "--llm", "gpt"),
    ],
)
def test_what_cannot_be_asked_is_a_wrong_request(cws: Cws, argv: tuple[str, ...]) -> None:
    done = cws("research", *argv, "--json")
    assert done.code == 2 and done.json["error"]["remedy"], done.out
