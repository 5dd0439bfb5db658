"""The board as a page.

1. Every text of a trace is escaped, wherever it stands.
2. Nothing comes from outside, and the policy allows this style and this script and nothing else.
3. The page can be walked by keyboard and by ear: targets exist, ids are unique, pictures and regions have names.
4. Equal boards give equal bytes, and 10,000 verdicts no more bytes than the lists and pictures may hold.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from modules.workspace import Workspace
from supervisor.board import Board, read_board, render
from supervisor.board.drawing import nice
from supervisor.board.page import coded, duration, exact, moment, warnings
from tests.supervisor.board.story import write

HOSTILE = "<script>alert(1)</script>\"'><img src=http://evil.example/x onerror=alert(2)> {{ 7*7 }}"


class Walk(HTMLParser):
    """Tags with their attributes, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Board:
    home = tmp_path_factory.mktemp("board")
    place = Workspace(root=home, home=home / "state")
    write(place.ledger, place.checkpoints, 14)
    return read_board(place)


def test_1_hostile_texts_are_shown_not_run(board: Board) -> None:
    hostile = replace(
        board,
        workspace=HOSTILE,
        verdicts=tuple(
            replace(v, module=HOSTILE, change=HOSTILE, reason=HOSTILE, shipped=False, by=HOSTILE, suite=HOSTILE)
            for v in board.verdicts
        ),
        findings=tuple(replace(f, statement=HOSTILE, module=HOSTILE) for f in board.findings),
        modules=tuple(replace(m, module=HOSTILE) for m in board.modules),
        spending=tuple(replace(s, who=HOSTILE) for s in board.spending),
        reasons={HOSTILE: 1},
        curves=replace(board.curves, gains=tuple(replace(c, name=HOSTILE) for c in board.curves.gains)),
    )
    signed = replace(board, verdicts=tuple(replace(v, by="x") for v in board.verdicts))
    clean, walked = Walk(render(signed)), Walk(render(hostile))
    assert [tag for tag, _ in walked.tags] == [tag for tag, _ in clean.tags]
    assert not any(name.startswith("on") for _, attributes in walked.tags for name in attributes)
    assert "49" not in re.findall(r"onerror=alert\(2\)&gt; (\S+)", render(hostile))


@pytest.mark.parametrize("live", [False, True])
def test_2_only_what_the_policy_names(board: Board, live: bool) -> None:
    page = render(board, live=live)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    said = policy[1].replace("&#39;", "'")
    assert said.startswith("default-src 'none'")
    for element in ("style", "script"):
        bodies = re.findall(rf"<{element}>(.*?)</{element}>", page, re.S)
        assert len(bodies) == (1 if element == "style" or live else 0)
        for body in bodies:
            digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
            assert f"{element}-src 'sha256-{digest}'" in said
    tags = Walk(page).tags
    assert not any("style" in attributes for _, attributes in tags)
    assert not any(tag in ("link", "img", "iframe", "object", "form", "base") for tag, _ in tags)
    assert not re.search(r"(?:https?:)?//\w", re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.S))


def test_3_keyboard_and_ear(board: Board) -> None:
    tags = Walk(render(board, live=True)).tags
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [a["href"][1:] for tag, a in tags if tag == "a"]
    assert len(targets) > 8 and set(targets) <= set(ids)
    assert all(a.get("aria-label") or a.get("aria-hidden") for tag, a in tags if tag == "svg")
    assert all(a.get("aria-labelledby", a.get("aria-label")) for tag, a in tags if tag == "section")
    scrolled = [a for _, a in tags if "scroll" in a.get("class", "").split()]
    assert len(scrolled) > 5 and all(a.get("tabindex") == "0" for a in scrolled)
    levels = [int(tag[1]) for tag, _ in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1 and all(b - a <= 1 for a, b in pairwise(levels))


def test_4_equal_boards_equal_bytes(board: Board) -> None:
    assert render(board) == render(board)


@pytest.mark.slow
def test_4_ten_thousand_verdicts(tmp_path: Path) -> None:
    place = Workspace(root=tmp_path, home=tmp_path / "state")
    write(place.ledger, place.checkpoints, 10_000, together=200)
    large = read_board(place)
    assert large.counts.verdicts == 10_000 and len(large.verdicts) == 200 and large.verdicts[0].place == 10_000
    assert len(render(large)) < 200_000


def test_warnings_name_what_stops_the_loop(board: Board) -> None:
    stale = tuple(replace(c, state="stale") for c in board.certificates)
    said = " ".join(warnings(replace(board, certificates=stale)))
    assert "no git repository" in said and "cws certify" in said and stale[0].suite in said
    spent = replace(board.discovery, wealth=-0.001)
    assert any("cws ledger verify" in w for w in warnings(replace(board, discovery=spent)))


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.0, 1.0, [0.0, 0.25, 0.5, 0.75, 1.0]),
        (-0.13, 0.44, [-0.2, 0.0, 0.2, 0.4, 0.6]),
        (0.0, 0.00134, [0.0, 0.0005, 0.001, 0.0015]),
        (3.0, 3.0, [1.0, 2.0, 3.0, 4.0, 5.0]),
        (float("nan"), 1.0, [0.0, 1.0]),
    ],
)
def test_ticks_are_round_and_enclose(low: float, high: float, ticks: list[float]) -> None:
    assert nice(low, high) == pytest.approx(ticks)


def test_times_and_figures() -> None:
    assert moment(0) == "\u2013" and moment(1_762_000_000 * 10**9) == "2025-11-01 12:26"
    assert [duration(s) for s in (None, 1.5, 90.0, 600.0, 7_201.0)] == ["\u2013", "1.5 s", "90 s", "10 min", "2.0 h"]
    assert [exact(v) for v in (None, 0.025, -0.00133792, 0.0)] == ["\u2013", "0.025", "\u22120.001338", "0"]


def test_words_with_commands() -> None:
    assert coded("run `cws <x>` & see") == "run <code>cws &lt;x&gt;</code> &amp; see"
    assert coded("<b>") == "&lt;b&gt;"
