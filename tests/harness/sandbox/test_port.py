"""Jobs that cannot be stated, messages that are no messages, machines without a sandbox."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.sandbox.choose import choose, examine, known
from harness.sandbox.inside.order import Answer, answer_text, read_answer, receive, send
from harness.sandbox.jail import Jail
from harness.sandbox.port import Job, JobError, Limits, NoSandboxError, Outcome, Reason, Sandbox, SandboxError, Usage

PYTHON = ("python",)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Job({}, ()), "argv"),
        (lambda: Job({}, ("",)), "argv"),
        (lambda: Job({}, ("a\0b",)), "argv"),
        (lambda: Job({"/a": b""}, PYTHON), "'/a'"),
        (lambda: Job({"a/../b": b""}, PYTHON), "a/../b"),
        (lambda: Job({"a//b": b""}, PYTHON), "a//b"),
        (lambda: Job({".tmp": b""}, PYTHON), "temporary files"),
        (lambda: Job({".tmp/x": b""}, PYTHON), "temporary files"),
        (lambda: Job({"a\nb": b""}, PYTHON), "relative path"),
        (lambda: Job({"\udcff": b""}, PYTHON), "relative path"),
        (lambda: Job({"a\\b": b""}, PYTHON), "relative path"),
        (lambda: Job({"x" * 401: b""}, PYTHON), "400 bytes"),
        (lambda: Job({"/".join("x" * 25): b""}, PYTHON), "24 folders"),
        (lambda: Job({"a": b"", "a/b": b""}, PYTHON), "a file and a folder"),
        (lambda: Job({"a": bytes(2 << 20)}, PYTHON, Limits(scratch_bytes=1 << 20)), "scratch_bytes"),
        (lambda: Job({}, PYTHON, Limits(scratch_bytes=1 << 20), stdin=bytes(2 << 20)), "stdin"),
        (lambda: Job({}, ("python", "x" * 100_001)), "give long texts as files"),
        (lambda: Job({f"f{i}": b"" for i in range(20)}, PYTHON, Limits(scratch_files=16)), "scratch_files"),
        (lambda: Job({}, PYTHON, environment={"LD_PRELOAD": "x"}), "LD_PRELOAD"),
        (lambda: Job({}, PYTHON, environment={"A=B": "x"}), "A=B"),
        (lambda: Job({}, PYTHON, environment={"A": "x\0"}), "'A'"),
        (lambda: Job({}, PYTHON, shown={"a/b": Path("/tmp")}), "a/b"),
        (lambda: Job({}, PYTHON, shown={"a": Path("tmp")}), "absolute"),
        (lambda: Job({}, PYTHON, shown={"a": Path("/no/such/folder")}), "exists"),
        (lambda: Limits(timeout_s=0), "timeout_s = 0"),
        (lambda: Limits(memory_bytes=1), "memory_bytes = 1"),
        (lambda: Limits(processes=100_000), "processes"),
        (lambda: Limits(cpu_s=True), "cpu_s"),
        (lambda: Limits(timeout_s=float("nan")), "timeout_s"),
    ],
)
def test_jobs_that_cannot_be_stated(make: Callable[[], object], says: str) -> None:
    with pytest.raises(JobError) as caught:
        make()
    assert says in str(caught.value)


def test_messages_come_back_as_they_were_or_not_at_all() -> None:
    answer = Answer(exit_code=3, reason="cpu", left_out=(("a", "b"),))
    stream = io.BytesIO()
    send(stream, answer_text(answer), {"a": b"\0\xff", "b": b""})
    whole = stream.getvalue()
    text, files = receive(io.BytesIO(whole), 10)
    assert (read_answer(text), files) == (answer, {"a": b"\0\xff", "b": b""})
    with pytest.raises(ValueError, match="more than 1 bytes"):
        receive(io.BytesIO(whole), 1)
    for cut in range(len(whole)):
        with pytest.raises(ValueError):
            receive(io.BytesIO(whole[:cut]), 10)
    rng = random.Random(7)
    for _ in range(300):
        body = bytearray(whole)
        body[rng.randrange(len(body))] = rng.randrange(256)
        try:
            receive(io.BytesIO(bytes(body)), 10)
        except (ValueError, TypeError):
            continue


@dataclass(frozen=True)
class Odd:
    """A sandbox that answers as it was told."""

    answer: Outcome | SandboxError
    name: str = "odd"
    gives: str = "nothing"

    def run(self, job: Job) -> Outcome:
        if isinstance(self.answer, SandboxError):
            raise self.answer
        return self.answer


def outcome(stdout: bytes, code: int = 0) -> Outcome:
    return Outcome(code, stdout, b"why", {}, (), Reason.EXITED, Usage(0.0, 0.0, 0.0, 0))


def test_the_first_that_works_is_chosen() -> None:
    broken, silent, good = Odd(SandboxError("odd: broken")), Odd(outcome(b"")), Odd(outcome(b"42\n"), "good")
    sandboxes: list[Sandbox] = [broken, silent, good]
    assert choose(sandboxes) is good
    assert [f.works for f in examine(sandboxes)] == [False, False, True]
    with pytest.raises(
        NoSandboxError, match=r"odd: broken; odd: a trial program ended with 0 .*Remedy: install bubblewrap"
    ):
        choose(sandboxes[:2])


def test_a_jail_without_its_program_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match="bubblewrap is missing; install"):
        Jail("bubblewrap").run(Job({}, PYTHON))


def test_a_jail_elsewhere_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(SandboxError, match="needs Linux on x86_64 or aarch64"):
        Jail("namespaces").run(Job({}, PYTHON))


def test_names_are_distinct_and_ports_are_filled() -> None:
    assert len({sandbox.name for sandbox in known()}) == len(known()) == 3
    assert all(sandbox.gives for sandbox in known())
