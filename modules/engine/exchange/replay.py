"""Replay a stream through a strategy: compiled; `strategy.py` has the same for one in Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types

from modules.engine.accounting import EngineError, EngineOverflowError
from modules.engine.exchange import layout as f
from modules.engine.exchange.account import log_nav
from modules.engine.exchange.clock import advance
from modules.engine.exchange.events import Stream
from modules.engine.exchange.logs import Logs, Replay
from modules.engine.exchange.machine import new_machine
from modules.engine.exchange.orders import Event, State
from modules.engine.exchange.plain import kernel
from modules.engine.exchange.settings import ExchangeSettings
from modules.engine.exchange.venue import FAULT_RING_FULL, FAULT_TRANSITION, FAULT_UNKNOWN_ORDER
from modules.panel import FloatArray, IntArray

Compiled = Callable[[IntArray, FloatArray], None]
Step = Callable[[IntArray, FloatArray, IntArray], int]

_INTS = types.Array(types.int64, 1, "C")
_FLOATS = types.Array(types.float64, 1, "C")
_TABLE = types.Array(types.int64, 2, "C")
_STRATEGY = types.void(_INTS, _FLOATS)
_STEP = types.int64(_INTS, _FLOATS, _TABLE)
MARKET_EVENTS = f.BAR_BIT | f.QUOTE_BIT | f.TRADE_BIT | f.DEPTH_BIT


@kernel
def drive(a: IntArray, r: FloatArray, e: IntArray, memory: FloatArray, step: Step, strategy: Compiled) -> int:
    """Call a compiled strategy until the logs must be drained or the stream ends; `memory[0]` counts its calls."""
    while True:
        kind = step(a, r, e)
        if kind >= f.END:
            return kind
        memory[0] += 1.0
        strategy(a, memory)


def machine_code(kernel: Any, *signature: Any) -> Any:
    """The kernel, compiled for one signature. Functions are passed by address, so each is compiled by itself."""
    if not kernel.signatures:
        kernel.compile(signature)
        kernel.disable_compile()
    return kernel


def compiled_step() -> Any:
    """`advance`."""
    return machine_code(advance, _INTS, _FLOATS, _TABLE)


def raise_fault(a: IntArray) -> None:
    """Raise EngineError for what the machine stopped at."""
    code, order = int(a[f.H_FAULT]), int(a[f.H_FAULT_ORDER])
    event = Event(int(a[f.H_FAULT_EVENT])).name if code != FAULT_RING_FULL else ""
    if code == FAULT_TRANSITION:
        raise EngineError(
            f"order {order} is {State(int(a[f.H_FAULT_STATE])).name}, in which {event} cannot happen; "
            "the venue's messages contradict each other: compare them with the orders sent"
        )
    if code == FAULT_UNKNOWN_ORDER:
        raise EngineError(f"{event} for order {order}, which is not known here; compare the venue's orders with ours")
    raise EngineError("more messages are under way than the machine has room for; send fewer, or raise live_orders")


def finish(a: IntArray, r: FloatArray, stream: Stream, logs: Logs, callbacks: int) -> Replay:
    """Close the account's logs."""
    log_nav(a, int(a[f.H_NOW]))
    logs.drain(a, r)
    return Replay(stream, a, r, logs, callbacks)


def replay(
    stream: Stream,
    strategy: Compiled,
    settings: ExchangeSettings,
    *,
    subscribed: int = MARKET_EVENTS,
    memory: FloatArray | None = None,
) -> Replay:
    """Run a compiled strategy over a stream.

    `subscribed`: sum of `*_BIT`s of the events it is called with. `memory`: what the strategy keeps from call to call,
    parameters among it; place 0 counts the calls (64 places of 0 where none is given). Raises EngineError where
    messages contradict each other, EngineOverflowError where an amount leaves its exact range.
    """
    step = compiled_step()
    machine_code(strategy, _INTS, _FLOATS)
    loop = machine_code(
        drive, _INTS, _FLOATS, _TABLE, _FLOATS, types.FunctionType(_STEP), types.FunctionType(_STRATEGY)
    )
    own = np.zeros(64) if memory is None else memory
    own[0] = 0.0
    a, r = new_machine(stream, settings, subscribed)
    logs = Logs()
    try:
        while True:
            kind = loop(a, r, stream.table, own, step, strategy)
            if kind != f.DRAIN:
                break
            logs.drain(a, r)
    except OverflowError as error:
        raise overflow(a, error) from None
    if kind == f.FAULT:
        raise_fault(a)
    return finish(a, r, stream, logs, int(own[0]))


def overflow(a: IntArray, error: OverflowError) -> EngineOverflowError:
    """The error for an amount beyond what integer micros hold."""
    return EngineOverflowError(
        f"{error} at {int(a[f.H_NOW])} ns; money is exact below 2**53 micros: trade less, or smaller lots"
    )
