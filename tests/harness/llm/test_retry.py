"""Asking again: which failures, how long between, and when to stop."""

from __future__ import annotations

import pytest

from harness.llm.port import PASSING, Message, ModelError, Reason, Request
from harness.llm.retry import Patience, Retrying
from harness.llm.scripted import Scripted, says

REQUEST = Request(label="a", system="s", messages=(Message(role="user", text="u"),))


def run(script: list[object], **patience: float) -> tuple[object, list[float], int]:
    waits: list[float] = []
    now = [0.0]

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    scripted = Scripted(script)  # type: ignore[arg-type]
    model = Retrying(scripted, Patience(**patience), sleep=sleep, clock=lambda: now[0])  # type: ignore[arg-type]
    try:
        return model.complete(REQUEST).text, waits, len(scripted.asked)
    except ModelError as error:
        return error, waits, len(scripted.asked)


def fails(reason: Reason, wait_s: float | None = None) -> ModelError:
    return ModelError(reason, reason.value, wait_s=wait_s)


@pytest.mark.parametrize("reason", sorted(PASSING))
def test_what_may_pass_is_asked_again(reason: Reason) -> None:
    assert run([fails(reason), fails(reason), says("yes")]) == ("yes", [0.5, 1.0], 3)


@pytest.mark.parametrize("reason", sorted(set(Reason) - PASSING))
def test_what_cannot_pass_is_not(reason: Reason) -> None:
    error, waits, asked = run([fails(reason), says("yes")])
    assert isinstance(error, ModelError) and error.reason is reason
    assert (waits, asked) == ([], 1)


def test_a_server_that_names_a_wait_is_obeyed() -> None:
    assert run([fails(Reason.RATE_LIMITED, 7.0), says("yes")])[1] == [7.0]
    assert run([fails(Reason.RATE_LIMITED, 0.0), says("yes")])[1] == [0.5]


def test_attempts_are_counted_and_said() -> None:
    error, waits, asked = run([fails(Reason.OVERLOADED)] * 9)
    assert isinstance(error, ModelError) and "asked 5 times in 8 s" in str(error)
    assert (waits, asked) == ([0.5, 1.0, 2.0, 4.0], 5)


def test_no_wait_goes_beyond_the_deadline() -> None:
    error, waits, asked = run([fails(Reason.RATE_LIMITED, 50.0)] * 9, deadline_s=120.0)
    assert isinstance(error, ModelError) and error.reason is Reason.RATE_LIMITED
    assert (waits, asked) == ([50.0, 50.0], 3)


def test_waits_stop_growing() -> None:
    assert Patience(longest_wait_s=3.0).wait_s(40, None) == 3.0
