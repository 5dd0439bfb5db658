"""Alpaca's REST interface, its `trade_updates` stream and its stream of quotes, as their pages document them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from websockets.sync.server import ServerConnection

from tests.modules.live.venues.conformance import Fault
from tests.modules.live.venues.peers.book import Account, BookOrder, DuplicateIdError, Execution
from tests.modules.live.venues.peers.http import Answer, HangUpError, HttpServer, Request, SocketServer

STATES = {"open": "new", "filled": "filled", "cancelled": "canceled", "rejected": "rejected", "expired": "expired"}
AT = "2024-01-02T15:30:00.123456789Z"
KEY, SECRET = "key", "secret"


class AlpacaPeer:
    """One account. Updates go out in binary frames, as the paper account's do."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.requests: list[Request] = []
        self.refusals: list[Answer] = []
        self.account_more: dict[str, Any] = {}
        self.clock: Callable[[], str] = lambda: AT
        self.limited_s = 1.0
        self.hammered = 0
        self._limited_until = 0.0
        self.rest = HttpServer(self._answer)
        self.updates = SocketServer(self._updates)
        self.quotes = SocketServer(self._quotes)

    def stop(self) -> None:
        """Everything."""
        for server in (self.rest, self.updates, self.quotes):
            server.stop()

    def start(self) -> None:
        """Everything, at the same ports."""
        for server in (self.rest, self.updates, self.quotes):
            server.start()

    # --- REST ---------------------------------------------------------------------------------------

    def _answer(self, request: Request) -> Answer:
        self.requests.append(request)
        if (request.headers.get("apca-api-key-id"), request.headers.get("apca-api-secret-key")) != (KEY, SECRET):
            return Answer(401, {"code": 40110000, "message": "request is not authorized"})
        if time.monotonic() < self._limited_until:
            self.hammered += 1
            return self._too_many()
        if self.refusals and request.path != "/v2/account":
            return self.refusals.pop(0)
        path = request.path.removeprefix("/v2")
        match request.method, path.split("/")[1:]:
            case "POST", ["orders"]:
                return self._order(request.body)
            case "DELETE", ["orders"]:
                return self._cancel_all()
            case "DELETE", ["orders", order_id]:
                return self._cancel(order_id)
            case "GET", ["orders"]:
                return Answer(200, self._orders(request.query))
            case "GET", ["orders:by_client_order_id"]:
                order = self.account.orders.get(request.query["client_order_id"])
                found = Answer(200, self.shown(order)) if order else None
                return found or Answer(404, {"code": 40410000, "message": "order not found"})
            case "GET", ["account", "activities", "FILL"]:
                return Answer(200, self._activities(request.query))
            case "GET", ["positions"]:
                return Answer(200, [
                    {"symbol": native, "qty": str(quantity), "side": "long" if quantity > 0 else "short"}
                    for native, quantity in self.account.positions().items()
                ])  # fmt: skip
            case "GET", ["account"]:
                cash = str(self.account.cash_now())
                return Answer(
                    200, {"id": "acc", "status": "ACTIVE", "cash": cash, "buying_power": cash, **self.account_more}
                )
        return Answer(404, {"message": "endpoint not found"})

    def _order(self, body: dict[str, str]) -> Answer:
        fault = self.account.arrived(body["client_order_id"])
        if fault is Fault.HANG_UP_BEFORE:
            raise HangUpError
        if fault is Fault.RATE_LIMIT:
            self._limited_until = time.monotonic() + self.limited_s
            return self._too_many()
        if fault is Fault.REFUSE:
            return Answer(403, {"code": 40310000, "message": "insufficient buying power"})
        limit = Decimal(body["limit_price"]) if "limit_price" in body else None
        sign = 1 if body["side"] == "buy" else -1
        try:
            order = self.account.take(
                body["client_order_id"], body["symbol"], sign, Decimal(body["qty"]), body["type"],
                body["time_in_force"], limit,
            )  # fmt: skip
        except DuplicateIdError:
            return Answer(422, {"code": 40010001, "message": "client_order_id must be unique"})
        match fault:
            case Fault.HANG_UP_AFTER:
                raise HangUpError
            case Fault.SILENT:
                return Answer(504, b"upstream timed out")
            case Fault.GARBAGE:
                return Answer(200, b"<html>not what you think</html>")
            case None:
                self.say("new", order)
        return Answer(200, self.shown(order))

    def _too_many(self) -> Answer:
        return Answer(429, {"message": "too many requests."}, {"Retry-After": f"{self.limited_s:g}"})

    def _cancel(self, order_id: str) -> Answer:
        order = next((o for o in list(self.account.orders.values()) if o.venue_id == order_id), None)
        if order is None:
            return Answer(404, {"message": "order not found"})
        if not self.account.end(order.client_id, "cancelled"):
            return Answer(422, {"code": 42210000, "message": f"order is already in {STATES[order.state]!r} state"})
        self.say("canceled", order)
        return Answer(204)

    def _cancel_all(self) -> Answer:
        orders = self.account.open_orders()
        for order in orders:
            self.account.end(order.client_id, "cancelled")
            self.say("canceled", order)
        return Answer(207, [{"id": o.venue_id, "status": 200} for o in orders])

    def _orders(self, query: dict[str, str]) -> list[dict[str, Any]]:
        orders = [o for o in list(self.account.orders.values()) if query["status"] == "all" or o.state == "open"]
        rows = [self.shown(o) for o in reversed(orders)]
        if "until" in query:
            rows = [r for r in rows if r["submitted_at"] < query["until"]]
        return rows[: int(query["limit"])]

    def _activities(self, query: dict[str, str]) -> list[dict[str, Any]]:
        rows = []
        for order in list(self.account.orders.values()):
            done = Decimal(0)
            for e in order.executions:
                if not e.stands:
                    continue
                done += e.quantity
                rows.append({
                    "id": f"20240102153000123::{e.exec_id}", "activity_type": "FILL", "transaction_time": self.clock(),
                    "type": "fill", "price": str(e.price), "qty": str(e.quantity), "cum_qty": str(done),
                    "leaves_qty": str(order.quantity - done), "side": "buy" if order.sign > 0 else "sell",
                    "symbol": order.native, "order_id": order.venue_id,
                })  # fmt: skip
        start = next((i + 1 for i, r in enumerate(rows) if r["id"] == query.get("page_token")), 0)
        return rows[start : start + int(query["page_size"])]

    def shown(self, order: BookOrder) -> dict[str, Any]:
        """An order in JSON."""
        number = int(order.venue_id[1:])
        at = f"2024-01-02T15:{number // 60 % 60:02}:{number % 60:02}.{number // 3600:03}Z"
        return {
            "id": order.venue_id, "client_order_id": order.client_id, "created_at": at, "updated_at": at,
            "submitted_at": at, "symbol": order.native, "asset_class": "us_equity", "qty": str(order.quantity),
            "filled_qty": str(order.done), "filled_avg_price": str(order.mean_price) if order.executions else None,
            "order_class": "", "order_type": order.kind, "type": order.kind,
            "side": "buy" if order.sign > 0 else "sell", "time_in_force": order.time_in_force,
            "limit_price": None if order.limit is None else str(order.limit), "stop_price": None,
            "status": "partially_filled" if order.state == "open" and order.executions else STATES[order.state],
            "extended_hours": False, "legs": None,
        }  # fmt: skip

    # --- streams ------------------------------------------------------------------------------------

    def say(self, event: str, order: BookOrder, more: dict[str, Any] | None = None) -> None:
        """One update."""
        data = {"event": event, "timestamp": self.clock(), "order": self.shown(order), **(more or {})}
        self.updates.say(json.dumps({"stream": "trade_updates", "data": data}).encode())

    def executed(self, order: BookOrder, done: Execution) -> None:
        """One update of an execution."""
        event = "fill" if order.done >= order.quantity else "partial_fill"
        more = {
            "execution_id": done.exec_id, "price": str(done.price), "qty": str(done.quantity),
            "position_qty": str(self.account.positions().get(order.native, 0)),
        }  # fmt: skip
        self.say(event, order, more)

    def _updates(self, wire: ServerConnection) -> None:
        said = json.loads(wire.recv(5))
        good = (said.get("action"), said.get("key"), said.get("secret")) == ("auth", KEY, SECRET)
        status = "authorized" if good else "unauthorized"
        answer = {"stream": "authorization", "data": {"status": status, "action": "authenticate"}}
        wire.send(json.dumps(answer).encode())
        if not good:
            return
        streams = json.loads(wire.recv(5))["data"]["streams"]
        wire.send(json.dumps({"stream": "listening", "data": {"streams": streams}}).encode())
        while True:
            wire.recv()

    def _quotes(self, wire: ServerConnection) -> None:
        wire.send(json.dumps([{"T": "success", "msg": "connected"}]))
        said = json.loads(wire.recv(5))
        if (said.get("key"), said.get("secret")) != (KEY, SECRET):
            wire.send(json.dumps([{"T": "error", "code": 402, "msg": "auth failed"}]))
            return
        wire.send(json.dumps([{"T": "success", "msg": "authenticated"}]))
        wire.send(json.dumps([{"T": "subscription", "quotes": json.loads(wire.recv(5))["quotes"]}]))
        while True:
            wire.recv()
