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

_INTS = types.Array(types.int64, 1, "C")
_FLOATS = types.Array(types.float64, 1, "C")
_TABLE = types.Array(types.int64, 2, "C")
_STRATEGY = types.void(_INTS, _FLOATS)
MARKET_EVENTS = f.BAR_BIT | f.QUOTE_BIT | f.TRADE_BIT | f.DEPTH_BIT


@kernel
def drive(a: IntArray, r: FloatArray, e: IntArray, memory: FloatArray, strategy: Compiled) -> int:
    """Call a compiled strategy until the logs must be drained or the stream ends; `memory[0]` counts its calls."""
    while True:
        kind = advance(a, r, e)
        if kind >= f.END:
            return kind
        memory[0] += 1.0
        strategy(a, memory)


def _drive() -> Any:
    """`drive` for any compiled strategy: the type is fixed, so that it is compiled once and kept on disk."""
    dispatcher: Any = drive
    if not dispatcher.signatures:
        dispatcher.compile((_INTS, _FLOATS, _TABLE, _FLOATS, types.FunctionType(_STRATEGY)))
        dispatcher.disable_compile()
    return dispatcher


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
    memory: int = 64,
    parameters: tuple[float, ...] = (),
) -> Replay:
    """Run a compiled strategy over a stream.

    `subscribed`: sum of `*_BIT`s of the events it is called with. `memory`: float64 places it has; place 0 counts
    its calls and `parameters` stand from place 1 on. Raises EngineError where messages contradict each other,
    EngineOverflowError where an amount leaves its exact range.
    """
    loop = _drive()
    compiled: Any = strategy
    if not compiled.signatures:
        compiled.compile((_INTS, _FLOATS))
    if memory <= len(parameters):
        raise EngineError(f"memory = {memory} has no room for {len(parameters)} parameters; give more places")
    own = np.zeros(memory)
    own[1 : 1 + len(parameters)] = parameters
    a, r = new_machine(stream, settings, subscribed)
    logs = Logs()
    try:
        while True:
            kind = loop(a, r, stream.table, own, strategy)
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
