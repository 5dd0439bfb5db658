"""What to do when the risk core refused an order, by rule. `docs/risk.md` says when each speaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from modules.live.risk.rules import Rule

_SMALLER = "order fewer lots, or close something first"
_LATER = "ask later, less often"
REMEDIES: Final[Mapping[Rule, str]] = {
    Rule.KILLED: "a named human opens the latch with a reason: cws kill --reset",
    Rule.DAILY_LOSS: "nothing is opened until the day ends",
    Rule.DRAWDOWN: "nothing is opened until the day ends",
    Rule.MODE: "start the desk and the risk core in the same mode",
    Rule.BUILD: "start the desk and the risk core from the same commit",
    Rule.STRATEGY: "name a strategy that the limits' file gives capital to",
    Rule.VENUE: "name a venue that the limits' file allows",
    Rule.INSTRUMENT: "name an instrument of the account (riskd.yaml)",
    Rule.RESTRICTED: "only orders that reduce it pass",
    Rule.MARKET_STATE: "ask when its market is open",
    Rule.ORDER_TYPE: "use an order type that the limits' file allows",
    Rule.TIME_IN_FORCE: "use a time in force that the limits' file allows",
    Rule.QUANTITY: "give lots other than 0, below 2**53",
    Rule.LIMIT_PRICE: "give a limit order a finite limit_price above 0",
    Rule.TICK: "give a limit_price that is a multiple of the tick",
    Rule.PARENT: "order no more than the parent has left",
    Rule.MESSAGE_RATE: _LATER,
    Rule.REPEATED: _LATER,
    Rule.DUPLICATE: "an id passes once a day: read the order that has it",
    Rule.REFERENCE_PRICE: "wait for a price",
    Rule.STALE_PRICE: "wait for a newer price",
    Rule.COLLAR: "give a limit_price nearer to the reference price",
    Rule.SELF_MATCH: "cancel the resting order on the other side first",
    Rule.NAV_NOT_POSITIVE: "nothing is opened while the account is worth nothing",
    Rule.ORDER_LOTS: "order fewer lots",
    Rule.ORDER_VALUE: "order fewer lots",
    Rule.INSTRUMENT_NAV: _SMALLER,
    Rule.SECTOR_NAV: _SMALLER,
    Rule.TRADE_RISK: _SMALLER,
    Rule.SIGMA_UNKNOWN: "give the instrument a sigma_day in riskd.yaml",
    Rule.LONG_LOTS: _SMALLER,
    Rule.SHORT_LOTS: _SMALLER,
    Rule.LOCATE: "locate shares to borrow, or sell no more than is held",
    Rule.GROSS: _SMALLER,
    Rule.LEVERAGE: _SMALLER,
    Rule.NET: _SMALLER,
    Rule.BETA: _SMALLER,
    Rule.CONCENTRATION: _SMALLER,
    Rule.PARTICIPATION: "order fewer lots a time",
    Rule.STRATEGY_CAPITAL: _SMALLER,
    Rule.TOTAL_CAPITAL: _SMALLER,
    Rule.BUYING_POWER: _SMALLER,
    Rule.CANCEL_ONLY: "wait for the reconciliation; the risk state says why it has not agreed",
    Rule.DEADLINE: "ask again as a new order: this one did not go out",
}
