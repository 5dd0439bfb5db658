"""Limits: constants that nothing loosens, and `limits.yaml` beside this file, which may only tighten them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from modules.engine.limits import (
    HARD_MAX_DAILY_LOSS,
    HARD_MAX_INSTRUMENT_NAV,
    HARD_MAX_SECTOR_NAV,
    HARD_MAX_TRADE_RISK,
)
from modules.live.refused import refused

HARD_MAX_DRAWDOWN: Final = 0.05
HARD_MAX_ORDER_NAV: Final = 0.05
HARD_MAX_ORDER_LOTS: Final = 10_000_000
HARD_COLLAR: Final = 0.10
HARD_MAX_LEVERAGE: Final = 2.0
HARD_MAX_NET_NAV: Final = 1.0
HARD_MAX_BETA_NAV: Final = 1.0
HARD_MAX_CONCENTRATION: Final = 0.05
HARD_MAX_PARTICIPATION: Final = 0.10
HARD_MESSAGES_A_SECOND: Final = 1_000
HARD_REPEATS_A_MINUTE: Final = 120
HARD_STALE_MS: Final = 60_000
HARD_DEADLINE_MS: Final = 1_000
HARD_MAX_CAPITAL_USD: Final = 5_000_000_000.0

FILE = Path(__file__).parent / "limits.yaml"

_HARD: Final[dict[str, tuple[str, float]]] = {
    "max_instrument_nav": ("HARD_MAX_INSTRUMENT_NAV", HARD_MAX_INSTRUMENT_NAV),
    "max_sector_nav": ("HARD_MAX_SECTOR_NAV", HARD_MAX_SECTOR_NAV),
    "max_daily_loss": ("HARD_MAX_DAILY_LOSS", HARD_MAX_DAILY_LOSS),
    "max_trade_risk": ("HARD_MAX_TRADE_RISK", HARD_MAX_TRADE_RISK),
    "max_drawdown": ("HARD_MAX_DRAWDOWN", HARD_MAX_DRAWDOWN),
    "max_order_nav": ("HARD_MAX_ORDER_NAV", HARD_MAX_ORDER_NAV),
    "max_order_lots": ("HARD_MAX_ORDER_LOTS", HARD_MAX_ORDER_LOTS),
    "collar": ("HARD_COLLAR", HARD_COLLAR),
    "max_leverage": ("HARD_MAX_LEVERAGE", HARD_MAX_LEVERAGE),
    "max_net_nav": ("HARD_MAX_NET_NAV", HARD_MAX_NET_NAV),
    "max_beta_nav": ("HARD_MAX_BETA_NAV", HARD_MAX_BETA_NAV),
    "max_concentration": ("HARD_MAX_CONCENTRATION", HARD_MAX_CONCENTRATION),
    "max_participation": ("HARD_MAX_PARTICIPATION", HARD_MAX_PARTICIPATION),
    "messages_a_second": ("HARD_MESSAGES_A_SECOND", HARD_MESSAGES_A_SECOND),
    "repeats_a_minute": ("HARD_REPEATS_A_MINUTE", HARD_REPEATS_A_MINUTE),
    "stale_ms": ("HARD_STALE_MS", HARD_STALE_MS),
    "deadline_ms": ("HARD_DEADLINE_MS", HARD_DEADLINE_MS),
    "max_gross_usd": ("HARD_MAX_CAPITAL_USD", HARD_MAX_CAPITAL_USD),
    "total_capital_usd": ("HARD_MAX_CAPITAL_USD", HARD_MAX_CAPITAL_USD),
}
OrderType = Literal["market", "limit", "stop", "stop_limit"]
TimeInForce = Literal["day", "gtc", "ioc", "fok"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_/]{0,63}$")]


class LimitsError(ValueError):
    """Limits that are refused at load; names field, value, constant and remedy."""


class LiveLimits(BaseModel):
    """Limits in force. Fractions are of NAV unless the name says otherwise; none is looser than its constant."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    max_instrument_nav: float = Field(default=HARD_MAX_INSTRUMENT_NAV, gt=0.0)
    max_sector_nav: float = Field(default=HARD_MAX_SECTOR_NAV, gt=0.0)
    max_daily_loss: float = Field(default=HARD_MAX_DAILY_LOSS, gt=0.0)
    max_trade_risk: float = Field(default=HARD_MAX_TRADE_RISK, gt=0.0)
    max_drawdown: float = Field(default=HARD_MAX_DRAWDOWN, gt=0.0, description="from the day's highest NAV")
    max_order_nav: float = Field(default=HARD_MAX_ORDER_NAV, gt=0.0)
    max_order_lots: int = Field(default=1_000_000, ge=1)
    collar: float = Field(default=0.03, gt=0.0, description="distance of a limit price from the reference price")
    max_gross_usd: float = Field(default=100_000_000.0, gt=0.0)
    max_leverage: float = Field(default=1.5, gt=0.0, description="gross over NAV")
    max_net_nav: float = Field(default=HARD_MAX_NET_NAV, gt=0.0)
    max_beta_nav: float = Field(default=0.5, gt=0.0, description="beta-weighted net over NAV, either way")
    max_concentration: float = Field(default=HARD_MAX_CONCENTRATION, gt=0.0, description="sum of squared weights")
    max_participation: float = Field(default=0.05, gt=0.0, description="of the average daily volume, an order")
    total_capital_usd: float = Field(default=10_000_000.0, gt=0.0, description="gross of all strategies")
    messages_a_second: int = Field(default=100, ge=1)
    repeats_a_minute: int = Field(default=30, ge=1, description="orders in one instrument on one side")
    stale_ms: int = Field(default=5_000, ge=1, description="age of the reference price")
    deadline_ms: int = Field(default=100, ge=1, description="within which whoever asks must have an answer")
    order_types: frozenset[OrderType] = frozenset({"limit", "market"})
    times_in_force: frozenset[TimeInForce] = frozenset({"day", "ioc"})
    venues: frozenset[Name] = frozenset({"sim", "paper"})
    strategies: dict[Name, Annotated[float, Field(gt=0.0)]] = Field(
        default_factory=dict, description="capital in USD of each strategy that may trade"
    )
    restricted: frozenset[str] = Field(default=frozenset(), description="instruments in which nothing may be opened")

    @model_validator(mode="before")
    @classmethod
    def _only_tighter(cls, values: object) -> object:
        if isinstance(values, dict):
            for name, value in values.items():
                constant, hard = _HARD.get(str(name), ("", 0.0))
                if constant and (isinstance(value, str) or (isinstance(value, int | float) and not value <= hard)):
                    raise ValueError(
                        f"{name} = {value} is looser than the hard limit {constant} = {hard:g}; limits.yaml may only "
                        "tighten it: give a smaller value"
                    )
        return values

    @model_validator(mode="after")
    def _could_fire(self) -> LiveLimits:
        """A set in which nothing is allowed, or a strategy that may hold more than all together, says nothing."""
        for name in ("order_types", "times_in_force", "venues"):
            if not getattr(self, name):
                raise ValueError(f"{name} is empty, so no order could ever pass; name at least one")
        for name, capital in self.strategies.items():
            if capital > self.total_capital_usd:
                raise ValueError(
                    f"strategies.{name} = {capital:g} is above total_capital_usd = {self.total_capital_usd:g}, so it "
                    "could never bind; give a smaller value"
                )
        return self


def load_limits(path: Path = FILE) -> LiveLimits:
    """The limits of a file. Raises LimitsError naming field, value, constant and remedy."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LimitsError(
            f"limits {path.name} cannot be read: {error.strerror}; the risk core does not start"
        ) from error
    except yaml.YAMLError as error:
        raise LimitsError(f"limits {path.name} is not YAML: {error}") from error
    if not isinstance(values, dict):
        raise LimitsError(f"limits {path.name} holds {type(values).__name__}; write one name and value a line")
    try:
        return LiveLimits.model_validate(values)
    except ValidationError as error:
        raise LimitsError(f"limits {path.name}: {refused(error, 'limits')}") from error
