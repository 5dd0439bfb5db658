"""Takes the staged root and starts the program in it, in namespaces of its own, as nobody in particular.

Two ways with one result: bubblewrap, or the same steps taken here. Either way there is a first process that is not the
program: when it ends, the kernel ends everything in its namespace with it.
"""

from __future__ import annotations

import os
import signal
from typing import NoReturn

from harness.sandbox.inside import kernel
from harness.sandbox.inside.confine import READY, command, confine
from harness.sandbox.inside.order import Order
from harness.sandbox.inside.places import WORK
from harness.sandbox.inside.stage import ROOT, map_ids

INNER_ID = 1000
HOST = "sandbox"
PACKAGES = "/opt/sandbox"
COULD_NOT = 125
_ALL = (
    kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWNET
    | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS | kernel.CLONE_NEWCGROUP
)  # fmt: skip


def start(order: Order, stdin: int, stdout: int, stderr: int, ready: int) -> int:
    """The process to wait for. Its exit code is the program's, or 128 + a signal's number.

    `ready` gets the time at which the program set out; it is closed without a word where the jail could not be made.
    """
    warden = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        for source, target in ((stdin, 0), (stdout, 1), (stderr, 2), (ready, READY)):
            os.dup2(source, target)
        os.closerange(READY + 1, 1024)
        os.setsid()
        _take_processors(order.bounds.cpus, warden)
        _become(order.user)
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != warden:
            os._exit(COULD_NOT)
        if order.how == "bubblewrap":
            _bubblewrap(order)
        else:
            _namespaces(order)
    except OSError as error:
        os.write(2, f"{error}\n".encode())
    os._exit(COULD_NOT)


def _take_processors(most: int, seed: int) -> None:
    """Some of those that we may use; another job takes others."""
    ours = sorted(os.sched_getaffinity(0))
    first = seed % len(ours)
    os.sched_setaffinity(0, (ours + ours)[first : first + most])


def _become(user: int) -> None:
    """From root to `user`, for good. Done before anything is entered, so that the limits on processes bind."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        kernel.prctl(kernel.PR_SET_DUMPABLE, 1)  # or /proc/self, where ids are mapped, would still be root's


def _bubblewrap(order: Order) -> NoReturn:
    variables = [word for name, value in order.environment.items() for word in ("--setenv", name, value)]
    os.execv(
        order.bubblewrap,
        [
            order.bubblewrap, "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent",
            "--uid", str(INNER_ID), "--gid", str(INNER_ID), "--hostname", HOST, "--cap-drop", "ALL",
            "--dev-bind", ROOT, "/", "--chdir", WORK, "--clearenv", *variables, "--",
            *command(order.interpreter, PACKAGES, order.bounds, order.argv),
        ],
    )  # fmt: skip


def _namespaces(order: Order) -> NoReturn:
    user, group = os.geteuid(), os.getegid()
    kernel.unshare(_ALL)
    map_ids(user, group, INNER_ID, INNER_ID)
    kernel.name_host(HOST)
    kernel.mount(ROOT, ROOT, "", kernel.MS_BIND | kernel.MS_REC)  # its own mount, so that it is not locked
    kernel.make_root(ROOT)
    first = os.fork()
    if first == 0:
        _first_process(order)
    os._exit(_wait_for(first))


def _first_process(order: Order) -> NoReturn:
    """Process 1 of the namespace: starts the program, buries what it leaves, and ends with it."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    kernel.drop_capabilities()
    program = os.fork()
    if program == 0:
        os.setsid()
        os.environ.clear()
        os.environ.update(order.environment)
        os.chdir(WORK)
        confine(order.bounds, order.argv)
    os._exit(_wait_for(program))


def _wait_for(program: int) -> int:
    while True:
        pid, status = os.wait()
        if pid == program:
            return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
