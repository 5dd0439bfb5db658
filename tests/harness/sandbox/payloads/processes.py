"""Too many processes, processes that will not end, and other people's processes."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
import threading
import time

from payloads.attempt import Outside, call, escaped, payload, refused, syscall

MOST = 400  # as many as are ever tried for


@payload(reasons=("exited",))
def fork_bomb(out: Outside) -> None:
    """Children until the kernel says no."""
    alive = 1
    for _ in range(MOST):
        try:
            if os.fork() == 0:
                time.sleep(30)
                os._exit(0)
        except OSError:
            break
        alive += 1
    if alive > out.processes:
        escaped(f"{alive} processes")


@payload()
def fork_bomb_that_spreads(out: Outside) -> None:
    """Every child has children; the count goes by a file, since no one process sees them all."""
    for _ in range(9):
        with contextlib.suppress(OSError):
            os.fork()
    with contextlib.suppress(OSError), open(f"here{os.getpid()}", "w"):
        pass
    time.sleep(2)
    if len([n for n in os.listdir(".") if n.startswith("here")]) > out.processes:
        escaped("more processes than allowed")


@payload(reasons=("exited",))
def thread_bomb(out: Outside) -> None:
    started = 0
    stop = threading.Event()
    threading.stack_size(64 << 10)  # small, so that it is their number that ends it
    for _ in range(MOST):
        try:
            threading.Thread(target=stop.wait, daemon=True).start()
        except (RuntimeError, MemoryError):
            break
        started += 1
    if started >= out.processes:
        escaped(f"{started} threads")


@payload(reasons=("timeout", "cpu"), timeout_s=3)
def exec_for_ever(out: Outside) -> None:
    """Never the same program for long."""
    os.execv(
        sys.executable, [sys.executable, "-I", "-S", "-c", "import os, sys; os.execv(sys.executable, sys.orig_argv)"]
    )


@payload(reasons=("timeout",), timeout_s=3)
def ignores_every_signal(out: Outside) -> None:
    for number in range(1, 65):
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)
    while True:
        time.sleep(1)


@payload(reasons=("timeout",), timeout_s=3)
def stops_itself(out: Outside) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


@payload(reasons=("timeout", "cpu"), timeout_s=3)
def loops_in_every_child(out: Outside) -> None:
    for _ in range(6):
        if os.fork() == 0:
            break
    while True:
        pass


@payload()
def daemon(out: Outside) -> None:
    """Forks twice, leaves its session, closes everything, and means to stay."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.closerange(0, 64)
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            time.sleep(120)
        os._exit(0)


@payload(reasons=("exited",))
def daemon_that_holds_the_output(out: Outside) -> None:
    """Whoever waits for the end of the output waits long."""
    if os.fork() == 0:
        os.setsid()
        time.sleep(120)
        os._exit(0)
    os._exit(0)


@payload()
def a_chain_of_parents(out: Outside) -> None:
    """Each child outlives its parent, so that killing by parentage finds nobody."""
    for _ in range(200):
        try:
            if os.fork():
                os._exit(0)
        except OSError:
            break
    time.sleep(60)


@payload()
def kills_everyone(out: Outside) -> None:
    os.kill(-1, signal.SIGKILL)


@payload()
def kills_by_number(out: Outside) -> None:
    own = os.getpid()
    for pid in (1, os.getppid(), *range(2, 400), out.victim):
        if pid not in (0, own):
            for number in (signal.SIGSTOP, signal.SIGKILL):
                with contextlib.suppress(OSError):
                    os.kill(pid, number)
    if out.victim > 1000:  # else the number may be one of ours
        refused("a signal to a process outside", lambda: os.kill(out.victim, 0))


@payload()
def traces_a_process(out: Outside) -> None:
    for pid in (1, os.getppid(), out.victim):
        call(f"ptrace attach {pid}", 101, 117, 16, pid, 0, 0)
        call(f"ptrace seize {pid}", 101, 117, 0x4206, pid, 0, 0)
    call("ptrace traceme", 101, 117, 0, 0, 0, 0)


@payload()
def reads_the_memory_of_a_process(out: Outside) -> None:
    buffer = ctypes.create_string_buffer(64)
    local = (ctypes.c_size_t * 2)(ctypes.addressof(buffer), 64)
    remote = (ctypes.c_size_t * 2)(0x400000, 64)
    for pid in (1, os.getppid(), out.victim):
        call("process_vm_readv", 310, 270, pid, local, 1, remote, 1, 0)
        call("process_vm_writev", 311, 271, pid, local, 1, remote, 1, 0)
        refused("another process's memory", lambda pid=pid: open(f"/proc/{pid}/mem", "rb").read(1))


@payload()
def takes_a_descriptor(out: Outside) -> None:
    """A process by descriptor, and a descriptor out of it."""
    for pid in (1, os.getppid(), out.victim):
        call("pidfd_open", 434, 434, pid, 0)
        for number in range(16):
            call("pidfd_getfd", 438, 438, number, 0, 0)
    call("kcmp", 312, 272, 1, os.getpid(), 0, 0, 0)


@payload()
def raises_its_limits(out: Outside) -> None:
    for what in range(16):
        hard = resource.getrlimit(what)[1]
        if hard != resource.RLIM_INFINITY:
            refused(f"limit {what} raised", lambda what=what, hard=hard: resource.setrlimit(what, (hard + 1, hard + 1)))
            refused(
                f"limit {what} lifted",
                lambda what=what: resource.setrlimit(what, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)),
            )
    for what in (resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE, resource.RLIMIT_CPU, resource.RLIMIT_CORE):
        if resource.getrlimit(what)[1] == resource.RLIM_INFINITY:
            escaped(f"no limit {what}")


@payload()
def goes_first(out: Outside) -> None:
    """Ahead of all others in the queue for the processor."""
    refused("nice -20", lambda: os.setpriority(os.PRIO_PROCESS, 0, -20))
    refused("real time", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50)))
    call("sched_setattr", 314, 274, 0, ctypes.create_string_buffer(56), 0)
    call("ioprio_set", 251, 30, 1, 0, 1 << 13)


@payload()
def becomes_root(out: Outside) -> None:
    if 0 in (os.getuid(), os.geteuid(), os.getgid(), *os.getgroups()):
        escaped("is root")
    for name in ("setuid", "seteuid", "setgid", "setegid"):
        refused(name, lambda name=name: getattr(os, name)(0))
    refused("setresuid", lambda: os.setresuid(0, 0, 0))
    refused("setgroups", lambda: os.setgroups([0]))
    header, body = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6)
    call("capset", 126, 91, header, body)
    held = (ctypes.c_uint32 * 6)()
    number = {"x86_64": 125}.get(os.uname().machine, 90)
    syscall(number, header, held)
    if any(held):
        escaped(f"capabilities {list(held)}")


@payload()
def spreads_over_processors(out: Outside) -> None:
    call("sched_setaffinity", 203, 122, 0, 128, ctypes.create_string_buffer(b"\xff" * 128, 128))
