"""Trader Workstation's socket, as far as orders go: its framing and its fields, written down here anew."""

from __future__ import annotations

import itertools
import socket
import struct
from decimal import Decimal
from typing import BinaryIO

from tests.modules.live.venues.conformance import Fault
from tests.modules.live.venues.peers.book import Account, BookOrder, Execution
from tests.modules.live.venues.peers.tcp import TcpPeer

ACCOUNT = "DU1234567"
VERSION = 178
STATES = {"open": "Submitted", "filled": "Filled", "cancelled": "Cancelled", "rejected": "Inactive"}


class TwsPeer(TcpPeer):
    """One account, one client at a time."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.received: list[list[str]] = []
        self.numbers: dict[str, int] = {}
        self.tickers: list[int] = []
        self.accounts = ACCOUNT
        self.next_id = 1
        self.holds: frozenset[int] = frozenset()
        self.waiting: list[list[str]] = []
        self._summaries: set[str] = set()
        self._count = itertools.count(1)
        super().__init__()

    def say(self, *fields: object) -> None:
        """One message."""
        body = "".join(f"{_text(field)}\0" for field in fields).encode()
        self.write(struct.pack(">I", len(body)) + body)

    # --- what TWS says ------------------------------------------------------------------------------

    def say_order(self, order: BookOrder) -> None:
        """openOrder and orderStatus."""
        filler: list[object]
        head = [5, self.numbers[order.client_id], *_contract(order.native), *self._basics(order)]
        head += [order.client_id, 7, order.venue_id[1:], 0, 0, 0, "", "", "", "", ""]
        filler = [
            "",
            "",
            "",
            "",
            "",
            0,
            "",
            -1,
            0,
            "",
            "",
            "",
            "",
            "",
            "",
            0,
            0,
            0,
            "",
            0,
            0,
            0,
            "",
            0,
            0,
            "",
            0,
            "",
            "",
        ]
        filler += [0, 0, "", "", "", "", "", 0, 0, 0, "", "", "", "", 0, "IB", "", 0, 0, ""]
        filler += [0, 0, STATES[order.state], *[""] * 9, "", "", "", "", "", 0, 0, 0, "", *[""] * 6, "", "", "", "", ""]
        filler += [0, 0, 0, 0, "", "", 0, "", "", "", "", ""]
        self.say(*head, *filler)
        self.say_status(order)

    def say_status(self, order: BookOrder) -> None:
        """orderStatus."""
        left = order.quantity - order.done
        self.say(
            3, self.numbers[order.client_id], STATES[order.state], order.done, left, order.mean_price,
            order.venue_id[1:], 0, order.mean_price, 7, "", 0,
        )  # fmt: skip

    def say_execution(self, order: BookOrder, done: Execution, request: int = -1) -> None:
        """execDetails and the commission report."""
        contract = _contract(order.native)
        contract.pop(7)
        before = order.executions[: order.executions.index(done) + 1]
        total = sum((e.quantity for e in before), Decimal(0))
        exec_id = self.exec_id(done)
        self.say(
            11, request, self.numbers[order.client_id], *contract[:7], "NASDAQ", *contract[7:], exec_id,
            "20240102-15:30:00", ACCOUNT, "NASDAQ", "BOT" if order.sign > 0 else "SLD", done.quantity, done.price,
            order.venue_id[1:], 7, 0, total, done.price, order.client_id, "", "", "", 1, 0,
        )  # fmt: skip
        self.say(59, 1, exec_id, done.fee, "USD", "", "", "")

    @staticmethod
    def exec_id(done: Execution) -> str:
        """The execution's id with its revision."""
        return f"0000e0d5.{done.exec_id}.01.{done.revision:02}"

    def _basics(self, order: BookOrder) -> list[object]:
        limit = "" if order.limit is None else order.limit
        side, kind = "BUY" if order.sign > 0 else "SELL", order.kind
        return [side, order.quantity, kind, limit, "", order.time_in_force, "", ACCOUNT, "", 0]

    def release(self, count: int | None = None) -> None:
        """Answer what was held back (`holds`: by the numbers of the questions), the oldest first."""
        self.holds = frozenset()
        self.waiting, now = [] if count is None else self.waiting[count:], self.waiting[:count]
        for fields in now:
            self._hear(fields)

    # --- what TWS hears -----------------------------------------------------------------------------

    def talk(self, wire: socket.socket) -> None:
        """The handshake, then messages. The account's lock is taken by what answers: none is held here."""
        stream = wire.makefile("rb")
        if _exactly(stream, 4) != b"API\0":
            return
        _exactly(stream, _size(stream))
        self._summaries.clear()
        self.greeted = True
        self.say(VERSION, "20240102 15:30:00 UTC")
        while True:
            fields = _exactly(stream, _size(stream)).decode().split("\0")[:-1]
            self.received.append(fields)
            if int(fields[0]) in self.holds:
                self.waiting.append(fields)
            elif not self._hear(fields):
                return

    def _hear(self, fields: list[str]) -> bool:
        match int(fields[0]):
            case 71:
                self.say(15, 1, self.accounts)
                self.say(9, 1, self.next_id)
            case 1:
                self.tickers.append(int(fields[2]))
            case 3:
                return self._place(fields)
            case 4:
                self._cancel(int(fields[2]))
            case 58:
                for order in self.account.open_orders():
                    self.account.end(order.client_id, "cancelled")
                    self.say_status(order)
            case 16:
                for order in self.account.open_orders():
                    self.say_order(order)
                self.say(53, 1)
            case 99:
                self._completed()
            case 7:
                for order in list(self.account.orders.values()):
                    for done in order.executions:
                        self.say_execution(order, done, int(fields[2]))
                self.say(55, 1, fields[2])
            case 61:
                for native, quantity in self.account.positions().items():
                    self.say(61, 3, ACCOUNT, *_contract(native), quantity, 0)
                self.say(62, 1)
            case 62 if len(self._summaries) == 2:
                self.say(4, 2, fields[2], 322, "Maximum number of account summary requests exceeded", "")
            case 63:
                self._summaries.discard(fields[2])
            case 62:
                self._summaries.add(fields[2])
                cash = self.account.cash_now()
                for tag in fields[4].split(","):
                    self.say(63, 1, fields[2], ACCOUNT, tag, cash, "USD")
                self.say(64, 1, fields[2])
        return True

    def _completed(self) -> None:
        for order in list(self.account.orders.values()):
            if order.state == "open":
                continue
            basics = self._basics(order)
            contract = _contract(order.native)
            head = [101, *contract, *basics, order.client_id, order.venue_id[1:], 0, 0, 0, "", "", "", ""]
            filler: list[object] = [
                "",
                "",
                "",
                "",
                "",
                0,
                "",
                -1,
                "",
                "",
                "",
                "",
                "",
                "",
                0,
                0,
                "",
                0,
                0,
                "",
                0,
                "",
                "",
            ]
            filler += [0, 0, "", "", "", 0, 0, 0, "", "", "", "", "IB", "", 0, 0, "", 0, STATES[order.state], 0, 0, 0]
            filler += ["", "", "", 0, 0, "", order.done, 0, 0, "", 0, 0, 0, "20240102-15:30:00", "", "", "", "", "", ""]
            self.say(*head, *filler)
        self.say(102)

    def _place(self, fields: list[str]) -> bool:
        number, native, client_id = int(fields[1]), fields[3], fields[26]
        self.next_id = max(self.next_id, number + 1)
        fault = self.account.arrived(client_id)
        if fault is Fault.HANG_UP_BEFORE:
            self.hang_up()
            return False
        if fault is Fault.REFUSE:
            self.say(4, 2, number, 201, "Order rejected - reason: no such luck", "")
            return True
        limit = Decimal(fields[19]) if fields[19] else None
        sign, quantity = 1 if fields[16] == "BUY" else -1, Decimal(fields[17])
        name = client_id if client_id not in self.account.orders else f"{client_id}-{next(self._count)}"
        order = self.account.take(name, native, sign, quantity, fields[18], fields[21], limit)
        self.numbers[name] = number
        match fault:
            case Fault.HANG_UP_AFTER:
                self.hang_up()
                return False
            case Fault.SILENT:
                pass
            case Fault.GARBAGE:
                self.say(5, number, "rubbish")
            case _:
                self.say_order(order)
        return True

    def _cancel(self, number: int) -> None:
        client_id = next((i for i, n in self.numbers.items() if n == number), None)
        if client_id is None:
            self.say(4, 2, number, 10147, "OrderId that needs to be cancelled is not found", "")
        elif self.account.end(client_id, "cancelled"):
            self.say(4, 2, number, 202, "Order Canceled - reason:", "")
            self.say_status(self.account.orders[client_id])
        else:
            self.say(4, 2, number, 10148, "OrderId that needs to be cancelled can not be cancelled", "")


def _size(stream: BinaryIO) -> int:
    size: int = struct.unpack(">I", _exactly(stream, 4))[0]
    return size


def _exactly(stream: BinaryIO, count: int) -> bytes:
    """So many bytes. A connection may end between any two: ConnectionError."""
    data = stream.read(count)
    if len(data) < count:
        raise ConnectionResetError("the client hung up")
    return data


def _contract(native: str) -> list[object]:
    """conId, symbol, secType, expiry, strike, right, multiplier, exchange, currency, localSymbol, tradingClass."""
    return [1, native, "STK", "", 0, "?", "", "SMART", "USD", native, "NMS"]


def _text(field: object) -> str:
    return f"{field:f}" if isinstance(field, Decimal) else str(field)
