"""ccxt's Bybit, one request at a time: an answer, or a failure that says whether the order can have arrived."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

import ccxt

from modules.live.venues.overhttp import NoAnswerError, NotSentError, RefusedError, never_connected
from modules.live.venues.sender import retry_after_s

CATEGORY: Final = "linear"
MONEY: Final = "USDT"
MOST_PAGES: Final = 1_000
_DUPLICATE: Final = 110_072
_BUSY: Final = frozenset({10_006, 10_018})
_UNKNOWN: Final = frozenset({10_000, 10_016, 170_007, 170_146, 170_147})  # time-outs and faults behind the gateway
_RESET: Final = "X-Bapi-Limit-Reset-Timestamp"

Json = Mapping[str, Any]


class Rest:
    """One account; for one thread. Nothing is tried again in here."""

    def __init__(self, key: str, secret: str, url: str | None, timeout_s: float, *, is_paper: bool) -> None:
        self._ccxt: Any = ccxt.bybit(
            {"apiKey": key, "secret": secret, "timeout": int(timeout_s * 1000), "enableRateLimit": True}
        )
        self._ccxt.enableLastJsonResponse = self._ccxt.enableLastResponseHeaders = True
        self._ccxt.maxRetriesOnFailure = 0
        if url is not None:
            self._ccxt.urls["api"] = dict.fromkeys(self._ccxt.urls["api"], url)
        elif is_paper:
            self._ccxt.enable_demo_trading(True)

    def signature(self, text: str) -> str:
        """HMAC of a text under the account's secret, as the stream wants it."""
        import hashlib

        return str(self._ccxt.hmac(text.encode(), self._ccxt.secret.encode(), hashlib.sha256))

    @property
    def key(self) -> str:
        """The key's public part."""
        return str(self._ccxt.apiKey)

    def ask(self, method: str, **query: str) -> Json:
        """The `result` of a private request by ccxt's name for it. Raises the errors of `overhttp`."""
        self._ccxt.last_json_response = None
        self._ccxt.last_response_headers = None
        try:
            answer = getattr(self._ccxt, method)(query)
        except ccxt.BaseError as error:
            raise self._failure(error) from error
        result = answer.get("result") if isinstance(answer, dict) else None
        if not isinstance(result, dict) or str(answer.get("retCode")) != "0":
            raise NoAnswerError(f"the answer of {method} is not Bybit's: {str(answer)[:200]}")
        return result

    def pages(self, method: str, **query: str) -> Iterator[Json]:
        """All rows of a list that comes in pages."""
        for _ in range(MOST_PAGES):
            result = self.ask(method, **query)
            rows = result.get("list")
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise NoAnswerError(f"the list of {method} is none: {str(rows)[:200]}")
            yield from rows
            cursor = result.get("nextPageCursor")
            if not cursor or not rows:
                return
            query["cursor"] = str(cursor)
        raise NoAnswerError(f"more than {MOST_PAGES} pages of {method}; ask for fewer days")

    def _failure(self, error: Exception) -> OSError:
        said, text = self._ccxt.last_json_response, str(error)[:500]
        code = said.get("retCode") if isinstance(said, dict) else None
        if code in _BUSY or (isinstance(error, ccxt.RateLimitExceeded) and code is None):
            return RefusedError(text, wait_s=self._wait_s())
        if isinstance(code, int) and code not in _UNKNOWN and code != 0:
            return RefusedError(text, is_duplicate=code == _DUPLICATE)
        if never_connected(error):
            return NotSentError(f"not sent: {text}")
        return NoAnswerError(f"no answer: {text}")

    def _wait_s(self) -> float:
        headers = self._ccxt.last_response_headers or {}
        reset = str(headers.get(_RESET, ""))
        if reset.isascii() and reset.isdigit():
            return min(max(int(reset) / 1000 - time.time(), 0.0), 300.0)
        return retry_after_s(headers.get("Retry-After"), time.time())
