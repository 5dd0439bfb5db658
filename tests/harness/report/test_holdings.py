"""What was held, by hand and against numpy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.report.study.holdings import composition, correlation, exposure, holdings, pairwise
from tests.harness.report.test_trips import book_of

LOTS = np.array([[0, 0, 0, 0], [10_000, -10_000, 0, 0], [10_000, -20_000, 0, 30_000]])
CLOSE = np.array([[10.0, 20.0, 5.0, 1.0], [10.0, 20.0, 5.0, 1.0], [11.0, 20.0, np.nan, 1.0]])


def test_exposure_by_hand() -> None:
    found = exposure(book_of(LOTS, CLOSE))  # NAV is a million on every bar
    assert found.long == pytest.approx([0, 0.1, 0.14]) and found.short == pytest.approx([0, -0.2, -0.4])
    assert found.net == pytest.approx([0, -0.1, -0.26]) and found.gross == pytest.approx([0, 0.3, 0.54])
    assert found.longs.tolist() == [0, 1, 2] and found.shorts.tolist() == [0, 1, 1]
    assert found.largest == pytest.approx([0, 0.2, 0.4])
    assert found.effective == pytest.approx([0, 0.09 / 0.05, 0.54**2 / (0.11**2 + 0.4**2 + 0.03**2)])


def test_composition_is_by_sector_and_adds_up_to_exposure() -> None:
    book = book_of(LOTS, CLOSE)
    found, whole = composition(book), exposure(book)
    assert found.of == "sector" and found.names == ("Health Care", "Energy", "not known")
    assert found.long.sum(axis=1) == pytest.approx(whole.long) and found.short.sum(axis=1) == pytest.approx(whole.short)
    nameless = composition(replace(book, sectors=(), sector=np.full((3, 4), -1)))
    assert nameless.of == "symbol" and nameless.names[0] == "B.XNAS"


def test_the_smallest_are_put_together() -> None:
    book = book_of(LOTS, CLOSE)
    weight = np.abs(np.random.default_rng(0).normal(size=(3, 12)))
    wide = replace(
        book,
        bars=replace(book.bars, symbols=tuple(f"S{k}" for k in range(12)), fields={"close": np.ones((3, 12))}),
        weight=weight, sectors=(), sector=np.full((3, 12), -1),
    )  # fmt: skip
    found = composition(wide)
    assert len(found.names) == 8 and found.names[-1] == "5 others"
    assert found.long.sum(axis=1) == pytest.approx(weight.sum(axis=1))


def test_nothing_held_is_nothing_shown() -> None:
    book = book_of(np.zeros((3, 4), dtype=np.int64), CLOSE)
    assert composition(book).names == () and holdings(book, np.zeros(4)) == ()


def test_holdings_by_mean_size() -> None:
    found = holdings(book_of(LOTS, CLOSE), np.array([1.0, -2.0, 0.0, 4.0]))
    assert [h.symbol for h in found] == ["B.XNAS", "A.XNAS", "D.XNYS"]
    assert (found[0].mean_weight, found[0].mean_size) == (pytest.approx(-0.2), pytest.approx(0.2))
    assert (found[0].sector, found[2].sector, found[2].held_share) == ("Health Care", "", pytest.approx(1 / 3))


def test_pairs_use_the_rows_that_both_have() -> None:
    x = np.random.default_rng(1).normal(size=(200, 4)) @ np.random.default_rng(2).normal(size=(4, 4))
    x[:40, 1] = np.nan
    x[150:, 2] = np.nan
    found = pairwise(x)
    for i in range(4):
        for j in range(4):
            both = np.isfinite(x[:, i]) & np.isfinite(x[:, j])
            assert found[i, j] == pytest.approx(np.corrcoef(x[both, i], x[both, j])[0, 1])


def test_too_few_or_still_columns_have_no_correlation() -> None:
    x = np.random.default_rng(3).normal(size=(60, 3))
    x[:, 1] = 0.01
    x[20:, 2] = np.nan
    found = pairwise(x)
    assert found[0, 0] == pytest.approx(1.0) and np.isnan(found[[0, 1, 0, 2], [1, 1, 2, 2]]).all()


def test_the_run_stands_beside_its_symbols() -> None:
    close = 10 * np.exp(np.cumsum(np.random.default_rng(4).normal(0, 0.01, (100, 4)), axis=0))
    book = book_of(np.tile([100, 0, -50, 0], (100, 1)), close)
    found = correlation(book, book.returns()[:, 0])
    assert found.names[0] == "run" and found.values[0, 1 + [*found.names[1:]].index("A.XNAS")] == pytest.approx(1.0)
    assert found.symbols == 4 and found.mean is not None
