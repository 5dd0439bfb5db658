"""Faults planted in the risk core, one at a time: its tests notice each, and nothing where nothing is changed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import CHECKOUT

MUTANTS = [
    ("kernel", "if ints[0, at.KILLED] != 0:", "if ints[0, at.KILLED] > 1:"),
    ("kernel", "float(ints[0, at.LEAST_NAV]) / float(first)", "float(ints[0, at.NAV]) / float(first)"),
    ("kernel", "if ints[1, at.ORDER_MODE] != ints[0, at.MODE]:", "if ints[1, at.ORDER_MODE] > ints[0, at.MODE] + 1:"),
    ("kernel", "if ints[1, at.BUILD_OK] != 1:", "if ints[1, at.BUILD_OK] > 1:"),
    ("kernel", "if left >= 0 and abs(asked) > left:", "if left >= 0 and asked > left + 1:"),
    ("kernel", "return not (age <= limits[at.L_STALE_NS] and", "return not (age <= 2.0 * limits[at.L_STALE_NS] and"),
    ("kernel", "if _base(ints, row) * asked >= 0 and _is_stale(", "if _base(ints, row) * asked > 0 and _is_stale("),
    ("kernel", "_REDUCE, _STALE, side * closing,", "_REDUCE, _STALE, side * size,"),
    ("kernel", "away = abs(price / reference - 1.0)", "away = price / reference - 1.0"),
    ("kernel", "floats[row, at.OWN_ASK] if asked > 0 else", "floats[row, at.OWN_BID] if asked > 0 else"),
    ("kernel", "price >= own if asked > 0", "price > own if asked > 0"),
    ("kernel", "ints[row, at.OPEN_BUY] if ints[1, at.ASKED] > 0 else", "0 if ints[1, at.ASKED] > 0 else"),
    ("kernel", "price = max(price, floats[1, at.LIMIT_PRICE])", "price = min(price, floats[1, at.LIMIT_PRICE])"),
    ("kernel", "if float(size) > limits[at.L_ORDER_LOTS]:", "if float(size) > 1.0 + limits[at.L_ORDER_LOTS]:"),
    ("kernel", "due = ints[row, at.BUY_TAT] if asked > 0 else", "due = ints[row, at.SELL_TAT] if asked > 0 else"),
    ("sizing", "& (after <= most)", "& (after <= most + 1)"),
    ("sizing", "& (squares < limits", "& (0.0 * squares < limits"),
    ("sizing", "& (own < strategy_room", "& (0.0 * own < strategy_room"),
    (
        "sizing",
        "in_sector = ints[ints[row, at.SECTOR] + at.FIRST, at.SECTOR_GROSS] - worth",
        "in_sector = -worth + worth",
    ),
    ("sizing", "can = ints[row, at.LOCATED] - held", "can = ints[row, at.LOCATED]"),
    (
        "sizing",
        "can = largest_lots(limits[at.L_LEVERAGE] * nav - others",
        "can = largest_lots(limits[at.L_LEVERAGE] * nav",
    ),
    ("sizing", "- tilt) / abs(beta), lot_size, price) - closing", "- tilt), lot_size, price) - closing"),
    ("sizing", "* float(ints[row, at.ADV]))) - closing", "* float(ints[row, at.ADV])))"),
    ("sizing", "lot_size, price) - own - closing", "lot_size, price) - closing"),
    ("sizing", "total = closing + max(0, most)", "total = closing + max(1, most)"),
    ("sums", "worth = max(abs(long), abs(short))", "worth = abs(long)"),
    ("sums", "up, down = max(one, other), min(one, other)", "up, down = one, other"),
    ("sums", "ints[0, at.NAV] += held - ints[row, at.VALUE]", "ints[0, at.NAV] += held"),
    ("sums", "max(ints[0, at.PEAK_NAV], nav)", "max(ints[0, at.DAY_NAV], nav)"),
    ("sums", "max(ints[0, at.MESSAGE_TAT], now) + int", "now + int"),
]


def _noticed(*mutation: str) -> bool:
    command = [sys.executable, "-m", "tests.modules.live.risk.mutate", *mutation]
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in (0, 1) and "Traceback" not in done.stderr, done.stderr
    return done.returncode == 1


@pytest.mark.slow
def test_nothing_changed_is_not_noticed() -> None:
    assert not _noticed()


def _rows() -> list[object]:
    """One in seven on every change, all of them in the soak."""
    marks = [pytest.mark.slow if i % 7 == 0 else pytest.mark.soak for i in range(len(MUTANTS))]
    return [pytest.param(m, marks=mark, id=f"{m[0]}: {m[1][:50]}") for m, mark in zip(MUTANTS, marks, strict=True)]


@pytest.mark.parametrize("mutation", _rows())
def test_a_fault_is_noticed(mutation: tuple[str, str, str]) -> None:
    assert _noticed(*mutation)
