"""Ticks, fills and what becomes of orders, as they come, over a WebSocket; and the metrics."""

from __future__ import annotations

import asyncio
import queue
from typing import Annotated, Final, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response, WebSocket
from starlette.websockets import WebSocketDisconnect

from cli.api.account import fill_seen
from cli.api.faults import ApiError
from cli.api.gate import require
from cli.api.wiring import Live, live_of, needs
from modules.live.messages import Acknowledged, Cancelled, Expired, Filled, Marked, RefusedByVenue, VenueNews
from modules.live.watch.metrics import text

router = APIRouter()
Kind = Literal["ticks", "fills", "orders"]
EVERY_S: Final = 0.02
"""How often a stream looks for news; what came meanwhile is sent together."""

BEAT_S: Final = 5.0
MOST_STREAMS: Final = 16
POLICY, TOO_SLOW, TRY_LATER = 1008, 1013, 1013
_ENDS = (Acknowledged, RefusedByVenue, Cancelled, Expired)


@router.get("/metrics", dependencies=[Depends(needs("metrics"))], response_class=Response)
def metrics(request: Request) -> Response:
    """For Prometheus; docs/watching.md has the table."""
    live = live_of(request)
    return Response(text(live.seen, live.alerts.standing), media_type="text/plain; version=0.0.4; charset=utf-8")


@router.websocket("/v1/stream")
async def stream(websocket: WebSocket, kinds: Annotated[list[Kind] | None, Query()] = None) -> None:
    """JSON texts. The first is `hello` with mode and account; then `tick`, `fill`, `order`, and a `beat` when quiet.

    Needs the scope portfolio. Closed with 1013 where the reader is too slow, or as many streams as may be are open.
    """
    try:
        require(websocket.state.token, "portfolio")
        live = live_of(websocket)
    except ApiError as error:
        await websocket.close(POLICY, error.body.error[:100])
        return
    if not live.streams.acquire(blocking=False):
        await websocket.close(TRY_LATER, f"{MOST_STREAMS} streams are open")
        return
    listener = live.watch.listen()
    try:
        await websocket.accept()
        await _send(websocket, live, listener, frozenset(kinds or ("ticks", "fills", "orders")))
    except (WebSocketDisconnect, RuntimeError):
        pass  # whoever hangs up is gone
    finally:
        live.watch.leave(listener)
        live.streams.release()


async def _send(
    websocket: WebSocket, live: Live, listener: queue.Queue[VenueNews | None], kinds: frozenset[Kind]
) -> None:
    await websocket.send_text(_json({"kind": "hello", "mode": live.seen.mode, "account": live.place.account}))
    gone = asyncio.ensure_future(websocket.receive())
    quiet_s = 0.0
    try:
        while not gone.done():
            came = 0
            while True:
                try:
                    news = listener.get_nowait()
                except queue.Empty:
                    break
                if news is None:
                    await websocket.close(TOO_SLOW, "the stream was not read, or the server ends")
                    return
                told = _told(news, kinds)
                if told is not None:
                    came += 1
                    await websocket.send_text(_json(told))
            quiet_s = 0.0 if came else quiet_s + EVERY_S
            if quiet_s >= BEAT_S:
                quiet_s = 0.0
                await websocket.send_text(_json({"kind": "beat", "mode": live.seen.mode, "at_ns": live.seen.at_ns}))
            await asyncio.sleep(EVERY_S)
    finally:
        gone.cancel()


def _told(news: VenueNews, kinds: frozenset[Kind]) -> dict[str, object] | None:
    if isinstance(news, Marked):
        tick = {"kind": "tick", "symbol": news.symbol, "price": news.price, "ts_ns": news.ts_ns}
        return tick if "ticks" in kinds else None
    if isinstance(news, Filled):
        return {"kind": "fill", **fill_seen(news).model_dump()} if "fills" in kinds else None
    if isinstance(news, _ENDS) and "orders" in kinds:
        state = type(news).__name__.lower()
        return {"kind": "order", "client_id": news.client_id, "state": state, "ts_ns": news.ts_ns}
    return None


def _json(told: dict[str, object]) -> str:
    return msgspec.json.encode(told).decode()
