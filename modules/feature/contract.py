"""What feature modules share of their contracts."""

from __future__ import annotations

from dataclasses import dataclass

from modules.contract import Bars, Contract, Guard, Instruments, ModuleOutputs, Signal
from modules.groups import with_groups
from modules.panel import Panel


def feature_contract(name: str, summary: str) -> Contract:
    """The contract of a feature module: judged by what its signal earns after costs."""
    return Contract(
        stage="feature",
        name=name,
        summary=summary,
        objective="net_sharpe",
        objective_series="nav.net_return",
        guards=(
            Guard("max_drawdown", "lower", 0.02),
            Guard("turnover", "lower", 5.0),
            Guard("seconds", "lower", 5.0),
        ),
    )


@dataclass(frozen=True)
class Inputs:
    """What the module reads: bars, and what each symbol is."""

    bars: Bars
    instruments: Instruments

    @property
    def panel(self) -> Panel:
        """What a signal can name: the fields of the bars, and the groups that the instruments sort symbols into."""
        return with_groups(self.bars, self.instruments)


@dataclass(frozen=True, kw_only=True)
class Outputs(ModuleOutputs):
    """The signal on the rows and symbols of the bars; NaN = no opinion."""

    signal: Signal
