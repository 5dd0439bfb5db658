"""Spans from the decision to the fill, for OpenTelemetry: made of the journal's entries, off the path of every order.

A trace is an order, or a parent order with all its children: its id is the digest of that order's client id, which is
the correlation id everywhere. So whoever makes the spans anew from the same journal makes the same ones.
"""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from modules.live.journal.port import Entry
from modules.live.messages import (
    Acknowledged,
    Ask,
    Cancelled,
    Expired,
    Filled,
    Lost,
    RefusedByVenue,
    Ruled,
)
from modules.live.orders.ids import decided_ns
from modules.live.risk.rules import Answer, Rule
from modules.live.units import HOUR_NS

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

MOST_OPEN: Final = 10_000
"""Orders whose end is waited for; beyond it the oldest are given up."""

EXPORT_S: Final = 0.5
MOST_IN_A_GROUP: Final = 512
Value = str | int | float


@dataclass(frozen=True)
class Span:
    """One stage of one order. Ids are hexadecimal, as in W3C trace contexts; times ns of the desk's clock."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    start_ns: int
    end_ns: int
    attributes: dict[str, Value]
    failed: str | None = None


@dataclass
class _Order:
    ask: Ask
    asked_ns: int
    ruled_ns: int = 0
    acknowledged_ns: int = 0
    filled: int = 0
    allowed: int = 0


@dataclass
class Spans:
    """Makes spans of entries as they come. An order's own span, the root of its stages, comes with its end."""

    account: str
    _orders: dict[str, _Order] = field(default_factory=dict)

    def take(self, entry: Entry) -> Iterator[Span]:
        """The spans that end with this entry."""
        message, at = entry.message, entry.ts_ns
        match message:
            case Ask():
                yield from self._asked(message, at)
            case Ruled():
                yield from self._ruled(message, at)
            case Acknowledged():
                order = self._orders.get(message.client_id)
                if order is not None and not order.acknowledged_ns:
                    order.acknowledged_ns = at
                    yield self._stage(order, "acknowledge", order.ruled_ns or order.asked_ns, at, {})
            case Filled():
                yield from self._filled(message, at)
            case Cancelled() | Expired() | RefusedByVenue() | Lost():
                yield from self._ended(message, at)
            case _:
                pass  # it is no order's

    def _asked(self, ask: Ask, at: int) -> Iterator[Span]:
        if len(self._orders) >= MOST_OPEN:
            del self._orders[next(iter(self._orders))]
        order = self._orders[ask.client_id] = _Order(ask, at, allowed=ask.lots)
        began = self._began(order)
        if began < at:
            yield self._stage(order, "decide", began, at, {})

    def _ruled(self, ruled: Ruled, at: int) -> Iterator[Span]:
        order = self._orders.get(ruled.client_id)
        if order is None:
            return
        answer, rule = Answer(ruled.answer), Rule(ruled.rule)
        order.ruled_ns, order.allowed = at, ruled.allowed
        told: dict[str, Value] = {"cws.answer": answer.name, "cws.rule": rule.name, "cws.allowed_lots": ruled.allowed}
        if ruled.limit is not None and ruled.value is not None:
            told |= {"cws.limit": ruled.limit, "cws.value": ruled.value}
        goes = answer in (Answer.APPROVE, Answer.REDUCE) and ruled.allowed != 0
        yield self._stage(order, "rule", order.asked_ns, at, told, None if goes else f"{answer.name} {rule.name}")
        if not goes:
            yield self._whole(order, at, f"{answer.name} {rule.name}")

    def _filled(self, fill: Filled, at: int) -> Iterator[Span]:
        order = self._orders.get(fill.client_id)
        if order is None:
            return
        order.filled += fill.lots
        told: dict[str, Value] = {"cws.exec_id": fill.exec_id, "cws.lots": fill.lots, "cws.price": fill.price}
        began = order.acknowledged_ns or order.ruled_ns or order.asked_ns
        yield self._stage(order, "fill", began, at, told, key=fill.exec_id)
        if abs(order.filled) >= abs(order.allowed):
            yield self._whole(order, at, None)

    def _ended(self, message: Cancelled | Expired | RefusedByVenue | Lost, at: int) -> Iterator[Span]:
        order = self._orders.get(message.client_id)
        if order is None:
            return
        name = type(message).__name__.lower()
        reason = getattr(message, "reason", None)
        failed = f"{name}: {reason}" if reason is not None else None
        if isinstance(message, Lost):  # it may be at the venue: its end is not known yet
            yield self._stage(order, "lost", order.asked_ns, at, {"cws.reason": message.reason}, failed)
        else:
            yield self._whole(order, at, failed, how=name)

    def _began(self, order: _Order) -> int:
        """When it was decided on; the asking, where the id does not tell or recorded data gave the time."""
        try:
            decided = decided_ns(order.ask.client_id)
        except ValueError:
            return order.asked_ns
        return decided if 0 <= order.asked_ns - decided <= HOUR_NS else order.asked_ns

    def _whole(self, order: _Order, at: int, failed: str | None, how: str = "filled") -> Span:
        ask = order.ask
        del self._orders[ask.client_id]
        told: dict[str, Value] = {
            "cws.client_id": ask.client_id,
            "cws.account": self.account,
            "cws.strategy": ask.strategy,
            "cws.symbol": ask.symbol,
            "cws.venue": ask.venue,
            "cws.mode": ask.mode.upper(),
            "cws.lots": ask.lots,
            "cws.filled_lots": order.filled,
            "cws.end": how if failed is None else "failed",
        }
        if ask.parent is not None:
            told["cws.parent"] = ask.parent
        above = None if ask.parent is None else _digest(ask.parent, 8)
        return Span(
            _trace(ask), _digest(ask.client_id, 8), above, f"order {ask.symbol}", self._began(order), at, told, failed
        )

    def _stage(
        self,
        order: _Order,
        name: str,
        start_ns: int,
        end_ns: int,
        told: dict[str, Value],
        failed: str | None = None,
        key: str = "",
    ) -> Span:
        ask = order.ask
        own = _digest(f"{ask.client_id}/{name}/{key}", 8)
        told = {"cws.client_id": ask.client_id, "cws.mode": ask.mode.upper(), **told}
        return Span(_trace(ask), own, _digest(ask.client_id, 8), name, start_ns, end_ns, told, failed)


def _trace(ask: Ask) -> str:
    return _digest(ask.parent or ask.client_id, 16)


def _digest(text: str, size: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[: 2 * size]


def readable(spans: Sequence[Span], service: str = "cws") -> list[ReadableSpan]:
    """As OpenTelemetry's SDK has them."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

    resource = Resource.create({"service.name": service})

    def context(trace_id: str, span_id: str) -> SpanContext:
        return SpanContext(int(trace_id, 16), int(span_id, 16), False, TraceFlags(TraceFlags.SAMPLED))

    return [
        ReadableSpan(
            name=span.name,
            context=context(span.trace_id, span.span_id),
            parent=None if span.parent_id is None else context(span.trace_id, span.parent_id),
            resource=resource,
            attributes=span.attributes,
            kind=SpanKind.INTERNAL,
            status=Status(StatusCode.OK) if span.failed is None else Status(StatusCode.ERROR, span.failed),
            start_time=span.start_ns,
            end_time=span.end_ns,
        )
        for span in spans
    ]


class Exporting:
    """Hands spans on in groups, in a thread of its own; a collector that does not take them is complained of, and they
    are let go. `most`: spans that may wait; the oldest go first."""

    def __init__(self, exporter: SpanExporter, complain: Callable[[str], None], most: int = 50_000) -> None:
        self._exporter, self._complain = exporter, complain
        self._waiting: deque[Span] = deque(maxlen=most)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="cws-spans", daemon=True)
        self._thread.start()

    def add(self, spans: Iterator[Span]) -> None:
        """Take them; they are handed on within `EXPORT_S`."""
        self._waiting.extend(spans)

    def close(self, timeout_s: float = 5.0) -> None:
        """Hand on what waits, for at most so long."""
        self._ended.set()
        self._thread.join(timeout_s)

    def _work(self) -> None:
        while not self._ended.wait(EXPORT_S):
            self._flush()
        self._flush()
        self._exporter.shutdown()

    def _flush(self) -> None:
        from opentelemetry.sdk.trace.export import SpanExportResult

        while self._waiting:
            group = [self._waiting.popleft() for _ in range(min(MOST_IN_A_GROUP, len(self._waiting)))]
            if self._exporter.export(readable(group)) is not SpanExportResult.SUCCESS:
                self._complain(f"the collector took none of {len(group)} spans")
