"""What is held, what it is worth, where risk stands, what filled, what the strategies want."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request

from cli.api.shapes import (
    Fills,
    FillSeen,
    Held,
    LimitUse,
    LiveDecision,
    LiveSignal,
    LiveSignals,
    Portfolio,
    Risk,
    StandingAlert,
)
from cli.api.wiring import (
    DEFAULT_PAGE,
    Page,
    journal_of,
    live_of,
    mode_of,
    needs,
    unavailable,
)
from modules.live.messages import Filled, Status
from modules.live.units import MICROS
from modules.live.watch.seen import Seen

router = APIRouter()


@router.get("/v1/portfolio", dependencies=[Depends(needs("portfolio"))])
def portfolio(request: Request) -> Portfolio:
    """What is held, and what it is worth."""
    seen, status = _status(request)
    return Portfolio(
        mode=mode_of(seen),
        account=status.account,
        at_ns=status.at_ns,
        nav_usd=status.nav_micros / MICROS,
        cash_usd=status.cash_micros / MICROS,
        day_profit_usd=(status.nav_micros - status.day_nav_micros) / MICROS,
        positions=tuple(
            Held(
                symbol=p.symbol,
                lots=p.lots,
                price=p.price,
                value_usd=None if p.price is None else p.lots * p.price * seen.lot_size(p.symbol),
                open_buy_lots=p.open_buy,
                open_sell_lots=p.open_sell,
            )
            for p in status.positions
        ),
    )


@router.get("/v1/fills", dependencies=[Depends(needs("portfolio"))])
def fills(request: Request, page: Page = DEFAULT_PAGE) -> Fills:
    """The last executions; /v1/stream has them as they come."""
    seen = journal_of(request)
    newest = list(reversed(list(seen.tally.last_fills)))[:page]
    return Fills(mode=mode_of(seen), fills=tuple(fill_seen(f) for f in newest))


@router.get("/v1/risk", dependencies=[Depends(needs("portfolio"))])
def risk(request: Request) -> Risk:
    """Limits and their use, what stops orders, alerts."""
    seen, status = _status(request)
    stand = seen.stand
    return Risk(
        mode=mode_of(seen),
        account=status.account,
        at_ns=status.at_ns,
        build=status.build,
        killed=status.killed,
        refusing=status.refusing,
        cancel_only=f"the desk does not answer: {seen.desk}" if stand is None else stand.cancel_only,
        breaks=() if stand is None else stand.breaks,
        day_loss=status.day_loss,
        uses=tuple(LimitUse(rule=u.rule, used=u.used, limit=u.limit) for u in status.uses),
        venues=status.venues,
        feeds={} if stand is None else stand.feeds,
        alerts=tuple(
            StandingAlert(rule=a.rule, severity=a.severity, sentence=a.sentence, remedy=a.remedy, since_ns=a.since_ns)
            for a in live_of(request).alerts.standing
        ),
    )


@router.get("/v1/signals", dependencies=[Depends(needs("portfolio"))])
def signals(request: Request) -> LiveSignals:
    """What the strategies that run wanted last. Those of a recorded run are at /v1/backtests/RUN/signals."""
    seen = live_of(request).seen
    if seen.stand is None:
        raise unavailable("the desk", seen.desk or "it does not answer", "start it: cws live")
    decisions = tuple(
        LiveDecision(
            strategy=d.strategy,
            decided_ns=d.decided_ns,
            signals=tuple(LiveSignal(symbol=w.symbol, signal=w.signal, weight=w.weight, lots=w.lots) for w in d.wanted),
        )
        for d in seen.stand.decided
    )
    return LiveSignals(mode=mode_of(seen), decisions=decisions)


def fill_seen(fill: Filled) -> FillSeen:
    """An execution as the API shows it."""
    return FillSeen(
        client_id=fill.client_id,
        exec_id=fill.exec_id,
        symbol=fill.symbol,
        lots=fill.lots,
        price=fill.price,
        value_usd=fill.value_micros / MICROS,
        fee_usd=fill.fee_micros / MICROS,
        ts_ns=fill.ts_ns,
    )


def _status(request: Request) -> tuple[Seen, Status]:
    seen = live_of(request).seen
    if seen.status is None:
        raise unavailable("the risk core", seen.riskd or "it does not answer", "start it: cws riskd")
    return seen, seen.status
