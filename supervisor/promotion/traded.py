"""Figures of live trading for the gates before micro and scale, from the tapes of the level before.

What was not measured is none. Days played from recorded data say nothing that research did not know, and do not count.
"""

from __future__ import annotations

import math

from modules.live.runner.days import Day, days, figures
from modules.live.runner.tape import TapeError
from modules.promotion import Level, Target, before
from modules.workspace import Workspace
from supervisor.promotion.criteria import LIVE, Finding


def live_findings(workspace: Workspace, strategy: str, net_sharpe: float, to: Target) -> dict[str, Finding]:
    """Each criterion with its figure where the level before was traded; without one it is no pass.

    net_sharpe: what research promised, NaN = nothing.
    """
    level = before(to)
    names = (*LIVE, "max_drawdown")
    try:
        mine, found = _days(workspace, strategy, level)
    except TapeError as error:
        return {name: Finding(figure=None, words=f"the tapes cannot be read: {error}") for name in names}
    if not found:
        return {name: Finding(figure=None, words=f"no {level} trading is recorded") for name in names}
    said = f"{len(found)} days of {level}, account {mine}"
    made = figures(found)
    promised = net_sharpe if level == "paper" else figures(_days(workspace, strategy, "paper")[1]).sharpe
    share = made.sharpe / promised if promised > 0.0 else math.nan
    return {
        "min_days": _finding(float(sum(d.failed == 0 for d in found)), said),
        "min_sharpe_share_of_research": _finding(share, f"Sharpe {made.sharpe:.2f} of {promised:.2f}; {said}"),
        "min_sharpe_share_of_paper": _finding(share, f"Sharpe {made.sharpe:.2f} of {promised:.2f}; {said}"),
        "max_shortfall_bps": _finding(made.shortfall_bps, f"against the close of the decision, fees included; {said}"),
        "max_drawdown": _finding(made.max_drawdown, said),
    }


def _days(workspace: Workspace, strategy: str, level: Level) -> tuple[str, list[Day]]:
    """The account with the most days of a strategy at a level, and they."""
    best: tuple[str, list[Day]] = ("", [])
    for folder in sorted((workspace.home / "live").glob("*/tape")):
        found = [d for d in days(folder, f"s{strategy[:12]}", level) if d.began.clock == "wall"]
        if len(found) > len(best[1]):
            best = (folder.parent.name, found)
    return best


def _finding(figure: float, words: str) -> Finding:
    return Finding(figure=figure if math.isfinite(figure) else None, words=words)
