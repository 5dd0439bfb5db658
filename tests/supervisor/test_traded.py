"""What live trading showed, as the gates before micro and scale read it: from tapes, measured, or no evidence."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Literal

import pytest

from modules.live.messages import Filled, Marked
from modules.live.runner.account import AccountState
from modules.live.runner.tape import TapeWriter
from modules.live.runner.taped import Began, Decided, Ordered
from modules.promotion import PromotionSpec
from modules.workspace import Workspace
from supervisor.promotion.criteria import Answer, evaluate
from supervisor.promotion.traded import live_findings

STRATEGY = "a" * 64
NAVS = (100.0, 101.0, 100.5, 102.0, 101.8, 103.0)


def record(
    home: Path, level: str, clock: Literal["wall", "venue"], account: str = "t1", strategy: str = f"s{STRATEGY[:12]}"
) -> None:
    """Five days; on each one order, filled 0.1 % above the close of its decision, for a fee of 5 bps."""
    folder = home / "live" / account / "tape"
    for day, (before, after) in enumerate(itertools.pairwise(NAVS)):
        first, last = round(before * 1e6), round(after * 1e6)
        state = AccountState(first, first, first, 0.0, {}, {}, {}, None)
        with TapeWriter(folder / f"2024-01-0{day + 1}.tape") as tape:
            tape.message(
                Began("t1", "paper", "sim", strategy, "b", ("A",), None, 0, 0, {}, state, level=level, clock=clock)
            )
            tape.message(Marked("A", 10.0, day))
            tape.message(Decided(day, first, first, (), (), (Ordered(f"c{day}", "A", 100),)))
            for _ in range(2):  # told again after a restart
                tape.message(Filled(f"c{day}", f"x{day}", "A", 80, 10.01, 800_800_000, 400_400, day))
            tape.message(Decided(day + 1, last, last, (), (), ()))


def figures(home: Path, to: Literal["micro", "scale"]) -> dict[str, float | None]:
    found = live_findings(Workspace(root=home, home=home), STRATEGY, 4.0, to)
    answers = {c.answer for c in evaluate(PromotionSpec().gate(to), found, frozenset({"live"}))}
    assert Answer.NOT_ASKED not in answers
    return {name: finding.figure for name, finding in found.items()}


def test_what_was_traded_is_measured(tmp_path: Path) -> None:
    record(tmp_path, "paper", "wall")
    found = figures(tmp_path, "micro")
    assert found["min_days"] == 5.0
    assert found["max_shortfall_bps"] == pytest.approx(1e4 * (0.01 / 10.01) + 5.0, rel=1e-9)
    assert found["max_drawdown"] == pytest.approx(0.5 / 101.0, rel=1e-9)
    returns = [b / a - 1.0 for a, b in itertools.pairwise(NAVS)]
    mean = sum(returns) / 5
    spread = (sum((r - mean) ** 2 for r in returns) / 4) ** 0.5
    assert found["min_sharpe_share_of_research"] == pytest.approx(mean / spread * 252**0.5 / 4.0, rel=1e-9)


@pytest.mark.parametrize(
    ("level", "clock", "strategy"),
    [("paper", "venue", "s" + "a" * 12), ("micro", "wall", "s" + "a" * 12), ("paper", "wall", "s" + "b" * 12)],
)
def test_recorded_days_other_levels_and_other_strategies_are_no_evidence(
    tmp_path: Path, level: str, clock: Literal["wall", "venue"], strategy: str
) -> None:
    record(tmp_path, level, clock, strategy=strategy)
    assert set(figures(tmp_path, "micro").values()) == {None}


def test_scale_is_measured_against_paper(tmp_path: Path) -> None:
    record(tmp_path, "paper", "wall", account="p")
    record(tmp_path, "micro", "wall", account="m")
    assert figures(tmp_path, "scale")["min_sharpe_share_of_paper"] == pytest.approx(1.0)


def test_a_tape_that_cannot_be_read_is_no_evidence(tmp_path: Path) -> None:
    record(tmp_path, "paper", "wall")
    (tmp_path / "live" / "t1" / "tape" / "2024-01-03.tape").write_bytes(b"CWSTAPE1" + b"x" * 50)
    assert set(figures(tmp_path, "micro").values()) == {None}
