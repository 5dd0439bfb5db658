"""`kernel` for functions that call each other with many constants: one machine code for all of them.

Numba types a constant argument as itself, so a function called with six constants is compiled six times. Here a
constant counts as its type. The compiler still sees it where it inlines the call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from numba.core import types

from modules import jit

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """As `modules.jit.kernel`, compiled once whatever constants it is called with."""
    dispatcher: Any = jit.kernel(function)
    template = getattr(dispatcher, "get_call_template", None)
    if template is not None:  # absent where NUMBA_DISABLE_JIT leaves the function as it is
        plain: Any = types.unliteral
        dispatcher.get_call_template = lambda args, kws: template(
            tuple(plain(x) for x in args), {k: plain(x) for k, x in kws.items()}
        )
    return cast("Callable[P, R]", dispatcher)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """As `kernel`, and always compiled into its callers: for what runs at every event, where a call costs too much."""
    dispatcher: Any = kernel(function)
    if hasattr(dispatcher, "targetoptions"):
        dispatcher.targetoptions["forceinline"] = True
    return cast("Callable[P, R]", dispatcher)
