"""Before every route: who asks, how often and how much; what no browser of a foreign page may do.

A pure ASGI layer, so that it counts bytes as they come and covers WebSockets too. There is no CORS header in any
answer, so a page of another origin cannot read one; and a request that a browser sends for such a page (it has an
`Origin`) is refused: programs send none.
"""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from cli.api.faults import ApiError, Fault, fault
from cli.api.tokens import Scope, Token, TokenStore

MAX_BODY_BYTES = 64 * 1024
MAX_HEADER_BYTES = 32 * 1024
MAX_PATH_BYTES = 8 * 1024
OPEN_PATHS = frozenset({"/health", "/openapi.json"})
MOST_CALLERS = 1_024
HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
TOO_LONG = 413


@dataclass
class Rates:
    """Token bucket for each caller: `burst` at once, `a_second` on end. Callers beyond `MOST_CALLERS`: oldest go."""

    a_second: float = 20.0
    burst: int = 60
    clock: Callable[[], float] = time.monotonic
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    @property
    def words(self) -> str:
        """The rule, for whoever broke it."""
        return f"{self.a_second:g} requests a second, {self.burst} at once"

    def wait_s(self, caller: str) -> float:
        """0 = it may; else the seconds until it may."""
        now = self.clock()
        left, at = self._left.pop(caller, (float(self.burst), now))
        left = min(float(self.burst), left + (now - at) * self.a_second)
        may = left >= 1.0
        self._left[caller] = (left - 1.0 if may else left, now)
        while len(self._left) > MOST_CALLERS:
            self._left.popitem(last=False)
        return 0.0 if may else (1.0 - left) / self.a_second


class Gate:
    """The layer. What it lets through has `state["token"]` (a `Token`, or None for the open paths)."""

    def __init__(self, app: ASGIApp, tokens: TokenStore, rates: Rates, mode: Callable[[], str]) -> None:
        self.app, self.tokens, self.rates, self.mode = app, tokens, rates, mode

    async def __call__(self, connection: Connection, receive: Receive, send: Send) -> None:
        """ASGI."""
        if connection["type"] not in ("http", "websocket"):
            await self.app(connection, receive, send)
            return
        marked = _marked(send, self.mode)
        headers = dict(connection["headers"])
        try:
            connection.setdefault("state", {})["token"] = self._admit(connection, headers)
            if connection["type"] == "http":
                receive = await _whole_body(receive, headers)
            await self.app(connection, receive, marked)
        except ApiError as error:
            await _refuse(connection, receive, marked, error)

    def _admit(self, connection: Connection, headers: dict[bytes, bytes]) -> Token | None:
        path = str(connection["path"])
        if len(path.encode("utf-8", "replace")) + len(connection["query_string"]) > MAX_PATH_BYTES:
            raise ApiError(414, "the path is too long", _rule("path", f"{MAX_PATH_BYTES} bytes at most", "shorten it"))
        if sum(len(k) + len(v) for k, v in headers.items()) > MAX_HEADER_BYTES:
            raise ApiError(
                431, "the headers are too long", _rule("headers", f"{MAX_HEADER_BYTES} bytes at most", "send fewer")
            )
        if b"origin" in headers:
            raise ApiError(
                403,
                "pages of a browser are not served",
                _rule("Origin", "is not sent", "call from a program with a token"),
            )
        host = (connection.get("client") or ("", 0))[0]
        scheme, _, secret = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        token = self.tokens.find(secret.strip()) if scheme.lower() == "bearer" else None
        wait = self.rates.wait_s(token.name if token else f"host {host}")
        if wait > 0.0:
            raise ApiError(
                429,
                "too many requests",
                _rule(
                    "rate", f"{self.rates.a_second:g} requests a second, {self.rates.burst} at once", "ask less often"
                ),
                headers={"Retry-After": str(int(wait) + 1)},
            )
        if token is None and path not in OPEN_PATHS:
            given = "no token" if not secret else "a token that is none, or whose time is over"
            raise ApiError(
                401,
                f"the request has {given}",
                _rule("Authorization", "is `Bearer TOKEN` with a token in force", "`cws api token add NAME` makes one"),
                headers={"WWW-Authenticate": "Bearer"},
            )
        return token


def _rule(name: str, rule: str, remedy: str) -> Fault:
    return fault(name, None, rule, remedy)


def require(token: Token | None, scope: Scope) -> None:
    """Raises ApiError(403) where the token has not this scope."""
    have = token.scopes if token else ()
    if scope not in have:
        raise ApiError(
            403,
            f"the token may not do this: it lacks the scope {scope}",
            fault(
                "Authorization", " ".join(have), f"has the scope {scope}", f"`cws api token add NAME --scope {scope}`"
            ),
        )


async def _whole_body(receive: Receive, headers: dict[bytes, bytes]) -> Receive:
    """The body, read to its end before any route sees it: too long is too long, whatever its Content-Length says."""
    said = headers.get(b"content-length", b"0")
    if not said.isdigit() or int(said) > MAX_BODY_BYTES:
        raise _too_long()
    parts: list[Message] = []
    got, more = 0, True
    while more:
        message = await receive()
        parts.append(message)
        got += len(message.get("body", b""))
        more = bool(message.get("more_body", False))
        if got > MAX_BODY_BYTES:
            raise _too_long()
    left = iter(parts)

    async def again() -> Message:
        message = next(left, None)
        return await receive() if message is None else message

    return again


def _too_long() -> ApiError:
    return ApiError(TOO_LONG, "the body is too long", _rule("body", f"{MAX_BODY_BYTES} bytes at most", "send less"))


def _marked(send: Send, mode: Callable[[], str]) -> Send:
    """`send`, with the headers that every answer bears: among them whether this is PAPER or LIVE."""

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            more = [*HEADERS, (b"x-trading-mode", mode().encode())]
            message = {**message, "headers": [*message.get("headers", []), *more]}
        await send(message)

    return marked


async def _refuse(connection: Connection, receive: Receive, send: Send, error: ApiError) -> None:
    if connection["type"] == "websocket":
        # 1008: the policy was broken. Said before the handshake ends, it reaches the caller as 403.
        await send({"type": "websocket.close", "code": 1008, "reason": error.body.error[:100]})
        return
    content = json.dumps(error.body.model_dump()).encode()
    headers: list[tuple[bytes, bytes]] = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        *((name.lower().encode(), value.encode()) for name, value in error.headers.items()),
    ]
    start: dict[str, Any] = {"type": "http.response.start", "status": error.status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": content})
