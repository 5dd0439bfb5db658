"""What is refused before it is tested, and whether the quick look finds what was planted and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from harness.check import check
from harness.drafters.offline.drafter import OfflineDrafter
from harness.drafters.port import Candidate
from harness.novelty.known import Known, known
from harness.screen import forward_returns, screen
from modules.panel import Panel
from modules.signal import parse, signal_digest
from modules.signal.operators import Kind, Operator, registered
from modules.signal.units import of
from tests.harness.planted import reversal_panel

PANEL = reversal_panel()


def candidate(expr: str) -> Candidate:
    return Candidate(expr=expr, skill="s", recipe="r", why=(), digest=signal_digest(parse(expr)))


def other(expr: str) -> Known:
    found = known("feature/other", expr)
    assert found is not None
    return found


REFUSED = [
    ("field that is not there", "rank(-volume)", "volume"),
    ("same for all symbols", "month + 0 * returns(close, 1)", "cannot rank"),
    ("window longer than the data", "rank(ts_mean(close, 1190))", "1189 bars"),
    ("price level", "rank(-close)", "level of prices"),
    ("price difference", "rank(-(close - ts_mean(close, 20)))", "level of prices"),
    ("sectors that nobody gave", "neutralize(returns(close, 5), sector)", "give symbols a sector in the instruments"),
    ("mostly missing", "where(month == 1, returns(close, 5), close / (close - close))", "has a value in"),
]


@pytest.mark.parametrize(("expr", "message"), [(e, m) for _, e, m in REFUSED], ids=[n for n, _, _ in REFUSED])
def test_refuses(expr: str, message: str) -> None:
    verdict = check(candidate(expr), PANEL, (), seed=0)
    assert not verdict.passed
    assert message in verdict.reason


def test_passes_and_shows_the_nearest() -> None:
    verdict = check(candidate("rank(-returns(close, 5))"), PANEL, [other("rank(-returns(close, 21))")], seed=0)
    assert verdict.passed, verdict.reason
    assert verdict.nearest is not None and verdict.nearest.originality >= 0.7 and "feature/other" in verdict.reason


def test_a_signal_within_sectors_passes_where_the_data_have_them() -> None:
    panel = PANEL.with_fields(sector=np.tile(np.arange(10.0) % 3, (PANEL.shape[0], 1)))
    expr = "neutralize(rank(-returns(close, 5)), sector)"
    verdict = check(candidate(expr), panel, (), seed=0)
    assert verdict.passed, verdict.reason
    found = screen(expr, panel)
    assert found.coverage == 1.0 and found.t is not None and found.t > 3


def test_refuses_what_exists() -> None:
    verdict = check(candidate("rank(-returns(close, 5))"), PANEL, [other("rank(-returns(close, 5))")], seed=0)
    assert not verdict.passed
    assert "feature/other" in verdict.reason and "1.00" in verdict.reason


def test_catches_a_look_ahead() -> None:
    row = Operator("peek", Kind.CROSS, ("x",), "the future, for this test", "none.peek", of("x"))
    hits: list[int] = []

    def kernel(*args: np.ndarray) -> None:
        *_, x, out = args
        hits.append(x.shape[0])
        out[:] = x - x[-1:] + np.arange(x.shape[1])

    with registered(row, kernel):
        verdict = check(candidate("peek(close)"), PANEL, (), seed=0)
    assert hits
    assert not verdict.passed and "future" in verdict.reason


def test_hand_written_text_is_no_known_signal() -> None:
    assert known("feature/x", "not a signal(") is None


def test_forward_returns_are_from_fill_to_fill() -> None:
    """Asked for at bar t: at t's close where there is no open, else from the open of t + 1 to that of t + 2."""
    close = np.array([[1.0], [2.0], [3.0], [6.0]])
    panel = Panel(np.arange(4, dtype=np.int64), ("A",), {"close": close})
    assert forward_returns(panel)[:, 0].tolist()[:2] == [1.0, 0.5]
    assert np.isnan(forward_returns(panel)[2:]).all()
    opened = panel.with_fields(open=np.array([[9.0], [2.0], [8.0], [4.0]]))
    assert forward_returns(opened)[:, 0].tolist()[:2] == [3.0, -0.5]
    halted = opened.with_fields(volume=np.array([[5.0], [5.0], [0.0], [5.0]]))
    assert np.isnan(forward_returns(halted)).all()


def test_planted_reversal_is_found_with_the_sign_of_the_words() -> None:
    drafted = OfflineDrafter.of_checkout().draft(
        "Stocks that fell the most last week rebound", fields=frozenset({"close"}), others=(), k=1, seed=0
    )
    found = screen(drafted.candidates[0].expr, PANEL)
    assert found.ic is not None and found.t is not None and found.p_value is not None
    assert found.ic > 0.05 and found.t > 5 and found.p_value < 1e-4
    assert found.long_short_year is not None and found.long_short_year > 0
    drafted = OfflineDrafter.of_checkout().draft(
        "Stocks that fell the most last week keep falling", fields=frozenset({"close"}), others=(), k=1, seed=0
    )
    against = screen(drafted.candidates[0].expr, PANEL)
    assert against.ic == pytest.approx(-found.ic)
    assert against.p_value is not None and against.p_value > 0.999


def test_p_values_of_pure_noise_are_uniform() -> None:
    p = [screen("rank(-returns(close, 5))", reversal_panel(900, 6, 0.0, seed)).p_value for seed in range(60)]
    values = np.array([v for v in p if v is not None])
    assert values.size == 60
    assert 0.3 < values.mean() < 0.7
    assert np.count_nonzero(values < 0.05) <= 9


def test_too_little_data_gives_no_t() -> None:
    found = screen("rank(-returns(close, 5))", reversal_panel(200))
    assert found.t is None and found.p_value is None and found.score == float("-inf")
