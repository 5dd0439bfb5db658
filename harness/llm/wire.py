"""One attempt over HTTP that cannot hang, swell or leak, and what the SDKs' errors mean to the port.

The SDKs bound each read, not the whole: a server that sends a byte a second would hold a research for ever. Here a
reply has a deadline for all of it (as long again, at most, where it falls silent) and a largest size. Redirects are
not followed: a key goes where it was meant to.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.llm.port import ModelError, Reason

if TYPE_CHECKING:
    import httpx2

MAX_REPLY_BYTES = 16 << 20
CONNECT_S = 10.0
DEADLINE_S = 300.0
MAX_WAIT_S = 120.0
MESSAGE_CHARS = 300


class CutOffError(Exception):
    """A reply was longer than it may be, or took longer. Raised between two chunks of it."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def client(deadline_s: float = DEADLINE_S, max_bytes: int = MAX_REPLY_BYTES) -> httpx2.Client:
    """An HTTP client for an SDK, with the limits of this file on every response."""
    import httpx2

    class Limited(httpx2.SyncByteStream):
        def __init__(self, inner: httpx2.SyncByteStream, until: float) -> None:
            self.inner, self.until = inner, until

        def __iter__(self) -> Iterator[bytes]:
            size = 0
            for chunk in self.inner:
                size += len(chunk)
                if size > max_bytes:
                    raise CutOffError(Reason.MALFORMED, f"the reply is longer than {max_bytes} bytes")
                if time.monotonic() > self.until:
                    raise CutOffError(Reason.TIMEOUT, f"the reply was not whole after {deadline_s:g} s")
                yield chunk

        def close(self) -> None:
            self.inner.close()

    began: dict[int, float] = {}

    def sent(request: httpx2.Request) -> None:
        began.clear()  # one call at a time
        began[id(request)] = time.monotonic()

    def received(response: httpx2.Response) -> None:
        start = began.pop(id(response.request), time.monotonic())
        if isinstance(response.stream, httpx2.SyncByteStream):
            response.stream = Limited(response.stream, start + deadline_s)

    return httpx2.Client(
        timeout=httpx2.Timeout(deadline_s, connect=min(CONNECT_S, deadline_s)),
        follow_redirects=False,
        event_hooks={"request": [sent], "response": [received]},
    )


def reason_of(status: int, body: str) -> Reason:
    """What an HTTP status means. A spent account answers 429 too, but waiting does not help it."""
    if status == 429:
        return Reason.DENIED if "insufficient_quota" in body else Reason.RATE_LIMITED
    if status in (401, 402, 403):
        return Reason.DENIED
    if status == 404:
        return Reason.UNKNOWN_MODEL
    if status in (408, 409):
        return Reason.CONNECTION
    return Reason.OVERLOADED if status >= 500 else Reason.BAD_REQUEST


REMEDIES = {
    Reason.RATE_LIMITED: "wait, or ask for a higher rate",
    Reason.OVERLOADED: "try again later",
    Reason.CONNECTION: "check the network and the address",
    Reason.TIMEOUT: "try again, or choose a faster model",
    Reason.DENIED: "check the key, its rights and its credit",
    Reason.UNKNOWN_MODEL: "check the model's name and the address",
    Reason.BAD_REQUEST: "the model may lack what was asked of it (tools, a form of answer); choose another",
    Reason.MALFORMED: "the server does not speak the protocol; check the address",
}


def wait_of(headers: httpx2.Headers) -> float | None:
    """What the server asks to wait, in seconds, where it gives a sane number."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            wait = float(headers.get(name, "")) * scale
        except ValueError:
            continue  # a date, or nothing
        if math.isfinite(wait) and wait >= 0.0:
            return min(wait, MAX_WAIT_S)
    return None


@contextmanager
def port_errors(who: str, key: str) -> Iterator[None]:
    """Any failure of an SDK or of the wire below it, as a ModelError that names who was asked and the remedy."""
    import httpx2

    def failed(reason: Reason, said: str, wait_s: float | None = None) -> ModelError:
        plain = "".join(c if c.isprintable() else " " for c in (said.replace(key, "[key]") if key else said))
        said = " ".join(plain.split())[:MESSAGE_CHARS]
        return ModelError(reason, f"{who}: {reason.replace('_', ' ')}: {said}; {REMEDIES[reason]}", wait_s=wait_s)

    try:
        yield
    except ModelError:
        raise
    except CutOffError as error:
        raise failed(error.reason, str(error)) from error
    except Exception as error:  # an SDK parses what a stranger sent: whatever breaks, there is no reply
        cause = next(_causes(error, CutOffError), None)
        if isinstance(cause, CutOffError):
            raise failed(cause.reason, str(cause)) from error
        response = getattr(error, "response", None)
        status = getattr(error, "status_code", None)
        if isinstance(status, int) and isinstance(response, httpx2.Response):
            said = str(error)
            # An error inside a stream comes with the status 200 of its beginning; its body says what it is.
            reason = reason_of(status, said) if status >= 400 else _of_stream(said)
            raise failed(reason, said, wait_of(response.headers)) from error
        if isinstance(error, httpx2.TimeoutException) or "Timeout" in type(error).__name__:
            raise failed(Reason.TIMEOUT, f"no answer ({type(error).__name__})") from error
        if isinstance(error, httpx2.HTTPError) or "Connection" in type(error).__name__:
            raise failed(Reason.CONNECTION, f"{type(error).__name__}: {error.__cause__ or error}") from error
        if type(error).__module__.split(".")[0] in ("anthropic", "openai"):  # an error event of a stream
            raise failed(_of_stream(str(error)), str(error)) from error
        raise failed(Reason.MALFORMED, f"{type(error).__name__}: {error}") from error


def _of_stream(said: str) -> Reason:
    return Reason.RATE_LIMITED if "rate_limit" in said else Reason.OVERLOADED


def _causes(error: BaseException, kind: type[BaseException]) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, kind):
            yield seen
        seen = seen.__cause__ or seen.__context__
