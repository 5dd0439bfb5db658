"""Asks the web: a total deadline, bounded retries and bytes, hosts on a list, every answer on a tape.

No call outlives its deadline, whatever the other side does: it runs on a thread that is left behind. The host asked is
the only one that is ever asked, but for redirects of documents given by hand, which may lead to other public hosts and
never to private addresses.
"""

from __future__ import annotations

import base64
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urljoin, urlsplit

from pydantic import JsonValue

from harness.literature.port import PASSING, LiteratureError
from harness.literature.port import LiteratureReason as Reason
from harness.llm.tape import Exchange, Heard, Tape, TapeError

if TYPE_CHECKING:
    import httpx

MAX_BYTES = 5 << 20
MAX_REDIRECTS = 5
READ_S = 10.0
AGENT = "cws-research-engine/0.1 (literature search; one request at a time)"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_T = TypeVar("_T")


@dataclass(frozen=True)
class Page:
    """An answer: its bytes, its media type, the day it was read (UTC, of the tape on replay), where it came from."""

    body: bytes
    media: str
    read_on: str
    url: str


@dataclass(frozen=True)
class Patience:
    """How long and how often: `deadline_s` over everything, `attempts` at most, first wait `wait_s`, then doubled."""

    deadline_s: float = 30.0
    attempts: int = 4
    wait_s: float = 1.0


@dataclass
class Web:
    """GET requests of one source. `pace_s`: least seconds between two requests (arXiv asks for 3).

    `secret` are query parameters that go out and never on the tape, `headers` likewise. `tape` None keeps nothing;
    `heard` is told of each exchange that is new on it. `elsewhere` lets redirects lead to other public hosts.
    With `other` nothing is asked: what that tape holds is heard again, and recorded on `tape`.
    """

    who: str
    tape: Tape | None = None
    patience: Patience = Patience()
    pace_s: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)
    secret: Mapping[str, str] = field(default_factory=dict)
    elsewhere: bool = False
    other: Tape | None = None
    heard: Callable[[Exchange], None] | None = None
    max_bytes: int = MAX_BYTES
    _last: float = field(default=float("-inf"), init=False)

    def get(self, url: str, params: Mapping[str, str] | None = None, *, label: str = "get") -> Page:
        """The page, heard from the tape where it is on it. Raises LiteratureError."""
        _web_address(self.who, url)
        request: dict[str, JsonValue] = {"url": url, "params": dict(params or {})}

        def ask() -> Heard:
            return Heard(reply=self._ask(url, dict(params or {})))

        if self.tape is None:
            return _page(ask().reply, time.time_ns())
        known = self.tape.find(self.who, request) is not None
        try:
            if self.other is not None and not known:
                entry = self.tape.record(self.other.exchange(self.who, label, request, ask))
            else:
                entry = self.tape.exchange(self.who, label, request, ask)
        except TapeError as error:
            raise LiteratureError(Reason.NOT_ON_TAPE, str(error)) from error
        if self.heard is not None and not known:
            self.heard(entry)
        return _page(entry.reply, entry.began_ns)

    def _ask(self, url: str, params: dict[str, str]) -> JsonValue:
        ends = time.monotonic() + self.patience.deadline_s
        wait, last = self.patience.wait_s, LiteratureError(Reason.TIMEOUT, f"{self.who}: no time was given")
        for attempt in range(1, self.patience.attempts + 1):
            _sleep(max(0.0, self._last + self.pace_s - time.monotonic()), ends, last)
            self._last = time.monotonic()
            left = ends - time.monotonic()
            try:
                return _within(left, self.who, lambda left=left: self._follow(url, params, left))  # type: ignore[misc]
            except LiteratureError as error:
                if error.reason not in PASSING or attempt == self.patience.attempts:
                    raise
                last = error
            _sleep(max(wait, last.wait_s or 0.0), ends, last)
            wait *= 2
        raise last

    def _follow(self, url: str, params: dict[str, str], seconds: float) -> JsonValue:
        """One request with its redirects."""
        import httpx

        ends, first = time.monotonic() + seconds, urlsplit(url).netloc
        with httpx.Client(verify=_trusted(), follow_redirects=False, timeout=min(READ_S, seconds)) as client:
            for _ in range(MAX_REDIRECTS + 1):
                at_home = urlsplit(url).netloc == first
                headers = {"User-Agent": AGENT, "Accept-Encoding": "identity", **(self.headers if at_home else {})}
                sent = {**params, **(self.secret if at_home else {})}
                try:
                    with client.stream("GET", url, params=sent or None, headers=headers) as response:
                        if response.status_code not in _REDIRECTS:
                            return self._read(response, url, ends)
                        url = self._next(url, response.headers.get("location", ""))
                        params = {}
                except httpx.TimeoutException as error:
                    raise LiteratureError(
                        Reason.CONNECTION, f"{self.who}: {_host(url)} did not answer in time; try later"
                    ) from error
                except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
                    raise LiteratureError(
                        Reason.CONNECTION,
                        f"{self.who}: {_host(url)} cannot be reached ({type(error).__name__}); is there a network?",
                    ) from error
        raise LiteratureError(
            Reason.MALFORMED, f"{self.who}: more than {MAX_REDIRECTS} redirects; give the last address"
        )

    def _read(self, response: httpx.Response, url: str, ends: float) -> JsonValue:
        _refuse_status(self.who, response.status_code, response.headers.get("retry-after"))
        if response.headers.get("content-encoding", "identity") not in ("identity", ""):
            raise LiteratureError(Reason.MALFORMED, f"{self.who}: a compressed answer that was not asked for")
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > self.max_bytes:
                raise LiteratureError(
                    Reason.TOO_LARGE, f"{self.who}: more than {self.max_bytes} bytes; give a smaller document"
                )
            if time.monotonic() > ends:
                raise LiteratureError(Reason.TIMEOUT, f"{self.who}: the answer took too long; try later")
        media = response.headers.get("content-type", "").split(";")[0].strip().lower()
        return {"media": media[:100], "body": base64.b64encode(bytes(body)).decode(), "url": url}

    def _next(self, url: str, location: str) -> str:
        to = urljoin(url, location)
        _web_address(self.who, to)
        if urlsplit(to).netloc == urlsplit(url).netloc:
            return to
        if not self.elsewhere:
            raise LiteratureError(Reason.OFF_LIST, f"{self.who}: sent on to {_host(to)}, which is not on the list")
        if _is_private(urlsplit(to).hostname or ""):
            raise LiteratureError(
                Reason.OFF_LIST, f"{self.who}: sent on to {_host(to)}, a private address; not followed"
            )
        return to


@cache
def _trusted() -> ssl.SSLContext:
    import httpx

    return httpx.create_ssl_context()  # reading the certificates takes longer than most answers


def _refuse_status(who: str, status: int, retry_after: str | None) -> None:
    if status == 200:
        return
    if status == 429:
        wait = _seconds(retry_after)
        asked = f", wait {wait:g} s" if wait is not None else ""
        raise LiteratureError(
            Reason.RATE_LIMITED,
            f"{who}: too many requests{asked}; try later, or set a key (docs/literature.md)",
            wait_s=wait,
        )
    if status in (401, 403):
        raise LiteratureError(Reason.DENIED, f"{who}: refused with {status}; check the key (docs/literature.md)")
    if status in (404, 410):
        raise LiteratureError(Reason.NOT_FOUND, f"{who}: there is no such document; check the identifier")
    if status in (500, 502, 503, 504):
        raise LiteratureError(
            Reason.UNAVAILABLE, f"{who}: is out of order ({status}); try later", wait_s=_seconds(retry_after)
        )
    raise LiteratureError(Reason.BAD_REQUEST, f"{who}: answered {status}; change the query")


def _seconds(retry_after: str | None) -> float | None:
    try:
        seconds = float(retry_after or "")
    except ValueError:
        return None
    return seconds if 0.0 <= seconds < 1e6 else None


def _sleep(seconds: float, ends: float, last: LiteratureError) -> None:
    """Wait, or give up now where the wait would pass the deadline."""
    if time.monotonic() + seconds >= ends:
        raise last
    time.sleep(seconds)


def _within(seconds: float, who: str, work: Callable[[], _T]) -> _T:
    """What `work` gives, or TIMEOUT: name lookups and headers that drip have no time limit of their own."""
    answer: queue.SimpleQueue[tuple[_T | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            answer.put((work(), None))
        except BaseException as error:  # noqa: BLE001 - handed to the thread that asked
            answer.put((None, error))

    threading.Thread(target=run, daemon=True, name=f"ask-{who}").start()
    try:
        value, error = answer.get(timeout=max(0.0, seconds))
    except queue.Empty:
        raise LiteratureError(Reason.TIMEOUT, f"{who}: no answer within the deadline; try later") from None
    if error is not None:
        raise error
    return value  # type: ignore[return-value]


def _web_address(who: str, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise LiteratureError(
            Reason.BAD_REQUEST,
            f"{who}: {url[:80]!r} is no web address; give http:// or https:// and a host, no user name",
        )


def _is_private(host: str) -> bool:
    try:
        addresses = {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except OSError:
        return True  # what cannot be looked up is not followed
    return any(not ipaddress.ip_address(a.split("%")[0]).is_global for a in addresses)


def _host(url: str) -> str:
    return urlsplit(url).hostname or "the host"


def _page(reply: JsonValue, began_ns: int) -> Page:
    if not isinstance(reply, dict):
        raise LiteratureError(Reason.MALFORMED, "the tape holds no page here; it was altered or is another version's")
    day = time.strftime("%Y-%m-%d", time.gmtime(began_ns // 1_000_000_000))
    body, media, url = (str(reply.get(k, "")) for k in ("body", "media", "url"))
    return Page(base64.b64decode(body), media, day, url)
