"""Every limit of a validation, by name, with where it comes from. Nothing else in this package holds a threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from harness.validation.report import Check, Verdict


@dataclass(frozen=True)
class Limit:
    """A figure passes if it is `at least` (or `at most`) the value; None = a figure that is only shown."""

    name: str
    side: Literal["at least", "at most"]
    value: float | None
    source: str


_HOUSE = "rule of this house"
_LIMITS: Final = (
    Limit("probabilistic_sharpe", "at least", 0.95, "Bailey and Lopez de Prado 2012, 95 % confidence"),
    Limit("deflated_sharpe", "at least", 0.95, "Bailey and Lopez de Prado 2014, 95 % confidence"),
    Limit("track_record_bars", "at least", None, "Bailey and Lopez de Prado 2012: the minimum length at 95 %"),
    Limit("walk_forward_expanding", "at least", 3.0, "promotion: three out-of-sample windows above a Sharpe of 0"),
    Limit("walk_forward_rolling", "at least", 3.0, "promotion: three out-of-sample windows above a Sharpe of 0"),
    Limit(
        "purged_k_fold", "at least", 0.0, "Lopez de Prado 2018, chapter 7: what was chosen earns on what it never saw"
    ),
    Limit("combinatorial_paths", "at most", 0.05, "Lopez de Prado 2018, chapter 12: share of paths that lose"),
    Limit(
        "block_permutation", "at most", 0.05, "Politis and Romano 1994; p = (r + 1) / (n + 1), Phipson and Smyth 2010"
    ),
    Limit(
        "phase_permutation", "at most", 0.05, "Theiler et al. 1992; Prichard and Theiler 1994; p = (r + 1) / (n + 1)"
    ),
    Limit("backtest_overfitting", "at most", 0.05, "Bailey, Borwein, Lopez de Prado and Zhu 2017"),
    Limit(
        "probability_of_loss", "at most", 0.05, "Bailey, Borwein, Lopez de Prado and Zhu 2017, performance degradation"
    ),
    Limit("superior_ability", "at most", 0.05, "Hansen 2005, consistent p-value"),
    Limit("stepwise_superior", "at least", 1.0, "Romano and Wolf 2005 at 5 %: 1 = this run is among the superior"),
    Limit("cost_stress", "at least", 0.0, "promotion: still earns at three times cost"),
    Limit(
        "one_bar_lag", "at least", 0.5, f"{_HOUSE}: half of it must survive a bar; what does not was hardly tradable"
    ),
    Limit("sub_periods", "at least", 0.6, f"{_HOUSE}: three of five equal periods earn"),
    Limit("regimes", "at least", 0.6, f"{_HOUSE}: three of five regimes earn"),
    Limit("capacity", "at least", None, "Almgren et al. 2005, square-root impact at ten times the capital"),
    Limit("drawdown_95", "at most", 0.20, "promotion: drawdown below 20 %, in 95 of 100 resampled histories"),
    Limit("loss_probability", "at most", 0.05, "Politis and Romano 1994: share of resampled histories that lose"),
)
LIMITS: Final = {limit.name: limit for limit in _LIMITS}

MINIMUM_BARS: Final = 252
"""Below a year of days, a Sharpe ratio's error is larger than any Sharpe ratio worth having (Lo 2002)."""
MINIMUM_WINDOW_BARS: Final = 63
MINIMUM_WINDOWS: Final = 3
MINIMUM_FAMILY: Final = 2
MINIMUM_FILLS: Final = 30
INTERVAL: Final = 0.99
"""Of the Sharpe ratio, two-sided: wider than usual because many look."""


def judge(name: str, figure: float, words: str) -> Check:
    """The check of that name with its figure. Raises KeyError for a name without a limit."""
    limit = LIMITS[name]
    if limit.value is None:
        verdict = Verdict.SHOWN
    elif figure != figure:
        verdict = Verdict.TOO_LITTLE_EVIDENCE
    else:
        holds = figure >= limit.value if limit.side == "at least" else figure <= limit.value
        verdict = Verdict.PASSED if holds else Verdict.FAILED
    return Check(
        name=name, figure=figure, side=limit.side, limit=limit.value, verdict=verdict, words=words, source=limit.source
    )


def lacking(name: str, words: str) -> Check:
    """The check of that name, which could not be made: `words` say what there was and what it takes."""
    limit = LIMITS[name]
    return Check(
        name=name,
        figure=None,
        side=limit.side,
        limit=limit.value,
        verdict=Verdict.TOO_LITTLE_EVIDENCE,
        words=words,
        source=limit.source,
    )
