"""alpaca-py's client with a time limit, exact figures, and failures that say whether the order can have arrived."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

import requests
from alpaca.trading.client import TradingClient

from modules.live.venues.overhttp import NoAnswerError, NotSentError, RefusedError, never_connected
from modules.live.venues.sender import retry_after_s

PAGE: Final = 100
MOST_PAGES: Final = 1_000


class Rest(TradingClient):
    """One account's REST interface; for one thread. Nothing is tried again in here: whoever asks knows what for."""

    def __init__(self, key: str, secret: str, url: str, timeout_s: float) -> None:
        super().__init__(api_key=key, secret_key=secret, url_override=url, raw_data=True)
        self._timeout_s = timeout_s

    def _one_request(self, method: str, url: str, opts: dict[str, Any], retry: int) -> Any:
        try:
            response = self._session.request(method, url, timeout=self._timeout_s, **opts)
        except requests.exceptions.RequestException as error:
            if never_connected(error):
                raise NotSentError(f"not sent: {error}") from error
            raise NoAnswerError(f"no answer: {error}") from error
        status, said = response.status_code, response.text[:500]
        if 400 <= status < 500 and status != 408:
            wait_s = retry_after_s(response.headers.get("Retry-After"), time.time()) if status == 429 else None
            in_use = status == 422 and "client_order_id" in said
            raise RefusedError(f"HTTP {status}: {said}", wait_s=wait_s, is_duplicate=in_use)
        if not response.ok:
            raise NoAnswerError(f"HTTP {status}: {said}")
        if not response.content:
            return None
        try:
            return json.loads(response.content, parse_float=Decimal)
        except ValueError as error:
            raise NoAnswerError(f"the answer is no JSON: {error}") from error

    def order_named(self, client_id: str) -> object:
        """One order by our id."""
        return self.get("/orders:by_client_order_id", {"client_order_id": client_id})

    def orders(self, state: str, after: str) -> Iterator[Mapping[str, Any]]:
        """Orders submitted after a moment, newest first; pages may overlap, an order then comes twice."""
        query = {"status": state, "limit": 500, "after": after, "direction": "desc", "nested": "false"}
        last = None
        for _ in range(MOST_PAGES):
            page = _rows(self.get("/orders", query))
            yield from page
            if len(page) < 500 or page[-1].get("id") == last:
                return
            last, query["until"] = page[-1].get("id"), str(page[-1].get("submitted_at"))
        raise NoAnswerError(f"more than {MOST_PAGES} pages of orders; ask for fewer days")

    def executions(self, after: str) -> Iterator[Mapping[str, Any]]:
        """Executions after a moment, oldest first."""
        query = {"after": after, "direction": "asc", "page_size": PAGE}
        for _ in range(MOST_PAGES):
            page = _rows(self.get("/account/activities/FILL", query))
            yield from page
            if len(page) < PAGE:
                return
            query["page_token"] = str(page[-1].get("id"))
        raise NoAnswerError(f"more than {MOST_PAGES} pages of executions; ask for fewer days")


def _rows(answer: object) -> list[Mapping[str, Any]]:
    if not isinstance(answer, list) or not all(isinstance(row, dict) for row in answer):
        raise NoAnswerError(f"a list of objects is wanted, not {str(answer)[:200]!r}")
    return answer
