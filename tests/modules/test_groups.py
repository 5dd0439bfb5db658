"""Group fields: which sector a symbol has at which bar. A row a case, over four bars."""

from __future__ import annotations

import numpy as np
import pytest

from modules.groups import dated_labels, groups_at, with_groups
from modules.panel import Panel
from modules.signal import SignalError, Stream, evaluate, parse
from tests.modules.engine.cases import panel, sectors
from tests.modules.signal.panels import bits

BARS: Panel = panel([[1.0, 2.0, 4.0], [2.0, 2.0, 3.0], [3.0, 2.0, 5.0], [4.0, 1.0, 1.0]])
T = [int(ts) for ts in BARS.ts]
NAN = np.nan
Row = tuple[str, str, int, int | None]

CASES: list[tuple[str, list[Row], list[list[float]]]] = [
    ("in the order of the labels", [("A", "Tech", 0, None), ("B", "Banks", 0, None), ("C", "Tech", 0, None)],
     [[1, 0, 1]] * 4),
    ("a change", [("A", "Banks", 0, T[1]), ("A", "Tech", T[2], None), ("B", "Tech", 0, None), ("C", "Tech", 0, None)],
     [[0, 1, 1], [0, 1, 1], [1, 1, 1], [1, 1, 1]]),
    ("both dates belong to a row", [("A", "Banks", T[1], T[2]), ("B", "Tech", 0, None), ("C", "Tech", 0, None)],
     [[NAN, 1, 1], [0, 1, 1], [0, 1, 1], [NAN, 1, 1]]),
    ("not known", [("A", "UNKNOWN", 0, None), ("B", "", 0, None), ("C", "Tech", 0, None)], [[NAN, NAN, 0]] * 4),
    ("later than all bars", [("A", "Tech", T[3] + 1, None), ("B", "Banks", 0, None), ("C", "Banks", 0, 0)],
     [[NAN, 0, NAN]] * 4),
    ("the later of two", [("A", "Tech", 0, None), ("A", "Banks", T[2], T[2]), ("B", "Tech", 0, None)],
     [[1, 1, NAN], [1, 1, NAN], [0, 1, NAN], [1, 1, NAN]]),
    ("strangers do not count", [("Z", "Aero", 0, None), ("A", "Tech", 0, None)], [[0, NAN, NAN]] * 4),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_codes_by_bar(rows: list[Row], expected: list[list[float]]) -> None:
    table = sectors(*rows)
    found = with_groups(BARS, table)
    np.testing.assert_array_equal(found["sector"], np.array(expected, dtype=float))
    assert set(found.fields) == {"close", "sector"}


def test_names_stand_behind_codes() -> None:
    labels = dated_labels(sectors(("B", "Tech", 0, None), ("A", "Banks", 0, None)), ("A", "B"), BARS.ts, "sector")
    assert labels.names == ("Banks", "Tech")
    assert labels.codes.tolist() == [[0, 1]]


@pytest.mark.parametrize("rows", [[("A", "UNKNOWN", 0, None), ("B", "", 0, None)], [("Z", "Tech", 0, None)]])
def test_a_field_that_nobody_has_is_not_there(rows: list[Row]) -> None:
    """So that a signal that names it is refused with a remedy instead of being NaN everywhere."""
    bars = with_groups(BARS, sectors(*rows))
    assert set(bars.fields) == {"close"}
    assert groups_at(T[0], BARS.symbols, sectors(*rows)) == {}
    with pytest.raises(SignalError, match=r"unknown field sector; give symbols a sector in the instruments") as caught:
        evaluate(parse("neutralize(close, sector)"), bars)
    assert caught.value.column == 19


def test_no_bars_no_codes() -> None:
    empty = BARS.rows(0, 0)
    assert with_groups(empty, sectors(("A", "Tech", 0, None)))["sector"].shape == (0, 3)


def test_a_stream_fed_bar_by_bar_has_the_bits_of_the_batch() -> None:
    """As a live feed would: prices of the bar, and the groups in force at it."""
    table = sectors(*CASES[1][1])
    node = parse("ts_mean(neutralize(close, sector), 2)")
    stream = Stream(node, BARS.symbols)
    rows = [stream.push(t, {"close": BARS["close"][i], **groups_at(t, BARS.symbols, table)}) for i, t in enumerate(T)]
    assert bits(np.array(rows)) == bits(evaluate(node, with_groups(BARS, table)))
