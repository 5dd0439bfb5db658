"""A FIX 4.4 acceptor: one session, its own reading and writing of messages (not the adapter's)."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from tests.modules.live.venues.conformance import Fault
from tests.modules.live.venues.peers.book import Account, BookOrder, DuplicateIdError, Execution
from tests.modules.live.venues.peers.tcp import TcpPeer

Fields = list[tuple[int, object]]
STATES = {"open": "0", "filled": "2", "cancelled": "4", "rejected": "8", "expired": "C"}


def frame(kind: str, number: int, fields: Iterable[tuple[int, object]], sender: str, target: str) -> bytes:
    """One message as bytes."""
    at = datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.%f")[:-3]
    head: Fields = [(35, kind), (49, sender), (56, target), (34, number), (52, at)]
    body = "".join(f"{tag}={value}\x01" for tag, value in [*head, *fields])
    text = f"8=FIX.4.4\x019={len(body.encode())}\x01{body}".encode()
    return text + b"10=%03d\x01" % (sum(text) % 256)


def unframe(data: bytes) -> list[tuple[int, str]]:
    """The fields of one message."""
    return [(int(tag), value) for tag, _, value in (f.partition("=") for f in data.decode().split("\x01") if f)]


class FixPeer(TcpPeer):
    """Accepts one initiator at a time; sequence numbers outlive connections, as the protocol wants."""

    def __init__(self, account: Account, heartbeat_s: int = 30) -> None:
        self.account, self.heartbeat_s = account, heartbeat_s
        self.out, self.into = 1, 1
        self.sent: dict[int, tuple[str, Fields]] = {}
        self.received: list[dict[int, str]] = []
        self.answers_tests = self.answers_logons = True
        self.has_mass_cancel = True
        self._ids = itertools.count(1)
        super().__init__()

    # --- what the exchange says ---------------------------------------------------------------------

    def say(self, kind: str, fields: Fields) -> int:
        """Send a message, kept for a resend; its number."""
        with self.lock:
            number, self.out = self.out, self.out + 1
            self.sent[number] = (kind, fields)
            self.write(frame(kind, number, fields, "VENUE", "DESK"))
            return number

    def keep(self, kind: str, fields: Fields) -> None:
        """Give a message its number, and do not send it: a gap."""
        with self.lock:
            self.sent[self.out] = (kind, fields)
            self.out += 1

    def report(self, order: BookOrder, what: str, more: Fields | None = None, exec_id: str | None = None) -> Fields:
        """The fields of an ExecutionReport."""
        exec_id = exec_id or f"E{next(self._ids)}"
        fields: Fields = [
            (37, order.venue_id), (11, order.client_id), (17, exec_id), (150, what), (39, self._state(order)),
            (55, order.native), (54, "1" if order.sign > 0 else "2"), (38, order.quantity),
            (40, "2" if order.limit is not None else "1"), (59, order.time_in_force), (14, order.done),
            (151, order.quantity - order.done if order.state == "open" else 0), (6, order.mean_price),
            (60, "20240102-15:30:00.123"),
        ]  # fmt: skip
        if order.limit is not None:
            fields.append((44, order.limit))
        return fields + (more or [])

    def executed(self, order: BookOrder, done: Execution) -> Fields:
        """The fields of an execution."""
        more: Fields = [(31, done.price), (32, done.quantity), (12, done.fee), (13, "3")]
        return self.report(order, "F", more, done.exec_id)

    @staticmethod
    def _state(order: BookOrder) -> str:
        return "1" if order.state == "open" and order.executions else STATES[order.state]

    # --- what the exchange hears --------------------------------------------------------------------

    def talk(self, wire: socket.socket) -> None:
        """Messages as they come whole."""
        rest = b""
        while data := wire.recv(65_536):
            rest += data
            while (end := rest.find(b"\x01", rest.find(b"\x0110=") + 1)) > 0 and b"\x0110=" in rest:
                message, rest = rest[: end + 1], rest[end + 1 :]
                if not self._hear(dict(reversed(unframe(message)))):
                    return

    def _hear(self, message: dict[int, str]) -> bool:
        with self.lock:
            self.received.append(message)
            kind, number = message[35], int(message[34])
            if kind == "A":
                return self._logon(message, number)
            if kind == "4":
                self.into = max(self.into, int(message[36]))
                return True
            if number > self.into:
                if kind == "2":  # is given even so, or both sides would wait for each other
                    self._resend(int(message[7]))
                self.say("2", [(7, self.into), (16, 0)])
                return True
            if number < self.into:
                return message.get(43) == "Y"
            self.into = number + 1
        return self._take(kind, message)

    def _logon(self, message: dict[int, str], number: int) -> bool:
        if not self.answers_logons:
            return True
        self.greeted = True
        if message.get(141) == "Y":
            self.out, self.into = 1, 1
            self.sent.clear()
        if number < self.into:
            self.say("5", [(58, f"MsgSeqNum too low, expecting {self.into}")])
            return False
        gap = number > self.into
        fields: Fields = [(98, 0), (108, message[108])]
        if message.get(141) == "Y":
            fields.append((141, "Y"))
        self.say("A", fields)
        if gap:
            self.say("2", [(7, self.into), (16, 0)])
        else:
            self.into = number + 1
        return True

    def _take(self, kind: str, message: dict[int, str]) -> bool:
        match kind:
            case "1":
                if self.answers_tests:
                    self.say("0", [(112, message[112])])
            case "2":
                self._resend(int(message[7]))
            case "5":
                self.say("5", [])
                return False
            case "D":
                return self._order(message)
            case "F":
                self._cancel(message)
            case "q":
                self._cancel_all(message)
            case "AF":
                self._mass_status(message[584])
            case "AD":
                self._trades(message[568])
            case "AN":
                self._positions(message[710])
            case "BB":
                cash: Fields = [(908, "C1"), (909, message[909]), (910, "0"), (901, self.account.cash_now())]
                self.say("BA", [*cash, (911, 1), (912, "Y")])
        return True

    def _resend(self, begin: int) -> None:
        fill_from: int | None = None
        for number in range(begin, self.out):
            kind, fields = self.sent[number]
            if kind in ("0", "1", "2", "3", "4", "5", "A"):
                fill_from = number if fill_from is None else fill_from
                continue
            if fill_from is not None:
                self._fill(fill_from, number)
                fill_from = None
            again: Fields = [(43, "Y"), (122, "20240102-15:30:00"), *fields]
            self.write(frame(kind, number, again, "VENUE", "DESK"))
        if fill_from is not None:
            self._fill(fill_from, self.out)

    def _fill(self, number: int, to: int) -> None:
        self.write(frame("4", number, [(43, "Y"), (123, "Y"), (36, to)], "VENUE", "DESK"))

    def _order(self, message: dict[int, str]) -> bool:
        fault = self.account.arrived(message[11])
        if fault is Fault.HANG_UP_BEFORE:
            self.into -= 1
            self.hang_up()
            return False
        if fault is Fault.REFUSE:
            self.say("8", self._refusal(message, "0", "no such luck"))
            return True
        try:
            limit = Decimal(message[44]) if 44 in message else None
            sign = 1 if message[54] == "1" else -1
            quantity = Decimal(message[38])
            order = self.account.take(message[11], message[55], sign, quantity, message[40], message[59], limit)
        except DuplicateIdError:
            self.say("8", self._refusal(message, "6", "duplicate"))
            return True
        match fault:
            case Fault.HANG_UP_AFTER:
                self.hang_up()
                self.keep("8", self.report(order, "0"))
                return False
            case Fault.SILENT:
                pass
            case Fault.GARBAGE:
                self.keep("8", self.report(order, "0"))
                self.write(b"8=FIX.4.4\x019=12\x0135=8\x01\x00\xff rubbish 10=000\x01")
            case _:
                self.say("8", self.report(order, "0"))
        return True

    @staticmethod
    def _refusal(message: dict[int, str], reason: str, text: str) -> Fields:
        return [
            (37, "NONE"), (11, message[11]), (17, f"R{message[34]}"), (150, "8"), (39, "8"), (103, reason),
            (55, message[55]), (54, message[54]), (151, 0), (14, 0), (6, 0), (60, "20240102-15:30:00"), (58, text),
        ]  # fmt: skip

    def _cancel(self, message: dict[int, str]) -> None:
        client_id = message[41]
        if self.account.end(client_id, "cancelled"):
            order = self.account.orders[client_id]
            self.say("8", [(t, message[11] if t == 11 else v) for t, v in self.report(order, "4", [(41, client_id)])])
            return
        known = client_id in self.account.orders
        self.say(
            "9",
            [(37, "NONE"), (11, message[11]), (41, client_id), (39, "2"), (434, "1"), (102, "0" if known else "1")],
        )

    def _cancel_all(self, message: dict[int, str]) -> None:
        if not self.has_mass_cancel:
            self.say("j", [(45, message[34]), (372, "q"), (380, 3), (58, "no mass cancel")])
            return
        self.say("r", [(11, message[11]), (37, "M1"), (530, "7"), (531, "7")])
        for order in self.account.open_orders():
            self.account.end(order.client_id, "cancelled")
            self.say("8", self.report(order, "4"))

    def _mass_status(self, request: str) -> None:
        orders = list(self.account.orders.values())
        if not orders:
            empty: Fields = [(37, "NONE"), (17, "0"), (150, "I"), (39, "8"), (584, request), (911, 0), (912, "Y")]
            self.say("8", empty)
        for i, order in enumerate(orders, 1):
            more: Fields = [(584, request), (911, len(orders)), (912, "Y" if i == len(orders) else "N")]
            self.say("8", self.report(order, "I", more))

    def _trades(self, request: str) -> None:
        done = [(o, e) for o in self.account.orders.values() for e in o.executions if e.stands]
        self.say("AQ", [(568, request), (569, 0), (748, len(done)), (749, 0), (750, 0)])
        for i, (order, e) in enumerate(done, 1):
            self.say("AE", [
                (571, f"T{i}"), (568, request), (487, 0), (17, e.exec_id), (55, order.native), (32, e.quantity),
                (31, e.price), (60, "20240102-15:30:00.123"), (552, 1), (54, "1" if order.sign > 0 else "2"),
                (37, order.venue_id), (11, order.client_id), (12, e.fee), (13, 3),
                (912, "Y" if i == len(done) else "N"),
            ])  # fmt: skip

    def _positions(self, request: str) -> None:
        held = self.account.positions()
        self.say("AO", [(721, "P0"), (710, request), (727, len(held)), (728, 0 if held else 2), (729, 0)])
        for i, (native, quantity) in enumerate(held.items(), 1):
            self.say("AP", [
                (721, f"P{i}"), (710, request), (727, len(held)), (55, native), (702, 1), (703, "TOT"),
                (704, max(quantity, Decimal(0))), (705, max(-quantity, Decimal(0))),
            ])  # fmt: skip
