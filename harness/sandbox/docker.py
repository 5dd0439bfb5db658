"""Docker: a container of our own image for each job, without network, rights, or anything of this machine.

The container's first process is ours and only waits, as another user; the program is started beside it. So what the
program left can be taken out of the frozen container before it is thrown away, whatever the program did.
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.sandbox import image
from harness.sandbox.exchange import pack, unpack
from harness.sandbox.inside.collect import Collected
from harness.sandbox.inside.seccomp import AUDIT_ARCH
from harness.sandbox.port import MIB, TEMPORARY, WORK, Job, LeftOut, Outcome, Reason, SandboxError, Usage
from harness.sandbox.printed import Printed
from harness.sandbox.profile import seccomp_profile
from harness.sandbox.view import INTERPRETER, environment, shown

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

# Ids that belong to nobody by convention, and are not the other's.
KEEPER, PROGRAM = 61100, 61101
LABEL = "cws.sandbox"
"""On whatever of ours an engine has. A container's says when it is over, in Unix seconds."""
ANSWER_WITHIN_S = 60
LOOK_EVERY_S, SETTLE_S, MEMORY_EVERY_S = 0.1, 0.01, 0.5
FREEZES, FREEZE_EVERY_S = 10, 0.3
KEEPER_MIB = 48  # what the waiting process takes of the container's memory
# The kernel keeps a first process from signals that it does not handle, so the alarm has a handler.
_WAIT = (
    "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN);"
    " signal.signal(signal.SIGALRM, lambda *_: os._exit(0)); signal.alarm(int(sys.argv[1]));"
    " [signal.pause() for _ in iter(int, 1)]"
)
# The program's standard input is a file, put there with the others and removed before the program sees it.
_WITH_INPUT = (
    "import os, sys; f = os.open(sys.argv[1], os.O_RDONLY); os.unlink(sys.argv[1]); os.dup2(f, 0);"
    " os.execvp(sys.argv[2], sys.argv[2:])"
)
_INPUT = f"{TEMPORARY}/.stdin"


@dataclass(frozen=True)
class Docker:
    """The engine that the environment names (`DOCKER_HOST`), or the local one."""

    @property
    def name(self) -> str:
        return "docker"

    @property
    def gives(self) -> str:
        return (
            "an image of its own, no network, read-only root, no capability, our list of system calls, another user;"
            " limits on memory, processes and processors of all together"
        )

    def is_ready(self) -> bool:
        """Whether the image is there. Raises SandboxError where no engine answers, or one that is unfit."""
        with _engine() as client:
            return image.exists(client)

    def run(self, job: Job) -> Outcome:
        began = time.monotonic()
        with _engine() as client:
            tag = image.ensure(client)
            _sweep(client)
            container = _create(client, tag, job, int(job.limits.timeout_s) + ANSWER_WITHIN_S)
            try:
                container.start()
                return _run(client, str(container.id), job, began)
            finally:
                _remove(client, str(container.id))


def unfit(info: Mapping[str, Any]) -> str:
    """Why an engine, by what it says of itself, cannot hold a program; "" where it can."""
    lacking = [what for what in ("MemoryLimit", "PidsLimit", "CpuCfsQuota") if not info.get(what)]
    if lacking:
        return f"the engine cannot limit ({', '.join(lacking)}); a rootless one needs its control groups delegated"
    if not any("seccomp" in option for option in info.get("SecurityOptions") or ()):
        return "the engine has no seccomp, so the list of system calls would not hold"
    if info.get("OSType") != "linux":
        return f"the engine runs {info.get('OSType')} containers; Linux ones are needed"
    return ""


@contextmanager
def _engine() -> Iterator[DockerClient]:
    """The client; what goes wrong with it, or with a container, is a SandboxError."""
    import docker
    import requests

    if sys.platform != "linux" or platform.machine() not in AUDIT_ARCH:
        raise SandboxError(
            f"docker: the image is this machine's interpreter, so it needs Linux on {' or '.join(AUDIT_ARCH)};"
            f" this is {platform.platform()}"
        )
    client = None
    try:
        client = docker.from_env(timeout=ANSWER_WITHIN_S)
        if why := unfit(client.info()):
            raise SandboxError(f"docker: {why}")
        yield client
    except (docker.errors.DockerException, requests.exceptions.RequestException, OSError) as error:
        raise SandboxError(f"docker: {_first_line(error)}") from error
    finally:
        if client is not None:
            client.close()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


def _create(client: DockerClient, tag: str, job: Job, lasting_s: int) -> Container:
    """`lasting_s`: after which it ends by itself, should we be killed."""
    from docker.types import DriverConfig, LogConfig, Mount, Ulimit

    limits = job.limits
    inodes = limits.scratch_files + 3
    options = f"size={limits.scratch_bytes},nr_inodes={inodes},uid={PROGRAM},gid={PROGRAM},mode=0700"
    scratch = Mount(
        WORK,
        None,
        no_copy=True,
        driver_config=DriverConfig(
            "local", {"type": "tmpfs", "device": "tmpfs", "o": f"{options},noexec,nosuid,nodev"}
        ),
        labels={LABEL: "1"},
    )
    folders = [Mount(path, str(source), type="bind", read_only=True) for source, path in shown(job)]
    return client.containers.create(
        tag,
        [INTERPRETER, "-I", "-S", "-c", _WAIT, str(lasting_s)],
        user=f"{KEEPER}:{KEEPER}",
        labels={LABEL: str(int(time.time()) + lasting_s)},
        auto_remove=True,
        network_mode="none",
        ipc_mode="none",
        hostname="sandbox",
        read_only=True,
        mounts=[scratch, *folders],
        cap_drop=["ALL"],
        security_opt=["no-new-privileges", f"seccomp={seccomp_profile()}"],
        mem_limit=limits.memory_bytes + KEEPER_MIB * MIB,
        memswap_limit=limits.memory_bytes + KEEPER_MIB * MIB,
        pids_limit=limits.processes + 1,
        nano_cpus=limits.cpus * 1_000_000_000,
        ulimits=[
            Ulimit(name="cpu", soft=limits.cpu_s, hard=limits.cpu_s + 1),
            Ulimit(name="fsize", soft=limits.file_bytes, hard=limits.file_bytes),
            Ulimit(name="nofile", soft=limits.open_files, hard=limits.open_files),
            Ulimit(name="core", soft=0, hard=0),
            Ulimit(name="memlock", soft=0, hard=0),
            Ulimit(name="msgqueue", soft=0, hard=0),
            Ulimit(name="sigpending", soft=256, hard=256),
        ],
        log_config=LogConfig(type="none"),
        environment={"LD_LIBRARY_PATH": environment(job)["LD_LIBRARY_PATH"]},
    )


def _sweep(client: DockerClient) -> None:
    """Remove what callers left that were killed, or whose engine was: a frozen container's alarm does not ring, and an
    engine that was cut off forgets which scratch folder went with which container."""
    from docker.errors import APIError

    for container in client.api.containers(all=True, filters={"label": LABEL}):
        if int(container["Labels"][LABEL]) < time.time():
            _remove(client, container["Id"])
    try:
        client.volumes.prune(filters={"label": LABEL})  # those that no container has
    except APIError as error:
        if error.status_code != 409:  # another caller is at it
            raise


def _run(client: DockerClient, identity: str, job: Job, began: float) -> Outcome:
    api = client.api
    argv = list(job.argv)
    inputs = {_INPUT: job.stdin} if job.stdin else {}
    if job.stdin:
        argv = [INTERPRETER, "-I", "-S", "-c", _WITH_INPUT, f"{WORK}/{_INPUT}", *argv]
    api.put_archive(identity, WORK, pack({**job.files, **inputs}, PROGRAM))
    exec_id = api.exec_create(
        identity, argv, stdin=False, user=f"{PROGRAM}:{PROGRAM}", workdir=WORK, environment=environment(job)
    )["Id"]
    set_out, asked = time.monotonic(), time.time()
    printed = Printed(api.exec_start(exec_id, stream=True, demux=True), job.limits.output_bytes)
    reason = _stand_by(api, identity, exec_id, printed, asked, job.limits.timeout_s)
    wall_s = time.monotonic() - set_out
    frozen = _freeze(api, identity)
    code = api.exec_inspect(exec_id)["ExitCode"]
    exit_code = 137 if code is None else int(code)
    cpu_s, peak = _usage(api.stats(identity, stream=False, one_shot=True))
    found = _files(api, identity, job) if frozen else _nothing()
    if reason is None:
        reason = Reason.MEMORY if _out_of_memory(api, identity, asked) else _why(exit_code, cpu_s, job)
    _remove(client, identity)  # nobody prints any more
    stdout, stderr = printed.rest()
    return Outcome(
        exit_code=exit_code,
        stdout=stdout,
        stderr=stderr,
        files=found.files,
        left_out=tuple(LeftOut(path, why) for path, why in found.report()),
        reason=reason,
        usage=Usage(wall_s, time.monotonic() - began - wall_s, cpu_s, peak),
    )


def _remove(client: DockerClient, identity: str) -> None:
    """The container and its scratch folder, if they are still there or not on their way out."""
    from docker.errors import APIError

    try:
        client.api.remove_container(identity, force=True, v=True)
    except APIError as error:
        if error.status_code not in (404, 409):
            raise


def _stand_by(api: Any, identity: str, exec_id: str, printed: Printed, began: float, limit_s: float) -> Reason | None:
    """Until the program ends (None), or must be ended."""
    deadline, looked = time.monotonic() + limit_s, time.monotonic()
    while True:
        if printed.ended.wait(LOOK_EVERY_S):
            time.sleep(SETTLE_S)  # it has closed its output, and ends now or works on in silence
        if printed.too_much:
            return Reason.OUTPUT
        if not api.exec_inspect(exec_id)["Running"]:
            printed.ended.wait(0.5)  # what was printed last is on its way
            return None
        now = time.monotonic()
        if now > deadline:
            return Reason.TIMEOUT
        if now - looked > MEMORY_EVERY_S:
            looked = now
            if _out_of_memory(api, identity, began):
                return Reason.MEMORY


def _freeze(api: Any, identity: str) -> bool:
    """Nothing of the container moves from here on. It cannot be while the kernel ends processes of it for memory."""
    from docker.errors import APIError

    for _ in range(FREEZES):
        try:
            api.pause(identity)
            return True
        except APIError:
            time.sleep(FREEZE_EVERY_S)
    return False


def _nothing() -> Collected:
    found = Collected()
    found.leave("", "all: the container could not be frozen")
    return found


def _files(api: Any, identity: str, job: Job) -> Collected:
    with closing(api.get_archive(identity, WORK)[0]) as chunks:  # an engine holds its lock while one is half read
        return unpack(chunks, job.files, job.limits)


def _out_of_memory(api: Any, identity: str, since: float) -> bool:
    """Whether the kernel ended a process of the container for the memory of all."""
    wanted = {"container": identity, "event": "oom"}
    return any(True for _ in api.events(since=f"{since:.6f}", until=f"{time.time():.6f}", filters=wanted))


def _why(exit_code: int, cpu_s: float, job: Job) -> Reason:
    if exit_code == 128 + 24 or (exit_code == 137 and cpu_s >= job.limits.cpu_s):  # SIGXCPU, or SIGKILL after it
        return Reason.CPU
    return Reason.KILLED if exit_code > 128 else Reason.EXITED


def _usage(stats: Any) -> tuple[float, int]:
    """Processor seconds, and the peak of memory where the engine tells it (else what is held now)."""
    memory = stats.get("memory_stats", {})
    nanoseconds = stats.get("cpu_stats", {}).get("cpu_usage", {}).get("total_usage", 0)
    return nanoseconds / 1e9, int(memory.get("max_usage", memory.get("usage", 0)))
