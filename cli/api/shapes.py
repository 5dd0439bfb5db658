"""The bodies of what is traded, as they are asked and answered."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from modules.live.messages import OrderType, TimeInForce

MOST_LOTS = 2**53
MOST_PRICE = 1e9
Mode = Literal["PAPER", "LIVE"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OrderAsked(_Model):
    """An order. The same `decided_ns`, strategy, symbol and number again is the same order and is not sent twice: give
    `decided_ns` (ns UTC, the time of the decision) where a request may have to be repeated."""

    symbol: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$")
    lots: int = Field(
        ge=-MOST_LOTS,
        le=MOST_LOTS,
        description="signed: above 0 buys; not 0",
        json_schema_extra={"not": {"const": 0}},
    )
    venue: str = Field(pattern=r"^[a-z][a-z0-9_/]{0,63}$")
    strategy: str = Field(default="manual", pattern=r"^[a-z][a-z0-9_/]{0,63}$")
    order_type: OrderType = "market"
    time_in_force: TimeInForce = "day"
    limit_price: float | None = Field(default=None, gt=0.0, le=MOST_PRICE)
    decided_ns: int | None = Field(default=None, ge=0, lt=2**63)
    number: int = Field(default=0, ge=0, le=1_000_000)


class OrderTaken(_Model):
    """What became of an order. `sent`: `allowed_lots` went to the venue; `unknown`: it may be there, and nobody sends
    it again: read it until it is known. `answer`, `rule`: of the risk core."""

    mode: Mode
    client_id: str
    status: Literal["sent", "unknown"]
    answer: str | None
    rule: str | None
    allowed_lots: int | None
    decided_ns: int
    why: str | None


class OrderSeen(_Model):
    """An order as it stands. Lots are signed; `mean_price` is of what filled."""

    client_id: str
    strategy: str
    symbol: str
    lots: int
    venue: str
    order_type: str
    time_in_force: str
    limit_price: float | None
    parent: str | None
    state: str
    filled_lots: int
    mean_price: float | None
    fee_usd: float


class Orders(_Model):
    """A page: those that may be open, then those that ended last, each the newest first. `next`: give it as `after`."""

    mode: Mode
    orders: tuple[OrderSeen, ...]
    next: str | None


class Cancelling(_Model):
    """The cancel is on its way; what became of the order says the order."""

    mode: Mode
    client_id: str | None


class Held(_Model):
    """What is held of an instrument."""

    symbol: str
    lots: int
    price: float | None
    value_usd: float | None
    open_buy_lots: int
    open_sell_lots: int


class Portfolio(_Model):
    """The account as the risk core has it. `at_ns` by its clock."""

    mode: Mode
    account: str
    at_ns: int
    nav_usd: float
    cash_usd: float
    day_profit_usd: float
    positions: tuple[Held, ...]


class LimitUse(_Model):
    """How much of a limit is used, both in its unit."""

    rule: str
    used: float
    limit: float


class StandingAlert(_Model):
    """An alert that stands."""

    rule: str
    severity: str
    sentence: str
    remedy: str
    since_ns: int


class Risk(_Model):
    """Where risk stands. `killed`, `refusing`, `cancel_only`: why nothing may go out; null = it is not so."""

    mode: Mode
    account: str
    at_ns: int
    build: str
    killed: str | None
    refusing: str | None
    cancel_only: str | None
    breaks: tuple[str, ...]
    day_loss: float
    uses: tuple[LimitUse, ...]
    venues: dict[str, bool]
    feeds: dict[str, str | None]
    alerts: tuple[StandingAlert, ...]


class LiveSignal(_Model):
    """What a strategy wants of a symbol."""

    symbol: str
    signal: float | None
    weight: float | None
    lots: int | None


class LiveDecision(_Model):
    """The newest decision of a strategy."""

    strategy: str
    decided_ns: int
    signals: tuple[LiveSignal, ...]


class LiveSignals(_Model):
    """The newest decisions of all strategies that run."""

    mode: Mode
    decisions: tuple[LiveDecision, ...]


class FillSeen(_Model):
    """One execution."""

    client_id: str
    exec_id: str
    symbol: str
    lots: int
    price: float
    value_usd: float
    fee_usd: float
    ts_ns: int


class Fills(_Model):
    """The last executions, the newest first."""

    mode: Mode
    fills: tuple[FillSeen, ...]
