"""Plug-ins that read traces: one file a miner. A new miner is a class here and a line in `MINERS`."""

from __future__ import annotations

from supervisor.finding import Miner
from supervisor.miners.alike_drafts import AlikeDrafts
from supervisor.miners.cost_share import CostShare
from supervisor.miners.false_alarms import FalseAlarms
from supervisor.miners.repeated_work import RepeatedWork
from supervisor.miners.risk_cuts import RiskCuts
from supervisor.miners.turnover_decay import TurnoverDecay

MINERS: tuple[Miner, ...] = (
    CostShare(),
    TurnoverDecay(),
    RiskCuts(),
    FalseAlarms(),
    AlikeDrafts(),
    RepeatedWork(),
)
"""Every miner, in the order in which findings are shown and, at equal size, pursued."""
