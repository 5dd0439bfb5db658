"""Bybit's V5 interface for USDT perpetuals, its private stream and its tickers, as its pages document them."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import threading
import time
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from websockets.sync.server import ServerConnection

from tests.modules.live.venues.conformance import Fault
from tests.modules.live.venues.peers.book import Account, BookOrder, DuplicateIdError, Execution
from tests.modules.live.venues.peers.http import Answer, HangUpError, HttpServer, Request, SocketServer

KEY, SECRET = "key", "secret"
STATES = {"open": "New", "filled": "Filled", "cancelled": "Cancelled", "rejected": "Rejected"}


class BybitPeer:
    """One unified account in one-way mode."""

    steps = ("0.1", "0.0001")

    def __init__(self, account: Account) -> None:
        self.account = account
        self.limited_s = 0.6
        self.hammered = 0
        self.requests: list[Request] = []
        self.positions_more: list[dict[str, Any]] = []
        self._limited_until = 0.0
        self._seq = itertools.count(1)
        self.rest = HttpServer(self._answer)
        self.news = SocketServer(self._news)
        self.tickers = SocketServer(self._tickers)
        self.tickers_asked, self.tickers_pinged = threading.Event(), threading.Event()

    def stop(self) -> None:
        """Everything."""
        for server in (self.rest, self.news, self.tickers):
            server.stop()

    def start(self) -> None:
        """Everything, at the same ports."""
        for server in (self.rest, self.news, self.tickers):
            server.start()

    # --- REST ---------------------------------------------------------------------------------------

    def _answer(self, request: Request) -> Answer:
        self.requests.append(request)
        path = request.path.removeprefix("/v5/")
        if path == "market/instruments-info":
            return self._said({"list": [{
                "symbol": request.query["symbol"], "lotSizeFilter": {"qtyStep": self.steps[0]},
                "priceFilter": {"tickSize": self.steps[1]},
            }]})  # fmt: skip
        if not self._signed(request):
            return self._said({}, 10004, "Error sign, please check your signature generation algorithm.")
        if time.monotonic() < self._limited_until:
            self.hammered += 1
            return self._too_many()
        query = request.query
        match request.method, path:
            case "POST", "order/create":
                return self._order(request.body)
            case "POST", "order/cancel":
                return self._cancel(request.body)
            case "POST", "order/cancel-all":
                orders = self.account.open_orders()
                for order in orders:
                    self.account.end(order.client_id, "cancelled")
                    self.say("order", self.shown(order))
                return self._said({"list": [{"orderId": o.venue_id} for o in orders], "success": "1"})
            case "GET", "order/realtime" if "orderLinkId" in query:
                named = self.account.orders.get(query["orderLinkId"])
                return self._said({"list": [self.shown(named)] if named else []})
            case "GET", "order/realtime":
                rows = [o for o in self._now() if (o.state == "open") == (query["openOnly"] == "0")]
                return self._page([self.shown(o) for o in rows], query)
            case "GET", "order/history":
                return self._page([self.shown(o) for o in self._now() if o.state != "open"], query)
            case "GET", "execution/list":
                rows = [self.done(o, e) for o in self._now() for e in o.executions if e.stands]
                return self._page(rows, query)
            case "GET", "position/list":
                return self._page(self._positions(), query)
            case "GET", "account/wallet-balance":
                coin = {"coin": "USDT", "walletBalance": str(self._wallet())}
                return self._said({"list": [{"totalAvailableBalance": str(self._wallet()), "coin": [coin]}]})
        return self._said({}, 10001, f"no such path {path}")

    @staticmethod
    def _signed(request: Request) -> bool:
        head = request.headers
        payload = json.dumps(request.body, separators=(",", ":")) if request.body else urlencode(request.query)
        text = head.get("x-bapi-timestamp", "") + KEY + head.get("x-bapi-recv-window", "") + payload
        good = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
        return head.get("x-bapi-api-key") == KEY and head.get("x-bapi-sign") == good

    @staticmethod
    def _said(result: Any, code: int = 0, text: str = "OK", headers: dict[str, str] | None = None) -> Answer:
        now = int(time.time() * 1000)
        body = {"retCode": code, "retMsg": text, "result": result, "retExtInfo": {}, "time": now}
        return Answer(200, body, headers or {})

    def _page(self, rows: list[dict[str, Any]], query: dict[str, str]) -> Answer:
        start, size = int(query.get("cursor", "0")), min(int(query["limit"]), 2)
        more = start + size < len(rows)
        return self._said({"list": rows[start : start + size], "nextPageCursor": str(start + size) if more else ""})

    def _too_many(self) -> Answer:
        until = int((time.time() + max(0.0, self._limited_until - time.monotonic())) * 1000) + 1
        return self._said({}, 10006, "Too many visits!", {"X-Bapi-Limit-Reset-Timestamp": str(until)})

    def _order(self, body: dict[str, str]) -> Answer:
        client_id = body["orderLinkId"]
        fault = self.account.arrived(client_id)
        if fault is Fault.HANG_UP_BEFORE:
            raise HangUpError
        if fault is Fault.RATE_LIMIT:
            self._limited_until = time.monotonic() + self.limited_s
            return self._too_many()
        if fault is Fault.REFUSE:
            return self._said({}, 110007, "ab not enough for new order")
        limit = Decimal(body["price"]) if "price" in body else None
        sign = 1 if body["side"] == "Buy" else -1
        tif = body.get("timeInForce", "IOC")
        try:
            order = self.account.take(
                client_id, body["symbol"], sign, Decimal(body["qty"]), body["orderType"], tif, limit
            )
        except DuplicateIdError:
            return self._said({}, 110072, "OrderLinkedID is duplicate")
        match fault:
            case Fault.HANG_UP_AFTER:
                raise HangUpError
            case Fault.SILENT:
                return self._said({}, 10000, "Server Timeout")
            case Fault.GARBAGE:
                return Answer(200, b"<html>not what you think</html>")
            case None:
                self.say("order", self.shown(order))
        return self._said({"orderId": order.venue_id, "orderLinkId": client_id})

    def _cancel(self, body: dict[str, str]) -> Answer:
        if not self.account.end(body["orderLinkId"], "cancelled"):
            return self._said({}, 110001, "order not exists or too late to cancel")
        order = self.account.orders[body["orderLinkId"]]
        self.say("order", self.shown(order))
        return self._said({"orderId": order.venue_id, "orderLinkId": order.client_id})

    def _positions(self) -> list[dict[str, Any]]:
        rows = []
        for native, size in self.account.positions().items():
            orders = [o for o in self._now() if o.native == native]
            paid = sum((o.sign * o.done * o.mean_price for o in orders), Decimal(0))
            side = "Buy" if size > 0 else "Sell"
            row = {"symbol": native, "side": side, "size": str(abs(size)), "avgPrice": str(paid / size)}
            rows.append({"positionIdx": 0, **row})
        return rows + self.positions_more

    def _now(self) -> list[BookOrder]:
        """The orders of now: other threads add to them."""
        return list(self.account.orders.values())

    def _wallet(self) -> Decimal:
        """The wallet is not touched by what a position cost; what is closed is not asked of this peer."""
        executions = [e for o in self._now() for e in o.executions if e.stands]
        return self.account.cash - sum((e.fee for e in executions), Decimal(0))

    # --- rows ---------------------------------------------------------------------------------------

    def shown(self, order: BookOrder) -> dict[str, Any]:
        """An order in JSON."""
        state = "PartiallyFilled" if order.state == "open" and order.executions else STATES[order.state]
        return {
            "category": "linear", "symbol": order.native, "orderId": order.venue_id, "orderLinkId": order.client_id,
            "side": "Buy" if order.sign > 0 else "Sell", "orderStatus": state, "orderType": order.kind,
            "price": str(order.limit or 0), "qty": str(order.quantity), "timeInForce": order.time_in_force,
            "cumExecQty": str(order.done), "leavesQty": str(order.quantity - order.done), "positionIdx": 0,
            "avgPrice": str(order.mean_price), "rejectReason": "EC_NoError", "createdTime": "1704209400123",
            "updatedTime": "1704209400123",
        }  # fmt: skip

    def done(self, order: BookOrder, done: Execution) -> dict[str, Any]:
        """An execution in JSON."""
        before = order.executions[: order.executions.index(done) + 1]
        left = order.quantity - sum((e.quantity for e in before), Decimal(0))
        return {
            "category": "linear", "symbol": order.native, "execFee": str(done.fee), "execId": done.exec_id,
            "execPrice": str(done.price), "execQty": str(done.quantity), "execType": "Trade",
            "execValue": str(done.price * done.quantity), "isMaker": False, "feeRate": "0.0006",
            "leavesQty": str(left), "orderId": order.venue_id, "orderLinkId": order.client_id,
            "orderPrice": str(order.limit or 0), "orderQty": str(order.quantity), "orderType": order.kind,
            "side": "Buy" if order.sign > 0 else "Sell", "execTime": "1704209400123", "seq": next(self._seq),
        }  # fmt: skip

    # --- streams ------------------------------------------------------------------------------------

    def say(self, topic: str, row: dict[str, Any]) -> None:
        """One row of a topic."""
        self.news.say(json.dumps({"id": "1", "topic": topic, "creationTime": 1704209400123, "data": [row]}))

    def _news(self, wire: ServerConnection) -> None:
        said = json.loads(wire.recv(5))
        key, expires, signature = said["args"]
        good = hmac.new(SECRET.encode(), f"GET/realtime{expires}".encode(), hashlib.sha256).hexdigest()
        accepted = (said["op"], key, signature) == ("auth", KEY, good)
        wire.send(json.dumps({"success": accepted, "ret_msg": "", "op": "auth", "conn_id": "c"}))
        if not accepted:
            return
        topics = json.loads(wire.recv(5))
        good_topics = set(topics["args"]) <= {"order", "execution", "wallet", "position"}
        wire.send(json.dumps({"success": good_topics, "ret_msg": "", "op": "subscribe", "conn_id": "c"}))
        self._pong(wire, threading.Event())

    def _tickers(self, wire: ServerConnection) -> None:
        wire.recv(5)
        wire.send(json.dumps({"success": True, "ret_msg": "subscribe", "op": "subscribe", "conn_id": "c"}))
        self.tickers_asked.set()
        self._pong(wire, self.tickers_pinged)

    @staticmethod
    def _pong(wire: ServerConnection, pinged: threading.Event) -> None:
        while True:
            if json.loads(wire.recv())["op"] == "ping":
                pinged.set()
                wire.send(json.dumps({"success": True, "ret_msg": "pong", "op": "ping", "conn_id": "c"}))
