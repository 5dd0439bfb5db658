"""Splits as literal tables: which rows train, which test."""

from __future__ import annotations

import pytest

from harness.validation.splits import SplitError, combinatorial, purged_k_fold, walk_forward

# bars, train, test, purge, expanding -> (train, test) rows
WALKS = [
    ((10, 4, 2, 0, False), [("0123", "45"), ("2345", "67"), ("4567", "89")]),
    ((10, 4, 2, 0, True), [("0123", "45"), ("012345", "67"), ("01234567", "89")]),
    ((10, 4, 2, 1, False), [("0123", "56"), ("2345", "78")]),
    ((10, 4, 2, 1, True), [("0123", "56"), ("012345", "78")]),
    ((9, 4, 2, 0, True), [("0123", "45"), ("012345", "67")]),
]


@pytest.mark.parametrize(("asked", "rows"), WALKS, ids=lambda x: str(x)[:40])
def test_walk_forward(asked: tuple[int, int, int, int, bool], rows: list[tuple[str, str]]) -> None:
    found = walk_forward(*asked[:4], expanding=asked[4])
    assert [("".join(map(str, s.train)), "".join(map(str, s.test))) for s in found] == rows


# bars, folds, purge, embargo -> (train, test) rows
FOLDS = [
    ((10, 2, 0, 0), [("56789", "01234"), ("01234", "56789")]),
    ((10, 2, 1, 1), [("789", "01234"), ("0123", "56789")]),
    ((10, 3, 1, 0), [("456789", "012"), ("01789", "345"), ("01234", "6789")]),
]


@pytest.mark.parametrize(("asked", "rows"), FOLDS, ids=lambda x: str(x)[:40])
def test_purged_k_fold(asked: tuple[int, int, int, int], rows: list[tuple[str, str]]) -> None:
    found = purged_k_fold(*asked)
    assert [("".join(map(str, s.train)), "".join(map(str, s.test))) for s in found] == rows


def test_combinatorial() -> None:
    found = combinatorial(9, 3, 2, 0, 0)
    rows = [("".join(map(str, s.train)), "".join(map(str, s.test))) for s in found.splits]
    assert rows == [("678", "012345"), ("345", "012678"), ("012", "345678")]
    # Two paths; each takes every fold from a split that tests it.
    assert found.by_path.tolist() == [[0, 0, 1], [1, 2, 2]]
    assert ["".join(map(str, fold)) for fold in found.folds] == ["012", "345", "678"]


def test_combinatorial_purges_and_embargoes() -> None:
    found = combinatorial(15, 3, 2, 1, 1)
    rows = ["-".join(map(str, s.train)) for s in found.splits]
    assert rows == ["12-13-14", "7-8", "0-1-2-3"]


def test_paths_test_each_row_by_a_split_that_did_not_train_on_it() -> None:
    found = combinatorial(120, 6, 2, 2, 3)
    assert found.by_path.shape == (5, 6) and len(found.splits) == 15
    for path in found.by_path:
        for fold, split in zip(found.folds, path, strict=True):
            assert set(fold) <= set(found.splits[split].test)
            assert not set(fold) & set(found.splits[split].train)


REFUSED = [
    ("walk", lambda: walk_forward(9, 6, 3, 1, expanding=True), "9 bars do not hold 6 to train, 1 purged and 3 to test"),
    ("folds", lambda: purged_k_fold(20, 5, 2, 1), "20 bars in 5 folds are 4 a fold; 2 purged and 1 embargoed"),
    ("combinations", lambda: combinatorial(20, 5, 2, 2, 1), "20 bars in 5 folds are 4 a fold"),
]


@pytest.mark.parametrize(("make", "said"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_refuses(make: object, said: str) -> None:
    with pytest.raises(SplitError, match=said):
        make()  # type: ignore[operator]
