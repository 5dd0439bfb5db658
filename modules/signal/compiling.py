"""The kernels of a plan compiled before it runs, on two processors where there are two.

Numba compiles in Python, under its lock, so threads do not help; a forked process does. The two take kernels in turn;
what the other compiles is on disk, where this process finds it. Nothing depends on it: what it does not leave is
compiled when it is called.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import numpy as np

from modules.panel import FloatArray
from modules.signal.operators import Kind, kernel_of
from modules.signal.plan import Apply, Part, Plan
from modules.signal.sharing import part_kernel

LEAST_MISSING = 4
"""Fewer kernels than this are compiled sooner than a process is forked and waited for."""
_PATIENCE_SECONDS = 60.0
_COLUMNS = 2
_MOST_TURNS = 256
"""As many as a byte tells apart; what is beyond is compiled when it is called."""

FirstCall = tuple[Callable[..., object], tuple[object, ...]]


def compile_missing(plan: Plan, processors: int) -> None:
    """Compile what the plan calls and no process of this home has compiled before, shared with a fork of this one."""
    missing = sorted((call for call in _first_calls(plan) if _is_missing(call[0])), key=_length, reverse=True)
    if len(missing) < LEAST_MISSING or processors < 2 or sys.platform != "linux":
        return
    with _without_collection(), _Turns(len(missing)) as turns:
        child = _forked(missing, turns)
        _compile(missing, turns)
        if child is not None:
            _wait(child)


class _Turns:
    """Numbers from 0, each given to one of two processes: whoever is done takes the next kernel."""

    def __init__(self, count: int) -> None:
        self._reads, self._writes = os.pipe()
        os.write(self._writes, bytes(range(min(count, _MOST_TURNS))))

    def __enter__(self) -> _Turns:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._reads)

    def __iter__(self) -> Iterator[int]:
        os.close(self._writes)  # by each process: with no writer left, an empty pipe ends the numbers
        while number := os.read(self._reads, 1):
            yield number[0]


@contextmanager
def _without_collection() -> Iterator[None]:
    """Compiling makes many objects, and to look through all of them again and again takes a sixth of its time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _compile(calls: Sequence[FirstCall], turns: _Turns) -> None:
    for turn in turns:
        kernel, arguments = calls[turn]
        kernel(*arguments)


def _length(call: FirstCall) -> int:
    """The longest kernels first, so that neither process ends with one that the other waits for."""
    functions = [cast("Any", call[0]).py_func]
    for function in functions:  # and the kernels that it calls, each once
        named = (function.__globals__.get(name) for name in function.__code__.co_names)
        called = (k.py_func for k in named if hasattr(k, "py_func"))
        functions.extend(f for f in called if f not in functions)
    return sum(len(f.__code__.co_code) for f in functions)


def _first_calls(plan: Plan) -> Iterator[FirstCall]:
    """Each kernel once, with arguments of the types that a run calls it with."""
    from modules.signal.kernels.elementwise import settle

    yield settle, (_read_only(1), np.zeros(2, np.int64), np.empty((1, _COLUMNS)))
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


def _forked(calls: Sequence[FirstCall], turns: _Turns) -> int | None:
    """The process that makes calls while there are any, and ends; None where none can be had."""
    from numba.core.compiler_lock import global_compiler_lock

    with global_compiler_lock:  # held by this thread, so that the child, which is a copy of it, holds it too
        try:
            child = os.fork()
        except OSError:
            return None
    if child:
        return child
    try:
        _compile(calls, turns)
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
