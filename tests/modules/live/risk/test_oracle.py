"""The risk core against an oracle that shares no code with it, over random days.

1. Whatever is refused whole is refused by the rule that comes first.
2. No answer breaches a limit, and one lot more than a reduced order would.
3. What only reduces a position passes whole.
4. At least 30 in 100 orders are accepted: a generator whose orders are refused at the door tests the door.
5. The account's sums, moved by differences, are those summed anew.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.modules.live.risk.steps import day

STEPS = 500


def _accepted(said: Counter[str]) -> float:
    asked = sum(said[a] for a in ("APPROVE", "REDUCE", "REJECT", "FLATTEN"))
    return (said["APPROVE"] + said["REDUCE"]) / asked


def _days(seeds: range) -> Counter[str]:
    return sum((day(seed, STEPS) for seed in seeds), Counter[str]())


def test_a_few_random_days() -> None:
    said = _days(range(6))
    assert _accepted(said) >= 0.3, said


@pytest.mark.slow
def test_thirty_thousand_steps() -> None:
    said = _days(range(1_000, 1_060))
    assert _accepted(said) >= 0.3, said
    seldom = {"MARKET_STATE", "INSTRUMENT_NAV", "SECTOR_NAV", "TRADE_RISK", "SIGMA_UNKNOWN", "LONG_LOTS", "SHORT_LOTS"}
    seldom |= {"LOCATE", "GROSS", "LEVERAGE", "NET", "BETA", "CONCENTRATION", "PARTICIPATION", "STRATEGY_CAPITAL"}
    seldom |= {"FLATTEN", "COLLAR", "DUPLICATE"}
    assert not {name for name in seldom if not said[name]}, said


@pytest.mark.soak
def test_ten_million_steps() -> None:
    shares = [range(10_000 + 50 * i, 10_050 + 50 * i) for i in range(10_000_000 // (50 * STEPS))]
    with ProcessPoolExecutor(2) as pool:
        said = sum(pool.map(_days, shares), Counter[str]())
    print(f"\n{dict(said)}")
    assert _accepted(said) >= 0.3
