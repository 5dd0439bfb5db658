"""The bits of every operator, as they were when a run was recorded.

A digest that changes here means that recorded runs do not replay: give the operator a new name, or say so in the
release. Operators that call the C library (`log`, `exp`, `pow`) may differ between its versions and are left to the
oracles. To renew: `python -m tests.modules.signal.test_golden`.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from modules.canonical import digest_panel
from modules.panel import Panel
from modules.signal import evaluate, format_signal
from modules.signal.nodes import Call, Field
from modules.signal.operators import Operator, operators
from tests.modules.signal.panels import FIELDS, numbers_for

GOLDEN = Path(__file__).with_name("golden.json")
C_LIBRARY = {"log", "exp", "power", "signed_power", "log_returns", "parkinson"}
PINNED = [o for o in operators() if o.name not in C_LIBRARY]


def _panel() -> Panel:
    """Prices that are multiples of 1/64, from whole random numbers: the same bits on every machine."""
    rng = np.random.default_rng(2022)
    close = rng.integers(2_000, 6_000, (64, 7)) / 64
    fields = {
        "open": close + rng.integers(-32, 33, close.shape) / 64,
        "high": close + rng.integers(0, 65, close.shape) / 64,
        "low": close - rng.integers(0, 65, close.shape) / 64,
        "close": close,
        "volume": rng.integers(0, 50, close.shape) * 100.0,
    }
    for values in fields.values():
        values[rng.integers(0, 64, 6), rng.integers(0, 7, 6)] = np.nan
    fields["sector"] = np.arange(7) % 3 + np.arange(64)[:, None] // 32 * np.array([0.0, 0, 0, 1, 0, 0, 0])
    fields["sector"][::9, 2] = np.nan
    return Panel(np.arange(64) * 86_400_000_000_000, tuple("ABCDEFG"), fields)


def _node(operator: Operator) -> Call:
    rng = np.random.default_rng(list(operator.name.encode()))
    named = [
        i if i in FIELDS else "sector" if i in operator.units.groups else FIELDS[int(rng.integers(0, 5))]
        for i in operator.inputs
    ]
    return Call(operator.name, tuple(Field(n) for n in named), numbers_for(operator, rng))


def _digest(operator: Operator) -> tuple[str, str]:
    node, panel = _node(operator), _panel()
    return format_signal(node), digest_panel(Panel(panel.ts, panel.symbols, {"value": evaluate(node, panel)}))


@pytest.mark.parametrize("operator", PINNED, ids=lambda o: o.name)
def test_bits_are_as_recorded(operator: Operator) -> None:
    text, digest = _digest(operator)
    assert json.loads(GOLDEN.read_text())[text] == digest


def test_nothing_stale_is_recorded() -> None:
    assert set(json.loads(GOLDEN.read_text())) == {format_signal(_node(o)) for o in PINNED}


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(dict(sorted(map(_digest, PINNED))), indent=1) + "\n")
