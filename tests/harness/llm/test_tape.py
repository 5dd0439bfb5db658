"""The tape.

1. Equal requests have one reply: asked once, heard the same ever after, in this process and in the next.
2. What a crash tore off is not there; what was altered is refused by line; what is not recorded cannot be replayed.
3. An exchange is on the tape before it is used; what failed leaves nothing.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import JsonValue

from harness.llm.tape import Exchange, Heard, Tape, TapeError, digest_of, tape_path

REQUEST: JsonValue = {"words": "rank", "n": 1}


def never() -> Heard:
    raise AssertionError("asked outside")


def heard(text: str) -> Heard:
    return Heard(reply={"text": text}, input_tokens=3, output_tokens=2, cost_micro_usd=7)


def taped(path: Path, *texts: str) -> Tape:
    tape = Tape(path)
    for text in texts:
        tape.exchange("who", "draft/1", {"words": text}, lambda text=text: heard(text))  # type: ignore[misc]
    return tape


def test_equal_requests_are_asked_once(tmp_path: Path) -> None:
    asked: list[int] = []

    def ask() -> Heard:
        asked.append(1)
        return heard("yes")

    tape = Tape(tmp_path / "a.jsonl")
    first = tape.exchange("who", "draft/1", REQUEST, ask)
    assert tape.exchange("who", "draft/1", {"n": 1, "words": "rank"}, ask) == first
    assert Tape(tmp_path / "a.jsonl").exchange("who", "draft/1", REQUEST, never) == first
    assert Tape(tmp_path / "a.jsonl", ask_outside=False).exchange("who", "x", REQUEST, never) == first
    assert len(asked) == 1
    assert (first.reply, first.input_tokens, first.cost_micro_usd) == ({"text": "yes"}, 3, 7)


def test_another_who_is_another_request(tmp_path: Path) -> None:
    assert digest_of("a", REQUEST) != digest_of("b", REQUEST)
    tape = taped(tmp_path / "a.jsonl", "x")
    assert tape.find("other", {"words": "x"}) is None


def test_replay_refuses_what_was_not_heard(tmp_path: Path) -> None:
    taped(tmp_path / "run-1.jsonl", "x")
    replay = Tape(tmp_path / "run-1.jsonl", ask_outside=False)
    with pytest.raises(TapeError, match=r"draft/1\) is not on the tape run-1, which holds 1.*in other words"):
        replay.exchange("who", "draft/1", {"words": "y"}, never)
    with pytest.raises(TapeError, match="no tape"):
        Tape(tmp_path / "run-2.jsonl", ask_outside=False)


def test_what_failed_leaves_nothing(tmp_path: Path) -> None:
    tape = Tape(tmp_path / "a.jsonl")
    with pytest.raises(AssertionError):
        tape.exchange("who", "draft/1", REQUEST, never)
    assert len(tape) == 0 and not (tmp_path / "a.jsonl").exists()


@pytest.mark.parametrize("kept", range(1, 40, 6))
def test_a_torn_line_is_not_there_and_gives_way(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "a.jsonl"
    taped(path, "x", "y")
    first, second, _ = path.read_bytes().split(b"\n")
    path.write_bytes(first + b"\n" + second[:kept])
    tape = Tape(path)
    assert [e.request for e in tape] == [{"words": "x"}]
    tape.exchange("who", "draft/1", {"words": "z"}, lambda: heard("z"))
    assert [e.request for e in Tape(path)] == [{"words": "x"}, {"words": "z"}]


ALTERED = [
    (lambda e: {**e, "request": {"words": "other"}}, "line 1: the request does not have the digest"),
    (lambda e: {**e, "extra": 1}, "line 1: Extra inputs"),
    (lambda e: {k: v for k, v in e.items() if k != "reply"}, "line 1: Field required"),
]


@pytest.mark.parametrize(("change", "problem"), ALTERED, ids=[p for _, p in ALTERED])
def test_altered_lines_are_refused(tmp_path: Path, change: object, problem: str) -> None:
    path = tmp_path / "a.jsonl"
    taped(path, "x")
    path.write_text(json.dumps(change(json.loads(path.read_text()))) + "\n")  # type: ignore[operator]
    with pytest.raises(TapeError, match=problem):
        Tape(path)


def test_a_second_reply_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    taped(path, "x")
    path.write_bytes(path.read_bytes() * 2)
    with pytest.raises(TapeError, match="line 2: a second reply"):
        Tape(path)


def test_garbage_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xff\xfe\n")
    with pytest.raises(TapeError, match="line 1"):
        Tape(path)


def test_too_large_an_exchange_is_refused(tmp_path: Path) -> None:
    tape = Tape(tmp_path / "a.jsonl")
    with pytest.raises(TapeError, match="at most"):
        tape.exchange("who", "draft/1", REQUEST, lambda: heard("x" * (9 << 20)))
    assert len(tape) == 0


def test_two_writers_keep_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    one, two = taped(path, "x"), Tape(path)
    two.exchange("who", "draft/1", {"words": "y"}, lambda: heard("y"))
    one.exchange("who", "draft/1", {"words": "z"}, lambda: heard("z"))
    assert [e.request for e in Tape(path)] == [{"words": t} for t in "xyz"]


def test_of_two_writers_the_first_reply_stands(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    one, two = taped(path, "x"), Tape(path)
    first = two.exchange("who", "draft/1", {"words": "y"}, lambda: heard("first"))
    assert one.exchange("who", "draft/1", {"words": "y"}, lambda: heard("second")) == first
    assert len(Tape(path)) == 2


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".", "x" * 200, "a\nb"])
def test_only_ids_name_a_tape(tmp_path: Path, name: str) -> None:
    with pytest.raises(TapeError, match="research id"):
        tape_path(tmp_path, name)


def test_copies_keep_every_bit(tmp_path: Path) -> None:
    source = taped(tmp_path / "a.jsonl", "x", "y")
    copy = Tape(tmp_path / "b.jsonl")
    for entry in source:
        copy.record(entry)
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    assert isinstance(next(iter(copy)), Exchange)
