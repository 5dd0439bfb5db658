"""Guards: those that could never fire are refused at load; the rest read as written."""

from __future__ import annotations

import pytest

from ablations.guards import GuardError, make_rule, read, rules_of
from modules.contract import Guard
from modules.registry import list_modules, load_module

INF, NAN = float("inf"), float("nan")


@pytest.mark.parametrize(
    ("metric", "better", "tolerance", "over"),
    [
        ("max_drawdown", "lower", 1.0, "mean"),
        ("max_drawdown", "lower", 5.0, "worst"),
        ("coverage", "higher", 1.0, "mean"),
        ("turnover", "lower", INF, "mean"),
        ("turnover", "lower", NAN, "mean"),
        ("turnover", "lower", -0.1, "mean"),
        ("turnover", "lower", 1e6, "mean"),
        ("turnover", "higher", 1.0, "ratio"),
        ("net_sharpe", "up", 0.1, "mean"),
        ("net_sharpe", "higher", 0.1, "median"),
    ],
)
def test_guards_that_could_never_fire_are_refused(metric: str, better: str, tolerance: float, over: str) -> None:
    with pytest.raises(GuardError, match=metric):
        make_rule(metric, better, tolerance, over)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("better", "over", "before", "after", "loss"),
    [
        ("lower", "mean", [0.1, 0.3], [0.2, 0.3], 0.05),
        ("higher", "mean", [0.1, 0.3], [0.2, 0.3], -0.05),
        ("higher", "worst", [1.0, 1.0, 1.0], [1.5, 0.6, 0.9], 0.4),
        ("lower", "worst", [1.0, 1.0], [1.5, 0.6], 0.5),
        ("higher", "ratio", [2.0, 2.0], [1.0, 1.0], 0.5),
        ("lower", "ratio", [2.0, 2.0], [3.0, 3.0], 0.5),
        ("lower", "ratio", [-2.0], [-1.0], 0.5),
        ("lower", "ratio", [0.0], [1.0], 1e6),
        ("lower", "mean", [None, 0.2], [9.0, 0.3], 0.1),
    ],
)
def test_readings(better: str, over: str, before: list[float | None], after: list[float | None], loss: float) -> None:
    rule = make_rule("some", better, 0.45, over)  # type: ignore[arg-type]
    found = read(rule, before, after)
    assert found.loss == pytest.approx(loss)
    assert found.holds == (loss <= 0.45)


def test_a_metric_that_nobody_writes_is_an_error_not_a_pass() -> None:
    with pytest.raises(GuardError, match="max_drawdwn"):
        read(make_rule("max_drawdwn", "lower", 0.1), [None, None], [None, None])


def test_guards_of_every_module_can_fire() -> None:
    for stage, name in list_modules():
        rules_of(load_module(stage, name).contract.guards)


def test_a_module_with_a_dead_guard_is_refused() -> None:
    with pytest.raises(GuardError, match="could never fire"):
        rules_of([Guard("max_drawdown", "lower", 2.0)])
