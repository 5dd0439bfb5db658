"""The gates of promotion as data: what a strategy must show before it goes from research to paper, micro and scale.

A gate is the `promotion:` section of `pipeline.yaml`. Bounds are part of the type: a gate can be made stricter as far
as one likes, and looser only as far as it still is one. A figure that nobody measured never passes.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from modules.canonical import digest_json

Level = Literal["research", "paper", "micro", "scale"]
Target = Literal["paper", "micro", "scale"]
LEVELS: tuple[Level, ...] = ("research", "paper", "micro", "scale")

Sharpe = Annotated[float, Field(ge=0.0, le=5.0)]
Drawdown = Annotated[float, Field(gt=0.0, le=0.5)]
Probability = Annotated[float, Field(ge=0.5, lt=1.0)]
Share = Annotated[float, Field(gt=0.0, le=1.0)]
Days = Annotated[int, Field(ge=20, le=2_000)]
ShortfallBps = Annotated[float, Field(gt=0.0, le=100.0)]


class Gate(BaseModel):
    """Base of the gates: `min_` figures must be at least the value, `max_` figures below it (p, shares: at most)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PaperGate(Gate):
    """research -> paper. Sharpe ratios are net and annual; drawdowns are fractions of the peak.

    Of out-of-sample history: `min_windows` windows of the walk-forward with a Sharpe of `min_window_sharpe`; a
    permutation p-value (the greater of blocks and phases); the worst drawdown; the Sharpe at three times cost; the
    deflated Sharpe ratio over all trials in the ledger; the probability of backtest overfitting.
    Of the lockbox: its Sharpe; the probability that it is above what the luckiest of all looks shows; its drawdown; the
    share of it that lay open elsewhere before.
    """

    min_windows: int = Field(default=3, ge=3, le=100)
    min_window_sharpe: Sharpe = 0.0
    max_permutation_p: float = Field(default=0.05, gt=0.0, le=0.1)
    max_drawdown: Drawdown = 0.2
    min_sharpe_at_three_times_cost: Sharpe = 0.0
    min_deflated_sharpe: Probability = 0.95
    max_overfitting: float = Field(default=0.2, gt=0.0, le=0.5)
    min_lockbox_sharpe: Sharpe = 0.3
    min_lockbox_probability: Probability = 0.8
    max_lockbox_drawdown: Drawdown = 0.2
    max_lockbox_exposed_share: float = Field(default=0.1, ge=0.0, le=1.0)


class MicroGate(Gate):
    """paper -> micro: what paper trading must show, against what research promised."""

    min_days: Days = 60
    min_sharpe_share_of_research: Share = 0.5
    max_shortfall_bps: ShortfallBps = 30.0
    max_drawdown: Drawdown = 0.2


class ScaleGate(Gate):
    """micro -> scale: what trading with little money must show, against paper."""

    min_days: Days = 60
    min_sharpe_share_of_paper: Share = 0.6
    max_shortfall_bps: ShortfallBps = 30.0
    max_drawdown: Drawdown = 0.2


class StagedCapital(Gate):
    """How much real money an account may hold at each level; a strategy begins small."""

    micro_usd: float = Field(default=10_000.0, gt=0.0, le=100_000.0)
    scale_usd: float = Field(default=1_000_000.0, gt=0.0, le=100_000_000.0)

    def of(self, level: Level) -> float | None:
        """The most at a level; None below micro, where no real money is traded."""
        return {"micro": self.micro_usd, "scale": self.scale_usd}.get(level)


class PromotionSpec(BaseModel):
    """`promotion:` of `pipeline.yaml`: a gate before each level, and the money that is let at it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    paper: PaperGate = PaperGate()
    micro: MicroGate = MicroGate()
    scale: ScaleGate = ScaleGate()
    staged: StagedCapital = StagedCapital()

    def gate(self, to: Target) -> Gate:
        """The gate before a level."""
        gate: Gate = getattr(self, to)
        return gate

    def digest(self, to: Target) -> str:
        """Identity of the gate before a level."""
        return digest_json({"to": to, "gate": self.gate(to).model_dump(mode="json")})


def before(to: Target) -> Level:
    """The level that a promotion starts from."""
    return LEVELS[LEVELS.index(to) - 1]
