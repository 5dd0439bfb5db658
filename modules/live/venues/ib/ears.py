"""What ib_async's decoder calls for each message, by the names that TWS gives them; the rest is not listened to."""

# ruff: noqa: N802, N803, N815 - the decoder's names
from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from types import SimpleNamespace
from typing import Any, Protocol

from ib_async.decoder import Decoder


class Listener(Protocol):
    """Who hears it: `venue.py`."""

    def on_order(self, contract: Any, order: Any, state: Any) -> None: ...
    def on_status(self, order_id: int, status: str, filled: float, perm_id: int, client: int) -> None: ...
    def on_execution(self, contract: Any, execution: Any) -> None: ...
    def on_fee(self, report: Any) -> None: ...
    def on_error(self, request: int, code: int, text: str) -> None: ...
    def on_tick(self, request: int, kind: int, price: float) -> None: ...
    def on_list(self, what: str, row: Any) -> None: ...
    def on_end(self, what: str, request: int = 0) -> None: ...
    def on_unreadable(self, error: Exception) -> None: ...


class Ears:
    """The client's `wrapper`. Called in the client's thread."""

    defaultTimezone = UTC
    ib = SimpleNamespace(TimezoneTWS="UTC")

    def __init__(self, listener: Listener) -> None:
        self._to = listener

    def openOrder(self, orderId: int, contract: Any, order: Any, orderState: Any) -> None:
        self._to.on_order(contract, order, orderState)

    def openOrderEnd(self) -> None:
        self._to.on_end("orders")

    def completedOrder(self, contract: Any, order: Any, orderState: Any) -> None:
        self._to.on_list("completed", (contract, order, orderState))

    def completedOrdersEnd(self) -> None:
        self._to.on_end("completed")

    def orderStatus(
        self, orderId: int, status: str, filled: float, remaining: float, avgFillPrice: float, permId: int,
        parentId: int, lastFillPrice: float, clientId: int, whyHeld: str, mktCapPrice: float = 0.0,
    ) -> None:  # fmt: skip
        self._to.on_status(orderId, status, filled, permId, clientId)

    def execDetails(self, reqId: int, contract: Any, execution: Any) -> None:
        self._to.on_execution(contract, execution)

    def execDetailsEnd(self, reqId: int) -> None:
        self._to.on_end("executions")

    def commissionReport(self, commissionReport: Any) -> None:
        self._to.on_fee(commissionReport)

    def position(self, account: str, contract: Any, posSize: float, avgCost: float) -> None:
        self._to.on_list("positions", (account, contract, posSize))

    def positionEnd(self) -> None:
        self._to.on_end("positions")

    def accountSummary(self, reqId: int, account: str, tag: str, value: str, currency: str) -> None:
        self._to.on_list("summary", (account, tag, value, currency))

    def accountSummaryEnd(self, reqId: int) -> None:
        self._to.on_end("summary", reqId)

    def error(self, reqId: int, errorCode: int, errorString: str, advancedOrderRejectJson: str = "") -> None:
        self._to.on_error(reqId, errorCode, errorString)

    def priceSizeTick(self, reqId: int, tickType: int, price: float, size: float) -> None:
        self._to.on_tick(reqId, tickType, price)

    def connectAck(self) -> None:
        """The handshake is over."""

    def setEventsDone(self) -> None:
        """Nobody waits in here."""

    def connectionClosed(self) -> None:
        """The thread hears it from the client's own event."""


class StrictDecoder(Decoder):
    """A message that cannot be read is told, not only logged: what it said of an order is not known then."""

    def __init__(self, wrapper: Any, told: Callable[[Exception], None]) -> None:
        super().__init__(wrapper, 0)
        self._told = told

    def interpret(self, fields: list[str]) -> None:
        """Messages of a kind that the library does not know are left out: newer servers say more."""
        try:
            handler = self.handlers.get(int(fields[0]))
            if handler is not None:
                handler(fields)
        except Exception as error:  # noqa: BLE001 the library's own would be logged there, and the message forgotten
            self._told(error)
