"""Programs that try to get out, each against each sandbox: not one may reach anything.

After every one:

1. it printed nothing that begins with ESCAPED, and the secret of the outside is in nothing that came back;
2. the files outside are as they were, and nothing is beside them;
3. nobody spoke to any socket outside, and the process outside lives;
4. no process of it is left, no mount, no container, no folder;
5. it took no longer than it was given, and what came back is within the limits.
"""

from __future__ import annotations

import importlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from harness.sandbox.port import MIB, Job, Limits, Outcome, Reason, Sandbox, Usage

pytestmark = pytest.mark.slow

HERE = Path(__file__).resolve().parent / "payloads"
GROUPS = ("processes", "memory", "disk", "files", "network", "kernel", "interpreter")
LIMITS = Limits(
    timeout_s=10, cpu_s=8, memory_bytes=320 * MIB, processes=24, scratch_bytes=16 * MIB, scratch_files=1000,
    file_bytes=8 * MIB, open_files=128, output_bytes=256 * 1024, collected_files=64, collected_bytes=4 * MIB,
)  # fmt: skip
PATIENCE_S = 40  # for making and clearing up, on a machine that is busy
MAIN = """
import importlib, sys
from payloads.attempt import outside
print("BEGUN", flush=True)
getattr(importlib.import_module("payloads." + sys.argv[2]), sys.argv[3])(outside())
"""
GIVEN = {"given.txt": b"given", "given/inner.txt": b"given too"}


def _load(group: str) -> ModuleType:
    """The payloads' names and marks; their code runs inside only."""
    sys.path.insert(0, str(HERE.parent))
    try:
        return importlib.import_module(f"payloads.{group}")
    finally:
        sys.path.remove(str(HERE.parent))


PAYLOADS: tuple[tuple[str, str, Callable[..., None]], ...] = tuple(
    (group, name, function)
    for group in GROUPS
    for name, function in vars(_load(group)).items()
    if getattr(function, "payload", False)
)


@dataclass
class World:
    """The outside, as a test made it."""

    folder: Path
    token: str
    marker: str
    listeners: list[socket.socket]
    victim: subprocess.Popen[bytes]
    port: int

    @property
    def secret(self) -> Path:
        return self.folder / "secret.txt"

    @property
    def note(self) -> Path:
        return self.folder / "note.txt"

    def told(self) -> str:
        return json.dumps(
            {
                "secret": str(self.secret),
                "note": str(self.note),
                "folder": str(self.folder),
                "port": self.port,
                "path_socket": str(self.folder / "socket"),
                "abstract_socket": self.marker,
                "victim": self.victim.pid,
                "processes": LIMITS.processes,
                "memory_bytes": LIMITS.memory_bytes,
                "scratch_bytes": LIMITS.scratch_bytes,
            }
        )


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """In a folder that every user may enter and write: it is not permissions that keep a program out."""
    token, marker = secrets.token_hex(16), f"cws-{secrets.token_hex(8)}"
    monkeypatch.setenv("CWS_CANARY", token)
    folder = Path("/var/tmp") / marker
    folder.mkdir()
    folder.chmod(0o777)
    (folder / "secret.txt").write_text(token)
    (folder / "secret.txt").chmod(0o644)
    (folder / "note.txt").write_text("as it was")
    (folder / "note.txt").chmod(0o666)
    listeners = _listeners(folder, marker)
    victim = subprocess.Popen(["sleep", "300"], env={"CANARY": token}, start_new_session=True)
    try:
        yield World(folder, token, marker, listeners, victim, listeners[0].getsockname()[1])
    finally:
        victim.kill()
        victim.wait()
        for listener in listeners:
            listener.close()
        shutil.rmtree(folder, ignore_errors=True)


def _listeners(folder: Path, marker: str) -> list[socket.socket]:
    tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    tcp.bind(("127.0.0.1", 0))
    port = tcp.getsockname()[1]
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", port))
    path, abstract = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    path.bind(str(folder / "socket"))
    (folder / "socket").chmod(0o777)
    abstract.bind("\0" + marker)
    for listener in (tcp, path, abstract):
        listener.listen()
    for listener in (tcp, udp, path, abstract):
        listener.setblocking(False)
    return [tcp, udp, path, abstract]


@pytest.mark.parametrize(("group", "name", "function"), PAYLOADS, ids=[f"{g}.{n}" for g, n, _ in PAYLOADS])
def test_nothing_is_reached(
    sandbox: Sandbox, world: World, group: str, name: str, function: Callable[..., None]
) -> None:
    marks = vars(function)
    if os.uname().machine not in marks["machines"]:
        pytest.skip(f"for {marks['machines']}")
    limits = Limits(**{**vars(LIMITS), "timeout_s": marks["timeout_s"]})
    mounts = _mounts()
    began = time.monotonic()
    outcome = sandbox.run(job_of(world, group, name, limits))
    took_s = time.monotonic() - began
    assert outcome.stdout.startswith(b"BEGUN\n"), outcome.stderr[-500:]
    assert not marks["reasons"] or outcome.reason in marks["reasons"], (outcome.reason, outcome.stderr[-500:])
    nothing_is_reached(outcome, world)
    assert _mounts() <= mounts
    assert took_s < limits.timeout_s + PATIENCE_S
    assert len(outcome.stdout) <= limits.output_bytes and len(outcome.stderr) <= limits.output_bytes
    assert len(outcome.files) <= limits.collected_files and len(outcome.left_out) <= 17
    assert sum(map(len, outcome.files.values())) <= limits.collected_bytes
    assert not any(path.startswith("/") or ".." in path.split("/") for path in outcome.files)


@pytest.mark.parametrize(
    ("group", "name"),
    [
        ("files", "reads_the_secret"), ("files", "writes_the_note"), ("network", "tcp"), ("network", "udp"),
        ("network", "unix_by_path"), ("network", "unix_abstract"), ("network", "every_family"),
        ("interpreter", "reads_the_environment"), ("processes", "daemon"), ("kernel", "calls_by_machine_code"),
        ("memory", "file_without_a_name"), ("interpreter", "hooks_for_the_next_interpreter"),
    ],
)  # fmt: skip
def test_the_canaries_can_be_tripped(world: World, tmp_path: Path, group: str, name: str) -> None:
    """Payloads that do no harm, without a sandbox: what finds nothing above finds something here."""
    if group == "kernel" and os.uname().machine != "x86_64":
        pytest.skip("machine code of another machine")
    job = job_of(world, group, name, LIMITS)
    for path, body in job.files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(body)
    done = subprocess.Popen(
        [sys.executable, *job.argv[1:]], cwd=tmp_path, stdout=(tmp_path / "said").open("wb"), start_new_session=True
    )
    try:
        assert done.wait(30) == 0
        usage = Usage(0.0, 0.0, 0.0, 0)
        outcome = Outcome(0, (tmp_path / "said").read_bytes(), b"", {}, (), Reason.EXITED, usage)
        with pytest.raises(AssertionError):
            nothing_is_reached(outcome, world)
    finally:
        for left in processes_of(world.marker):
            os.kill(int(left), signal.SIGKILL)


def nothing_is_reached(outcome: Outcome, world: World) -> None:
    said = _all(outcome)
    assert b"ESCAPED" not in said, outcome.stdout[-500:]
    assert world.token.encode() not in said
    _outside_is_as_it_was(world)
    deadline = time.monotonic() + 3  # an engine may still be clearing up
    while left := processes_of(world.marker):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def job_of(world: World, group: str, name: str, limits: Limits) -> Job:
    files = {f"payloads/{path.name}": path.read_bytes() for path in sorted(HERE.glob("*.py"))}
    argv = ("python", "main.py", world.told(), group, name, world.marker)
    return Job({"main.py": MAIN.encode(), **files, **GIVEN}, argv, limits)


def _all(outcome: Outcome) -> bytes:
    names = repr([*outcome.files, *outcome.left_out]).encode()
    files = b"".join(body for path, body in outcome.files.items() if not path.startswith("payloads/"))
    return outcome.stdout + outcome.stderr + names + files


def _outside_is_as_it_was(world: World) -> None:
    assert world.secret.read_text() == world.token
    assert world.note.read_text() == "as it was"
    assert sorted(path.name for path in world.folder.iterdir()) == ["note.txt", "secret.txt", "socket"]
    assert world.victim.poll() is None
    assert all(_nobody_spoke(listener) for listener in world.listeners)


def _nobody_spoke(listener: socket.socket) -> bool:
    try:
        if listener.type == socket.SOCK_DGRAM:
            listener.recv(100)
        else:
            listener.accept()
    except BlockingIOError:
        return True
    return False


def processes_of(marker: str) -> set[str]:
    """Processes, other than this one, that were started with the marker."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker.encode() in path.read_bytes() and path.parent.name != str(os.getpid()):
                found.add(path.parent.name)
        except OSError:
            continue
    return found


def _mounts() -> set[str]:
    """What is mounted where; the engine's own overlays of other containers come and go."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return {line.split()[4] for line in lines if "/docker/" not in line and "/containerd/" not in line}
