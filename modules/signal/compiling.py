"""The kernels of a plan compiled before it runs, on two processors where there are two.

Numba compiles in Python, under its lock, so threads do not help; a forked process does. It compiles half of what is
missing and leaves the machine code on disk, where this process finds it. Nothing depends on it: what it does not leave
is compiled when it is called.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from modules.panel import FloatArray
from modules.signal.operators import Kind, kernel_of
from modules.signal.plan import Apply, Part, Plan
from modules.signal.sharing import part_kernel

LEAST_MISSING = 4
"""Fewer kernels than this are compiled sooner than a process is forked and waited for."""
_PATIENCE_SECONDS = 60.0
_COLUMNS = 2

FirstCall = tuple[Callable[..., object], tuple[object, ...]]


def compile_missing(plan: Plan, processors: int) -> None:
    """Compile what the plan calls and no process of this home has compiled before, half of it in a fork."""
    missing = [call for call in _first_calls(plan) if _is_missing(call[0])]
    if len(missing) < LEAST_MISSING or processors < 2 or sys.platform != "linux":
        return
    child = _forked(missing[1::2])
    for kernel, arguments in missing[::2]:
        kernel(*arguments)
    if child is not None:
        _wait(child)


def _first_calls(plan: Plan) -> Iterator[FirstCall]:
    """Each kernel once, with arguments of the types that a run calls it with."""
    seen: set[int] = set()
    for step in plan.steps:
        if not isinstance(step, Apply | Part):
            continue
        kernel = part_kernel(step.kernel) if isinstance(step, Part) else kernel_of(step.operator)
        if id(kernel) not in seen:
            seen.add(id(kernel))
            yield kernel, _arguments(step)


def _arguments(step: Apply | Part) -> tuple[object, ...]:
    out = np.empty((1, _COLUMNS))
    if isinstance(step, Apply) and step.operator.kind is not Kind.WINDOW:
        state = [np.zeros((step.operator.memory(step.numbers), _COLUMNS))] if step.operator.kind is Kind.STATE else []
        return (*(_read_only(1) for _ in step.inputs), *step.numbers, *state, out)
    windows = [_read_only(step.rows) for _ in step.looks_back]
    beside = [_read_only(1) for _ in step.beside] if isinstance(step, Part) else []
    outs = [out, np.empty((1, _COLUMNS))] if isinstance(step, Part) and step.twin else [out]
    return (*windows, *beside, *step.numbers, step.rows - 1, *outs)


def _read_only(rows: int) -> FloatArray:
    values = np.zeros((rows, _COLUMNS))
    values.setflags(write=False)
    return values


def _is_missing(kernel: Callable[..., object]) -> bool:
    """Whether neither this process nor the disk has machine code of the kernel (its own: of what it calls, unknown)."""
    if getattr(kernel, "signatures", None) != []:  # no compiled kernel, or one that was called before
        return False
    files = getattr(getattr(kernel, "_cache", None), "_cache_file", None)
    return files is not None and not files.any()


def _forked(calls: Sequence[FirstCall]) -> int | None:
    """The process that makes the calls and ends; None where none can be had."""
    from numba.core.compiler_lock import global_compiler_lock

    with global_compiler_lock:  # held by this thread, so that the child, which is a copy of it, holds it too
        try:
            child = os.fork()
        except OSError:
            return None
    if child:
        return child
    try:
        for kernel, arguments in calls:
            kernel(*arguments)
    finally:
        os._exit(0)


def _wait(child: int) -> None:
    """Until the process ends, or patience does."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        done, _ = os.waitpid(child, os.WNOHANG)
        if done:
            return
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
