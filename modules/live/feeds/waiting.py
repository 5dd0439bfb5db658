"""What blocks (a connection, an HTTP request), done on the side; and how long to wait before it is tried again."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final, Generic, TypeVar

from modules.live.feeds.wslink import LinkError

T = TypeVar("T")
MOST_BODY_BYTES: Final = 16 << 20
MOST_RETRY_AFTER_S: Final = 600.0


@dataclass
class Backoff:
    """Delays that double from `base_s` to `most_s`, each drawn between half of it and all of it, so that many clients
    do not come back at once. A venue's own Retry-After is never undercut."""

    base_s: float
    most_s: float
    random: Random
    failures: int = 0

    def next_s(self, at_least_s: float = 0.0) -> float:
        """The delay after one more failure."""
        whole = min(self.most_s, self.base_s * 2.0 ** min(self.failures, 30))
        self.failures += 1
        return max(at_least_s, whole * (0.5 + 0.5 * self.random.random()))

    def worked(self) -> None:
        """It went well for long enough: begin anew."""
        self.failures = 0


class Aside(Generic[T]):
    """One call in a thread of its own. `done` once there is a result or a LinkError; another error is raised there."""

    def __init__(self, name: str, work: Callable[[], T], discard: Callable[[T], None] | None = None) -> None:
        self._work, self._discard = work, discard
        self._lock, self._left = threading.Lock(), False
        self._done = threading.Event()
        self.result: T | None = None
        self.error: LinkError | None = None
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def _run(self) -> None:
        try:
            result = self._work()
        except LinkError as error:
            self.error = error
        else:
            with self._lock:
                self.result = result
                if self._left and self._discard is not None:
                    self._discard(result)
        finally:
            if self.result is None and self.error is None:
                self.error = LinkError("it failed in a way that is a fault of ours; the log has the traceback")
            self._done.set()

    def wait(self, timeout_s: float) -> bool:
        """Whether it is done, after waiting for it up to `timeout_s`."""
        return self._done.wait(max(0.0, timeout_s))

    def leave(self) -> None:
        """Its result is not wanted any more: it is thrown away when it comes."""
        with self._lock:
            self._left = True
            if self.result is not None and self._discard is not None:
                self._discard(self.result)


def fetch(url: str, timeout_s: float) -> bytes:
    """The body of an HTTP address, at most `MOST_BODY_BYTES`. No proxy, no keys. Raises LinkError."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout_s) as answer:
            body: bytes = answer.read(MOST_BODY_BYTES + 1)
    except urllib.error.HTTPError as error:
        with error:
            raise LinkError(f"{url} answered {error.code}", _seconds(error.headers.get("Retry-After"))) from error
    except (OSError, ValueError) as error:
        raise LinkError(f"{url} cannot be fetched: {error}") from error
    if len(body) > MOST_BODY_BYTES:
        raise LinkError(f"{url} answered more than {MOST_BODY_BYTES} bytes")
    return body


def _seconds(text: str | None) -> float:
    try:
        return max(0.0, min(MOST_RETRY_AFTER_S, float(text or "0")))
    except ValueError:
        return 0.0
