"""Nothing outlives a job, whatever happens to whoever ordered it; and jobs do not meet.

1. The caller is killed (kill -9): the program ends with it. In a container it ends when its time is over.
   So it is where the warden is killed.
2. The caller is interrupted: the same, at once.
3. Several jobs at a time: each has its own files, and none sees another's.
4. A program that only ever starts is bounded in time, and the sandbox works afterwards.
5. An engine has no container of ours when a job is over; what callers left that were killed goes with the next job.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.sandbox.docker import LABEL, Docker
from harness.sandbox.inside.memory import children
from harness.sandbox.port import MIB, Job, Limits, Reason, Sandbox, SandboxError
from tests.harness.sandbox.conftest import SMALL, run
from tests.harness.sandbox.test_payloads import processes_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 120.0
"""Far less than the programs would run."""
LASTING = "import time; print('on', flush=True); time.sleep(600)"
CALLER = f"""
import signal, sys
from harness.sandbox.choose import known
from harness.sandbox.port import Job, Limits
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever this suite was started from ignores
name, marker = sys.argv[1:]
sandbox = next(s for s in known() if s.name == name)
sandbox.run(Job({{}}, ("python", "-I", "-c", {LASTING!r}, "of-" + marker), Limits(timeout_s=700)))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_1_2_the_caller_goes(sandbox: Sandbox, number: signal.Signals) -> None:
    if isinstance(sandbox, Docker) and number == signal.SIGKILL:
        pytest.skip("an engine knows nothing of its clients; see the next test")
    marker = secrets.token_hex(8)
    caller = subprocess.Popen([sys.executable, "-c", CALLER, sandbox.name, marker], cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        argv = ("python", "-I", "-c", LASTING, f"of-{marker}")
        _until(lambda: bool(processes_of(argv[-1])) if isinstance(sandbox, Docker) else _runs(argv))
        caller.send_signal(number)
        caller.wait(PATIENCE_S)
        _until(lambda: not processes_of(f"of-{marker}"))
    finally:
        caller.kill()
        caller.wait()


def test_1_the_warden_is_killed(sandbox: Sandbox) -> None:
    """By hand, or by the kernel for memory: its jail goes with it, and the job fails by name."""
    if isinstance(sandbox, Docker):
        pytest.skip("of jails")
    marker = secrets.token_hex(8)
    code = "import time; time.sleep(600)"
    job = Job({}, ("python", "-I", "-c", code, "of-" + marker), Limits(timeout_s=700))
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(sandbox.run, job)
        _until(lambda: _runs(job.argv))
        for child in children(os.getpid()):
            if b"inside.warden" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(child, signal.SIGKILL)
        with pytest.raises(SandboxError, match="no answer"):
            answer.result(PATIENCE_S)
    _until(lambda: not processes_of(f"of-{marker}"))


def test_1_a_container_ends_by_itself(sandbox: Sandbox) -> None:
    """Its first process has an alarm; with it goes the container, and the engine removes it."""
    if not isinstance(sandbox, Docker):
        pytest.skip("of containers")
    import docker

    from harness.sandbox import image
    from harness.sandbox.docker import _create

    client = docker.from_env()
    container = _create(client, image.ensure(client), Job({}, ("python",), Limits(timeout_s=1)), lasting_s=1)
    container.reload()
    volumes = {mount["Name"] for mount in container.attrs["Mounts"]}
    assert volumes
    container.start()

    def gone() -> bool:
        here = {found.id for found in client.containers.list(all=True)}
        return container.id not in here and not volumes & {found.name for found in client.volumes.list()}

    _until(gone)


def test_3_jobs_do_not_meet(sandbox: Sandbox) -> None:
    code = (
        "import os, time\n"
        "open(f'mine-{os.environ[\"ME\"]}', 'w').write(os.environ['ME'])\n"
        "time.sleep(1)\n"
        "print(sorted(n for n in os.listdir('.') if n.startswith('mine')), os.listdir('/tmp'))\n"
    )
    jobs = [
        Job({"main.py": code.encode()}, ("python", "-I", "main.py"), SMALL, environment={"ME": str(i)})
        for i in range(4)
    ]
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(sandbox.run, jobs))
    for i, outcome in enumerate(outcomes):
        assert outcome.files == {f"mine-{i}": str(i).encode()}, outcome.stderr
        assert outcome.stdout.decode() == f"['mine-{i}'] []\n"


def test_4_after_the_worst_it_works(sandbox: Sandbox) -> None:
    code = "import os, signal\nsignal.signal(15, signal.SIG_IGN)\nfor _ in range(6): os.fork()\nwhile True: pass"
    limits = Limits(timeout_s=2, processes=16, memory_bytes=256 * MIB)
    assert run(sandbox, code, limits).reason in (Reason.TIMEOUT, Reason.EXITED)
    assert run(sandbox, "print(1)").stdout == b"1\n"


def test_5_the_engine_is_left_clean(sandbox: Sandbox) -> None:
    if not isinstance(sandbox, Docker):
        pytest.skip("of containers")
    import docker

    client = docker.from_env()
    marker = secrets.token_hex(8)
    sandbox.run(Job({}, ("python", "-I", "-c", "open('x', 'w')", marker), SMALL, environment={"MARK": marker}))
    for container in client.containers.list(all=True, filters={"label": LABEL}):
        assert marker not in str(container.attrs.get("Config"))


def test_5_what_others_left_goes_with_the_next_job(sandbox: Sandbox) -> None:
    """A container that its caller froze before it was killed, for its alarm does not ring; a scratch folder whose
    engine was cut off. What still has time stays."""
    if not isinstance(sandbox, Docker):
        pytest.skip("of containers")
    import docker

    from harness.sandbox import image
    from harness.sandbox.docker import _create

    client = docker.from_env()
    tag = image.ensure(client)
    frozen, younger = (_create(client, tag, Job({}, ("python",), SMALL), lasting_s) for lasting_s in (10, 600))
    for container in (frozen, younger):
        container.start()
        container.pause()
    left = client.volumes.create(labels={LABEL: "1"})
    time.sleep(11)
    try:
        assert sandbox.run(Job({}, ("python", "-I", "-c", "print(1)"), SMALL)).stdout == b"1\n"
        here = {found.id for found in client.containers.list(all=True)}
        assert frozen.id not in here
        assert younger.id in here
        assert left.name not in {found.name for found in client.volumes.list()}
    finally:
        younger.remove(force=True, v=True)


def _runs(argv: tuple[str, ...]) -> bool:
    """Whether the program itself has set out: before that, those who make its jail have its words in theirs, and
    bubblewrap binds the first process of a jail to its maker only once the jail is made."""
    command = "\0".join((*argv, "")).encode()
    for pid in processes_of(argv[-1]):
        with contextlib.suppress(OSError):  # it went meanwhile
            if Path(f"/proc/{pid}/cmdline").read_bytes() == command:
                return True
    return False


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)
